using System.Net.Security;
using MutualAuth.Handshake;
using MutualAuth.Testing.Transports;
using MutualAuth.Tests.Support;
using MutualAuth.Validation;

namespace MutualAuth.Tests.Handshake;

/// <summary>
/// The certificate stage cannot be skipped. Later runtimes do not call back on resumed sessions (dotnet/runtime 133174; CVE-2025-68121 is the same
/// in another library): a session without a verdict is judged after the handshake.
/// </summary>
[CancelAfter(60000)]
public sealed class PeerValidationCallbackTests
{
    private World _world = null!;

    [SetUp]
    public void SetUp() => _world = new World();

    [TearDown]
    public void TearDown() => _world.Dispose();

    [Test]
    public async Task A_platform_that_does_not_call_back_does_not_let_in([Values] bool trusted)
    {
        using var certificate = (trusted ? _world.Authority : _world.Foreign).IssueClient("client.test");
        await using var wire = new DuplexPair();
        await using var server = new SslStream(wire.Server);
        var accepting = server.AuthenticateAsServerAsync(new SslServerAuthenticationOptions
        {
            ServerCertificateContext = _world.ServerIdentity.TlsContext,
            ClientCertificateRequired = true,
            RemoteCertificateValidationCallback = (_, _, _, _) => true, // ours is not called
        });
        await using var client = await ScriptedTlsPeer.AsClientAsync(wire.Client, certificate, protocol: null);
        await accepting.WaitAsync(ConnectedPair.Deadline);
        var judge = new PeerValidationCallback(new CertificateStage(_world.ServerOptions), TimeProvider.System, PeerRole.Client);

        var verdict = judge.JudgeIfCallbackWasSkipped(server);

        if (trusted)
        {
            verdict.Should().BeOfType<CertificateVerdict.Accepted>().Which.Peer.Name.Should().Be("client.test");
        }
        else
        {
            verdict.Should().BeOfType<CertificateVerdict.Rejected>().Which.Rejection.Reason.Should().Be(RejectionReason.UnknownAuthority);
        }
    }

    [Test]
    public void A_callback_without_a_certificate_is_a_rejection()
    {
        var judge = new PeerValidationCallback(new CertificateStage(_world.ServerOptions), TimeProvider.System, PeerRole.Client);

        judge.Validate(new object(), null, null, SslPolicyErrors.None).Should().BeFalse();

        judge.Verdict.Should().BeOfType<CertificateVerdict.Rejected>().Which.Rejection.Reason.Should().Be(RejectionReason.NoCertificate);
    }

    [Test]
    public void What_the_platform_thinks_counts_for_nothing([Values] bool trusted)
    {
        using var certificate = (trusted ? _world.Authority : _world.Foreign).IssueClient("client.test");
        var judge = new PeerValidationCallback(new CertificateStage(_world.ServerOptions), TimeProvider.System, PeerRole.Client);
        var opinion = trusted ? SslPolicyErrors.RemoteCertificateChainErrors : SslPolicyErrors.None;

        judge.Validate(new object(), certificate.Certificate, null, opinion).Should().Be(trusted);
    }

    [Test]
    public void A_later_look_never_turns_a_no_into_a_yes()
    {
        using var bad = _world.Foreign.IssueServer("server.test");
        using var good = _world.Authority.IssueServer("server.test");
        var judge = new PeerValidationCallback(new CertificateStage(_world.ClientOptions), TimeProvider.System, PeerRole.Server)
        { DialledName = ServerName.Parse("server.test") };

        judge.AcceptsBeforeShowing(bad.Certificate).Should().BeFalse();

        judge.Validate(new object(), good.Certificate, null, SslPolicyErrors.None).Should().BeFalse();
    }
}
