using MutualAuth.Identities;
using MutualAuth.Testing;

namespace MutualAuth.Tests.Identities;

/// <summary>What a client presents can be given as what a server presents is.</summary>
public sealed class ClientIdentityTests
{
    [Test]
    public void A_source_in_memory_converts_and_gives_what_it_holds_at_the_moment()
    {
        using var authority = new TestAuthority();
        var (first, second) = (authority.IssueClient("first.test").ToIdentity(), authority.IssueClient("second.test").ToIdentity());
        var source = new ReplaceableIdentity(first);

        ClientIdentity identity = source;
        identity.For("server.test").Should().Equal(first);
        source.Replace(second);

        identity.For("server.test").Should().Equal(second);
    }

    [Test]
    public void Files_convert_and_give_what_they_hold()
    {
        using var authority = new TestAuthority();
        using var certificate = authority.IssueClient("client.test");
        var folder = Directory.CreateTempSubdirectory("mutualauth-").FullName;
        try
        {
            var (pem, key) = (Path.Combine(folder, "client.pem"), Path.Combine(folder, "client.key"));
            File.WriteAllText(pem, certificate.CertificatePem);
            File.WriteAllText(key, certificate.PrivateKeyPem);
            using var files = IdentityFiles.FromPem(pem, key);

            ClientIdentity identity = files;

            identity.For("server.test").Should().Equal(files.Current);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }
}
