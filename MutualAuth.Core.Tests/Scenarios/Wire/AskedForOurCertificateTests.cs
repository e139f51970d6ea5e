using System.Net.Security;
using System.Security.Authentication;
using MutualAuth.Confirmation;
using MutualAuth.Testing;
using MutualAuth.Tests.Support;
using MutualAuth.Validation;

namespace MutualAuth.Tests.Scenarios;

/// <summary>What a server of plain TLS sees of our certificate, and whether it asked for it at all.</summary>
[CancelAfter(60000)]
public sealed class AskedForOurCertificateTests
{
    private World _world = null!;

    [SetUp]
    public void SetUp() => _world = new World { CloseTimeout = World.Moment };

    [TearDown]
    public void TearDown() => _world.Dispose();

    public enum Presents
    {
        One,
        Several,
        OneOnceTheServerIsJudged,
    }

    [TestCase(TlsVersion.Tls12)]
    [TestCase(TlsVersion.Tls13)]
    public async Task A_server_that_we_reject_does_not_see_our_certificate(TlsVersion version)
    {
        using var certificate = _world.Foreign.IssueServer("server.test");

        var (client, seen) = await MeetAsync(_world.ClientOptions, version, certificate, asks: true);

        client.Refusal.Reason.Should().Be(RejectionReason.UnknownAuthority);
        seen.Should().BeEmpty();
    }

    [TestCase(TlsVersion.Tls12)]
    [TestCase(TlsVersion.Tls13)]
    public async Task A_server_that_does_not_confirm_although_it_must_does_not_see_our_certificate_either(TlsVersion version)
    {
        using var certificate = _world.Foreign.IssueServer("server.test");
        var options = _world.ClientOptions with { Confirmation = ConfirmationPolicy.Required };

        var (client, seen) = await MeetAsync(options, version, certificate, asks: true);

        client.Refusal.Failure.Should().Be(HandshakeFailure.PeerRejected);
        seen.Should().BeEmpty();
    }

    [Test]
    public async Task A_server_that_an_asynchronous_validator_turns_away_does_not_see_it_and_one_that_is_let_pass_does([Values] bool isLetPass)
    {
        var options = _world.ClientOptions with { AsyncValidators = [new Answering(() => Task.FromResult(isLetPass))] };

        var (client, seen) = await MeetAsync(options, TlsVersion.Tls13, _world.ServerCertificate, asks: true);

        seen.Should().Equal(isLetPass ? ["CN=client.test"] : []);
        if (isLetPass)
        {
            await client.Accepted.DisposeAsync();
        }
        else
        {
            client.Refusal.Reason.Should().Be(RejectionReason.ValidatorRefused);
        }
    }

    [Test]
    public async Task A_server_that_confirms_does_not_wait_for_our_asynchronous_validators_to_complete_TLS()
    {
        var isComplete = new TaskCompletionSource<bool>(TaskCreationOptions.RunContinuationsAsynchronously);
        var options = _world.ClientOptions with { AsyncValidators = [new Answering(() => isComplete.Task)] };
        var (ours, theirs) = await ConnectedPair.SocketPairAsync();
        var connecting = End.OfAsync(new MutualTlsClient(options).UpgradeAsync(ours, "server.test"));

        await using var server = await ListenAsync(theirs, TlsVersion.Tls13, _world.ServerCertificate, asks: true, [], ConfirmationProtocol.Bare);
        isComplete.SetResult(true);
        await server.WriteAsync(Frame.Encode(Verdict.Accepted)).AsTask().WaitAsync(ConnectedPair.Deadline);

        await (await connecting).Accepted.DisposeAsync();
    }

    [Test]
    public async Task The_server_that_we_accept_sees_it_and_we_know_that_it_asked([Values] TlsVersion version, [Values] Presents presents)
    {
        var (client, seen) = await MeetAsync(Presenting(presents), version, _world.ServerCertificate, asks: true);

        client.Accepted.Session.OwnCertificateRequested.Should().BeTrue();
        seen.Should().Equal("CN=client.test");
        await client.Accepted.DisposeAsync();
    }

    [Test]
    public async Task A_server_that_asks_for_nothing_and_confirms_nothing_is_refused([Values] TlsVersion version, [Values] Presents presents)
    {
        var (client, _) = await MeetAsync(Presenting(presents), version, _world.ServerCertificate, asks: false);

        client.Refusal.Failure.Should().Be(HandshakeFailure.PeerRejected);
        client.Refusal.Reason.Should().Be(RejectionReason.ServerAskedForNoCertificate);
    }

