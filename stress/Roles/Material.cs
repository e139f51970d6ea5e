using MutualAuth.Credentials;
using MutualAuth.Testing;

namespace MutualAuth.Stress.Roles;

/// <summary>A folder from which every role reads what it is: the certificates of a server, of a client, and of one whom nobody trusts.</summary>
internal sealed class Material : IDisposable
{
    internal const string ServerName = "server.test";
    internal const string User = "alice";

    private const string Secret = "correct horse battery staple";

    internal Material()
    {
        Folder = Directory.CreateTempSubdirectory("stress-").FullName;
        using var authority = new TestAuthority();
        using var foreign = new TestAuthority("Foreign");
        using var server = authority.IssueServer(ServerName);
        using var client = authority.IssueClient("client.test");
        using var stranger = foreign.IssueClient("client.test");
        authority.WriteTo(Folder, "root");
        server.WriteTo(Folder, "server");
        client.WriteTo(Folder, "client");
        stranger.WriteTo(Folder, "stranger");
    }

    internal string Folder { get; }

    internal static Password Password => Password.From(Secret);

    internal static TrustAnchors Trust(string folder) => TrustAnchors.FromPemFiles(Path.Combine(folder, "root.pem"));

    internal static Identity Identity(string folder, string name) =>
        MutualAuth.Identity.FromPemFiles(Path.Combine(folder, name + ".pem"), Path.Combine(folder, name + ".key"));

    public void Dispose() => Directory.Delete(Folder, recursive: true);
}
