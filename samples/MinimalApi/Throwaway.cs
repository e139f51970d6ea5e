using MutualAuth.Testing;

namespace MutualAuth.Samples;

/// <summary>Files of an authority for a first try, of this server, and of two clients; made at the first start.</summary>
internal sealed class Throwaway
{
    private readonly string _folder;

    private Throwaway(string folder) => _folder = folder;

    internal static Throwaway In(string folder)
    {
        var made = new Throwaway(folder);
        if (File.Exists(made.Of("audit.key")))
        {
            return made;
        }

        Directory.CreateDirectory(folder);
        if (!OperatingSystem.IsWindows())
        {
            File.SetUnixFileMode(folder, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        }

        using var authority = new TestAuthority("Throwaway Authority");
        authority.WriteTo(folder, "authority");
        authority.IssueServer("localhost", "127.0.0.1", "::1").WriteTo(folder, "server");
        authority.IssueClient("shop.test").WriteTo(folder, "shop");
        authority.IssueClient("spiffe://example.test/audit").WriteTo(folder, "audit");
        return made;
    }

    internal string Of(string name) => Path.Combine(_folder, name);

    internal void PrintHowToConnect(string url) => Console.Error.WriteLine($"""
        A throwaway authority vouches for this server and for two clients; the files are in {_folder}
        Served, and refused by a policy:
          curl --cacert {Of("authority.pem")} --cert {Of("shop.pem")} --key {Of("shop.key")} {url}/orders
          curl --cacert {Of("authority.pem")} --cert {Of("shop.pem")} --key {Of("shop.key")} -i {url}/reports
        Refused by the listener, since it shows no certificate:
          curl --cacert {Of("authority.pem")} {url}/orders
        """);
}
