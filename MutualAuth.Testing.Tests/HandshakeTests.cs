using System.Security.Authentication;
using MutualAuth.Testing.Tests.Support;

namespace MutualAuth.Testing.Tests;

public sealed class HandshakeTests
{
    [Test]
    [CancelAfter(20000)]
    public async Task SslStream_makes_a_mutual_handshake_with_what_an_authority_issues(
        [Values(SslProtocols.Tls12, SslProtocols.Tls13)] SslProtocols protocol,
        [Values(KeyAlgorithm.EcdsaP256, KeyAlgorithm.EcdsaP384, KeyAlgorithm.EcdsaP521, KeyAlgorithm.Rsa2048)] KeyAlgorithm algorithm,
        [Values] bool throughAnIntermediate)
    {
        using var authority = new TestAuthority();
        using var issuer = throughAnIntermediate ? authority.IssueIntermediate() : null;
        CertificateSpec WithKey(CertificateSpec spec, string name, int index) => spec with
        {
            DnsNames = [name],
            KeyAlgorithm = algorithm,
            Key = algorithm == KeyAlgorithm.Rsa2048 ? TestKey.Shared(algorithm, index) : null,
        };
        using var server = (issuer ?? authority).Issue(spec => WithKey(spec, "server.test", 0));
        using var client = (issuer ?? authority).Issue(spec => WithKey(spec, "client.test", 1));

        var (serverSide, clientSide) = await PlainHandshake.RunAsync(server, client, authority, authority, protocol);

        serverSide.Should().BeNull();
        clientSide.Should().BeNull();
    }

    [Test]
    [CancelAfter(20000)]
    public async Task SslStream_refuses_a_client_of_another_authority()
    {
        using var authority = new TestAuthority();
        using var other = new TestAuthority();
        using var server = authority.IssueServer("server.test");
        using var client = other.IssueClient("client.test");

        var (serverSide, _) = await PlainHandshake.RunAsync(server, client, authority, authority, SslProtocols.Tls13);

        serverSide.Should().BeOfType<AuthenticationException>();
    }

    [Test]
    [CancelAfter(20000)]
    public async Task SslStream_refuses_a_leaf_whose_intermediate_does_not_come_along()
    {
        using var authority = new TestAuthority();
        using var intermediate = authority.IssueIntermediate();
        using var server = authority.IssueServer("server.test");
        using var client = intermediate.IssueClient("client.test");
        using var alone = client.WithChain();

        var (serverSide, _) = await PlainHandshake.RunAsync(server, alone, authority, authority, SslProtocols.Tls13);

        serverSide.Should().BeOfType<AuthenticationException>();
    }

    [Test]
    [CancelAfter(20000)]
    public async Task A_cross_signed_authority_leads_to_both_roots()
    {
        using var old = new TestAuthority("Old Root");
        using var young = new TestAuthority("Young Root");
        using var bridge = old.CrossSign(young);
        using var server = bridge.IssueServer("server.test");
        using var client = young.IssueClient("client.test");

        var (serverSide, clientSide) = await PlainHandshake.RunAsync(server, client, young, old, SslProtocols.Tls13);

        serverSide.Should().BeNull();
        clientSide.Should().BeNull();
    }
}