    [Test]
    public async Task It_is_let_pass_where_the_options_say_so_and_the_session_tells([Values] TlsVersion version, [Values] Presents presents)
    {
        var options = Presenting(presents) with { DangerousAllowServersThatAskForNoCertificate = true };

        var (client, _) = await MeetAsync(options, version, _world.ServerCertificate, asks: false);

        client.Accepted.Session.OwnCertificateRequested.Should().BeFalse();
        await client.Accepted.DisposeAsync();
    }

    [Test]
    public async Task A_client_that_presents_nothing_is_not_concerned([Values] bool asks)
    {
        var options = _world.ClientOptions with { Identity = ClientIdentity.None };

        var (client, _) = await MeetAsync(options, TlsVersion.Tls13, _world.ServerCertificate, asks);

        client.Accepted.Session.OwnCertificateRequested.Should().BeNull();
        await client.Accepted.DisposeAsync();
    }

    [Test]
    public async Task A_server_that_confirms_may_ask_for_nothing_and_the_session_tells([Values] bool asks)
    {
        var (ours, theirs) = await ConnectedPair.SocketPairAsync();
        var connecting = End.OfAsync(new MutualTlsClient(_world.ClientOptions).UpgradeAsync(ours, "server.test"));
        await using var server = await ListenAsync(theirs, TlsVersion.Tls13, _world.ServerCertificate, asks, [], ConfirmationProtocol.Bare);
        await server.WriteAsync(Frame.Encode(Verdict.Accepted)).AsTask().WaitAsync(ConnectedPair.Deadline);

        var client = await connecting;

        client.Accepted.IsConfirmed.Should().BeTrue();
        client.Accepted.Session.OwnCertificateRequested.Should().Be(asks);
        await client.Accepted.DisposeAsync();
    }

    private MutualTlsClientOptions Presenting(Presents presents) => presents switch
    {
        Presents.Several => _world.ClientOptions with { Identity = ClientIdentity.ByAcceptableIssuers(_world.ClientIdentity, _world.ServerIdentity) },
        Presents.OneOnceTheServerIsJudged => _world.ClientOptions with { JudgeServerBeforeShowingIdentity = true },
        _ => _world.ClientOptions,
    };

    private static async Task<(End Client, List<string> Seen)> MeetAsync(
        MutualTlsClientOptions options, TlsVersion version, TestCertificate certificate, bool asks)
    {
        var seen = new List<string>();
        var (ours, theirs) = await ConnectedPair.SocketPairAsync();
        var connecting = End.OfAsync(new MutualTlsClient(options).UpgradeAsync(ours, "server.test"));
        try
        {
            await using var server = await ListenAsync(theirs, version, certificate, asks, seen, protocol: null);
            await Task.WhenAny(connecting, server.CopyToAsync(Stream.Null)); // a client that refuses us ends its side, and waits for us to do so
        }
        catch (Exception exception) when (exception is AuthenticationException or IOException)
        {
            // The client has gone, which may be the point.
        }

        theirs.Dispose();
        return (await connecting, seen);
    }

    private static async Task<SslStream> ListenAsync(
        System.Net.Sockets.Socket socket, TlsVersion version, TestCertificate certificate, bool asks, List<string> seen, string? protocol)
    {
        var tls = new SslStream(new System.Net.Sockets.NetworkStream(socket, ownsSocket: true));
        await tls.AuthenticateAsServerAsync(new SslServerAuthenticationOptions
        {
            ServerCertificateContext = certificate.ToSslContext(),
            ClientCertificateRequired = asks,
            ApplicationProtocols = protocol is null ? null : [ConfirmationProtocol.ToWire(protocol)],
            EnabledSslProtocols = version == TlsVersion.Tls13 ? SslProtocols.Tls13 : SslProtocols.Tls12,
            AllowTlsResume = false,
            RemoteCertificateValidationCallback = (_, shown, _, _) =>
            {
                if (shown is not null)
                {
                    seen.Add(shown.Subject);
                }

                return true;
            },
        }).WaitAsync(ConnectedPair.Deadline);
        return tls;
    }

    private sealed class Answering(Func<Task<bool>> ask) : IAsyncPeerValidator
    {
        public async ValueTask<Rejection?> ExamineAsync(AuthenticatedPeer peer, CancellationToken cancellationToken) =>
            await ask() ? null : new Rejection(RejectionReason.ValidatorRefused, "somebody else", peer.Name);
    }
}
