using MutualAuth.Testing;
using MutualAuth.Testing.Responders;
using MutualAuth.Tests.Support;

namespace MutualAuth.Tests.Scenarios;

/// <summary>
/// A peer whose certificate needs an issuer that nobody sent, and that says where to fetch it. The platform would: on a server, for a client that is
/// not authenticated yet. Whoever falls for it asks the trap, and finds the path.
/// </summary>
[CancelAfter(60_000)]
public sealed class NothingIsFetchedTests
{
    private World _world = null!;
    private TestAuthority _intermediate = null!;
    private AiaTrap _trap = null!;

    [SetUp]
    public void SetUp()
    {
        _world = new World();
        _intermediate = _world.Authority.IssueIntermediate();
        _trap = new AiaTrap(_intermediate.AsCertificate.RawCertificate);
    }

    [TearDown]
    public async Task TearDown()
    {
        await _trap.DisposeAsync();
        _intermediate.Dispose();
        _world.Dispose();
    }

    [Test]
    public async Task A_server_asks_no_address_in_a_clients_certificate([Values] TlsVersion version)
    {
        var client = _world.ClientOptions with
        { Identity = Baited("client.test", ExtendedKeyUsage.ClientAuth), MinimumTlsVersion = version, MaximumTlsVersion = version };

        await using var ends = await ConnectedPair.ShakeAsync(client, _world.ServerOptions);

        ends.Server.Refusal.Reason.Should().Be(RejectionReason.UnknownAuthority);
        _trap.Requests.Should().BeEmpty();
    }

    [Test]
    public async Task A_client_asks_no_address_in_a_servers_certificate([Values] bool judgeFirst)
    {
        var server = _world.ServerOptions with { Identity = Baited("server.test", ExtendedKeyUsage.ServerAuth) };

        await using var ends = await ConnectedPair.ShakeAsync(_world.ClientOptions with { JudgeServerBeforeShowingIdentity = judgeFirst }, server);

        ends.Client.Refusal.Reason.Should().Be(RejectionReason.UnknownAuthority);
        _trap.Requests.Should().BeEmpty();
    }

    [Test]
    public async Task The_same_certificate_is_accepted_with_its_issuer_and_nothing_is_asked_either()
    {
        using var baited = Issue("client.test", ExtendedKeyUsage.ClientAuth);

        await using var ends = await ConnectedPair.ShakeAsync(
            _world.ClientOptions with { Identity = World.ToIdentity(baited) }, _world.ServerOptions);

        ends.Server.Accepted.Peer.Name.Should().Be("client.test");
        _trap.Requests.Should().BeEmpty();
    }

    private Identity Baited(string name, string usage)
    {
        using var issued = Issue(name, usage);
        return World.ToIdentity(issued.WithChain()); // without its issuer
    }

    private TestCertificate Issue(string name, string usage) =>
        _intermediate.Issue(spec => _trap.Bait(spec with { DnsNames = [name], ExtendedKeyUsages = [usage] }));
}
