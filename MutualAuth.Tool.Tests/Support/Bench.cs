using System.Net;
using System.Net.Sockets;
using MutualAuth.Testing;

namespace MutualAuth.Tests.Support;

/// <summary>A folder with the files of an authority and of those that it certifies.</summary>
internal sealed class Bench : IDisposable
{
    private readonly string _directory = System.IO.Directory.CreateTempSubdirectory("mutualauth-tool-").FullName;

    internal Bench()
    {
        Trust = Authority.WriteTo(_directory);
        Server = Write("server", Authority.IssueServer("server.test", "127.0.0.1"));
        Client = Write("client", Authority.IssueClient("client.test"));
    }

    internal TestAuthority Authority { get; } = new("Tool Authority");

    internal string Trust { get; }

    internal (string Certificate, string Key, TestCertificate Issued) Server { get; }

    internal (string Certificate, string Key, TestCertificate Issued) Client { get; }

    internal string[] Ours => ["--certificate", Client.Certificate, "--key", Client.Key];

    internal string this[string file] => Path.Combine(_directory, file);

    internal (string Certificate, string Key, TestCertificate Issued) Write(string name, TestCertificate issued)
    {
        var (certificate, key) = issued.WriteTo(_directory, name);
        return (certificate, key, issued);
    }

    internal string Write(string file, string text)
    {
        File.WriteAllText(this[file], text);
        return this[file];
    }

    /// <summary>The authority's list as of now.</summary>
    internal string WriteList(string name = "authority-crl") => Authority.IssueCrl().WriteTo(_directory, name);

    public void Dispose()
    {
        Authority.Dispose();
        System.IO.Directory.Delete(_directory, recursive: true);
    }
}
