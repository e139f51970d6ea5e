using System.Net.Security;
using System.Security.Authentication;
using MutualAuth.Testing.BadPeers;
using MutualAuth.Testing.Transports;

namespace MutualAuth.Testing.Tests.Transports;

[CancelAfter(20000)]
public sealed class LooseTlsPeerTests
{
    private static readonly TestAuthority s_authority = new();

    [Test]
    public async Task Two_of_them_show_each_other_their_certificates(
        [Values(SslProtocols.Tls12, SslProtocols.Tls13)] SslProtocols protocol,
        [Values(KeyAlgorithm.EcdsaP256, KeyAlgorithm.EcdsaP384, KeyAlgorithm.EcdsaP521, KeyAlgorithm.Rsa2048)] KeyAlgorithm algorithm,
        CancellationToken token)
    {
        using var authority = new TestAuthority();
        using var intermediate = authority.IssueIntermediate();
        using var server = intermediate.Issue(spec => spec with { KeyAlgorithm = algorithm });
        using var client = intermediate.Issue(spec => spec with { KeyAlgorithm = algorithm });
        var options = new LooseTlsOptions { Protocols = protocol, ApplicationProtocols = ["echo"] };
        var wire = new DuplexPair();

        var accepting = LooseTlsPeer.AcceptAsync(wire.Server, server, options, token);
        using var dialled = await LooseTlsPeer.ConnectAsync(wire.Client, client, options, token);
        using var accepted = await accepting;

        dialled.PeerCertificates.Should().HaveCount(2);
        dialled.PeerCertificates[0].ToArray().Should().Equal(server.RawCertificate.ToArray());
        accepted.PeerCertificates[0].ToArray().Should().Equal(client.RawCertificate.ToArray());
        (dialled.ApplicationProtocol, dialled.IsTls13).Should().Be(("echo", protocol == SslProtocols.Tls13));
    }

    [Test]
    public async Task A_client_shows_an_SslStream_server_what_another_SslStream_could_not(
        [Values(SslProtocols.Tls12, SslProtocols.Tls13)] SslProtocols protocol, CancellationToken token)
    {
        using var authority = new TestAuthority();
        using var server = authority.IssueServer("server.test");
        using var client = authority.Issue(spec => spec with { KeyAlgorithm = KeyAlgorithm.Ed25519 });
        var wire = new DuplexPair();
        byte[]? shown = null;
        await using var tls = new SslStream(wire.Server);
        var accepting = tls.AuthenticateAsServerAsync(
            new SslServerAuthenticationOptions
            {
                ServerCertificateContext = server.ToSslContext(),
                ClientCertificateRequired = true,
                EnabledSslProtocols = protocol,
                RemoteCertificateValidationCallback = (_, certificate, _, _) => (shown = certificate?.GetRawCertData()) is not null,
            },
            token);

        using var peer = await LooseTlsPeer.ConnectAsync(wire.Client, client, new LooseTlsOptions { Protocols = protocol }, token);
        await accepting;

        shown.Should().Equal(client.RawCertificate.ToArray());
    }

    [Test]
    public async Task A_malformed_certificate_goes_out_as_it_is_and_is_refused_by_alert(CancellationToken token)
    {
        using var authority = new TestAuthority();
        using var server = authority.IssueServer("server.test");
        using var malformed = authority.Issue(spec => spec with { RewriteCertificate = der => der[..^10] });
        var wire = new DuplexPair();
        await using var tls = new SslStream(wire.Server);
        var accepting = tls.AuthenticateAsServerAsync(
            new SslServerAuthenticationOptions
            {
                ServerCertificateContext = server.ToSslContext(),
                ClientCertificateRequired = true,
                EnabledSslProtocols = SslProtocols.Tls12,
                RemoteCertificateValidationCallback = (_, _, _, _) => true,
            },
            token);

        var dialling = LooseTlsPeer.ConnectAsync(wire.Client, malformed, new LooseTlsOptions { Protocols = SslProtocols.Tls12 }, token);
        await FluentActions.Awaiting(() => accepting).Should().ThrowAsync<AuthenticationException>();
        await tls.DisposeAsync();

        await FluentActions.Awaiting(() => dialling).Should().ThrowAsync<LooseTlsException>();
    }

    [Test]
    public async Task A_handshake_that_nobody_answers_can_be_given_up()
    {
        await using var wire = new DuplexPair();
        using var cancellation = new CancellationTokenSource();

        var dialling = LooseTlsPeer.ConnectAsync(wire.Client, certificate: null, cancellationToken: cancellation.Token);
        await cancellation.CancelAsync();

        await FluentActions.Awaiting(() => dialling).Should().ThrowAsync<OperationCanceledException>();
    }

    public static IEnumerable<TestCaseData> Shown() =>
        from peer in Gallery.All
        from role in new[] { PeerRole.Client, PeerRole.Server }
        where peer.Plays(role)
        select new TestCaseData(peer, role).SetArgDisplayNames(peer.Name, role.ToString());

    [TestCaseSource(nameof(Shown))]
    public async Task It_accepts_every_peer_of_the_gallery_and_gives_back_the_octets_that_it_saw(BadPeer peer, PeerRole role, CancellationToken token)
    {
        using var exhibit = peer.Make(s_authority, role);

        // ML-DSA has no place in TLS 1.2.
        var inTls12 = exhibit.Bad is not { Key.Algorithm: KeyAlgorithm.MLDsa44 or KeyAlgorithm.MLDsa65 or KeyAlgorithm.MLDsa87 };
        foreach (var protocol in inTls12 ? new[] { SslProtocols.Tls12, SslProtocols.Tls13 } : [SslProtocols.Tls13])
        {
            var options = new LooseTlsOptions { Protocols = protocol };
            var wire = new DuplexPair();

            var accepting = LooseTlsPeer.AcceptAsync(wire.Server, role == PeerRole.Server ? exhibit.Bad! : exhibit.Good, options, token);
            using var dialled = await LooseTlsPeer.ConnectAsync(wire.Client, role == PeerRole.Client ? exhibit.Bad : exhibit.Good, options, token);
            using var accepted = await accepting;

            var seen = role == PeerRole.Client ? accepted.PeerCertificates : dialled.PeerCertificates;
            seen.Select(octets => Convert.ToHexString(octets.Span)).Should().Equal(
                exhibit.Bad is { } bad ? bad.RawChain.Prepend(bad.RawCertificate).Select(octets => Convert.ToHexString(octets.Span)) : [],
                protocol.ToString());
        }
    }
}
