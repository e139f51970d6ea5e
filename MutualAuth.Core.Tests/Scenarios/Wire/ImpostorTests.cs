using System.Net.Security;
using System.Security.Authentication;
using MutualAuth.Testing;
using MutualAuth.Tests.Support;

namespace MutualAuth.Tests.Scenarios;

/// <summary>
/// A client that judges the server first shows an impostor nothing. Without the option TLS hands its certificate over before it has judged.
/// </summary>
[CancelAfter(60000)]
public sealed class ImpostorTests
{
    private World _world = null!;

    [SetUp]
    public void SetUp() => _world = new World { CloseTimeout = World.Moment };

    [TearDown]
    public void TearDown() => _world.Dispose();

    [Test]
    public async Task An_impostor_sees_no_client_certificate([Values] TlsVersion version)
    {
        using var certificate = _world.Foreign.IssueServer("server.test");

        var (client, seen) = await MeetAsync(version, certificate, judgeFirst: true);

        client.Refusal.Reason.Should().Be(RejectionReason.UnknownAuthority);
        seen.Should().BeEmpty();
    }

    [Test]
    public async Task Without_the_option_an_impostor_sees_it_until_dotnet_10([Values] TlsVersion version)
    {
        using var certificate = _world.Foreign.IssueServer("server.test");

        var (client, seen) = await MeetAsync(version, certificate, judgeFirst: false);

        client.Refusal.Reason.Should().Be(RejectionReason.UnknownAuthority);
        seen.Should().Equal(Platform.JudgesWithinTheHandshake ? [] : ["CN=client.test"]);
    }

    [Test]
    public async Task The_true_server_sees_it_and_accepts([Values] TlsVersion version)
    {
        var client = _world.ClientOptions with { JudgeServerBeforeShowingIdentity = true, MinimumTlsVersion = version, MaximumTlsVersion = version };

        await using var ends = await ConnectedPair.ShakeAsync(client, _world.ServerOptions);

        ends.Server.Accepted.Peer.Name.Should().Be("client.test");
        ends.Client.Accepted.IsConfirmed.Should().BeTrue();
    }

    [Test]
    public async Task A_server_behind_an_intermediate_needs_it_to_be_known_in_advance([Values] TlsVersion version, [Values] bool known)
    {
        using var intermediate = _world.Authority.IssueIntermediate();
        using var certificate = intermediate.IssueServer("server.test");
        var trust = known ? _world.Trust.WithIntermediates(intermediate.Certificate) : _world.Trust;
        var client = _world.ClientOptions with
        { Trust = trust, JudgeServerBeforeShowingIdentity = true, MinimumTlsVersion = version, MaximumTlsVersion = version };

        await using var ends = await ConnectedPair.ShakeAsync(client, _world.ServerOptions with { Identity = World.ToIdentity(certificate) });

        if (known)
        {
            ends.Client.Accepted.Peer.Name.Should().Be("server.test");
        }
        else
        {
            ends.Client.Refusal.Reason.Should().Be(RejectionReason.UnknownAuthority);
        }
    }

    /// <summary>An impostor is plain <c>SslStream</c> that accepts every client and writes down what it was shown.</summary>
    private async Task<(End Client, List<string> Seen)> MeetAsync(TlsVersion version, TestCertificate certificate, bool judgeFirst)
    {
        var seen = new List<string>();
        var (ours, theirs) = await ConnectedPair.SocketPairAsync();
        await using var impostor = new SslStream(new System.Net.Sockets.NetworkStream(theirs, ownsSocket: true));
        var listening = impostor.AuthenticateAsServerAsync(new SslServerAuthenticationOptions
        {
            ServerCertificateContext = certificate.ToSslContext(),
            ClientCertificateRequired = true,
            EnabledSslProtocols = version == TlsVersion.Tls13 ? SslProtocols.Tls13 : SslProtocols.Tls12,
            RemoteCertificateValidationCallback = (_, shown, _, _) =>
            {
                if (shown is not null)
                {
                    seen.Add(shown.Subject);
                }

                return true;
            },
        });

        var options = _world.ClientOptions with { JudgeServerBeforeShowingIdentity = judgeFirst, Confirmation = ConfirmationPolicy.Never };
        var upgrading = End.OfAsync(new MutualTlsClient(options).UpgradeAsync(ours, "server.test"));
        try
        {
            await listening.WaitAsync(ConnectedPair.Deadline);
            await impostor.CopyToAsync(Stream.Null).WaitAsync(ConnectedPair.Deadline);
        }
        catch (Exception exception) when (exception is AuthenticationException or IOException)
        {
            // The client has gone, which is the point.
        }

        await impostor.DisposeAsync();
        return (await upgrading, seen);
    }
}
