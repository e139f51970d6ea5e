using MutualAuth.Testing;

namespace MutualAuth.Samples;

/// <summary>An authority for a first try: it certifies this server and one client, and writes the files of both.</summary>
internal static class Throwaway
{
    internal static void MakeAtTheFirstStart(string folder)
    {
        if (File.Exists(Path.Combine(folder, "authority.pem")))
        {
            return;
        }

        Directory.CreateDirectory(folder);
        using var authority = new TestAuthority("Throwaway Authority");
        authority.IssueServer("localhost", "127.0.0.1", "::1").WriteTo(folder, "server");
        authority.IssueClient("client.test").WriteTo(folder, "client");
        authority.WriteTo(folder, "authority");
        var files = $"--trust {folder}/authority.pem --certificate {folder}/client.pem --key {folder}/client.key";
        Console.Error.WriteLine($"""
            A throwaway authority vouches for this server and for one client, client.test; its files are in {folder}
            Connect with:
              dotnet run --project samples/EchoClient -- --connect 127.0.0.1:8443 {files}
            """);
    }
}
