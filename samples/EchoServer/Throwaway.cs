using System.Net;
using MutualAuth.Testing;

namespace MutualAuth.Samples;

/// <summary>An authority for a first try: it certifies this server and one client, and writes the client's files.</summary>
internal sealed class Throwaway
{
    private const string ClientName = "client.test";

    private readonly string _files;

    private Throwaway(TestAuthority authority, string serverName)
    {
        _files = Directory.CreateTempSubdirectory("mutualauth-echo-").FullName;
        authority.WriteTo(_files, "authority");
        authority.IssueClient(ClientName).WriteTo(_files, "client");
        var server = authority.IssueServer([.. new[] { "localhost", "127.0.0.1", "::1", serverName }.Distinct()]);
        Server = Identity.From(server.Certificate, server.Chain);
        Trust = authority.ToTrustAnchors();
    }

    internal Identity Server { get; }

    internal TrustAnchors Trust { get; }

    internal AuthorizationRule OnlyItsClient { get; } = Authorize.Dns(ClientName);

    internal static Throwaway Create(string listen) =>
        new(new TestAuthority("Throwaway Authority"), CommandLine.ParseHostAndPort("--listen", listen).Host);

    /// <param name="endPoint">Where the server listens.</param>
    /// <param name="loginHint">What a client adds in order to log in.</param>
    /// <param name="program">The program to connect with.</param>
    internal void PrintHowToConnect(EndPoint endPoint, string loginHint, string program = "dotnet run --project samples/EchoClient --")
    {
        var (address, port) = endPoint is IPEndPoint ip
            ? (ip.Address, ip.Port)
            : throw new ArgumentException("Not an IP end point.", nameof(endPoint));
        var isAny = address.Equals(IPAddress.Any) || address.Equals(IPAddress.IPv6Any);
        var connect = isAny ? $"localhost:{port}" : endPoint.ToString();
        var files = $"--trust {_files}/authority.pem --certificate {_files}/client.pem --key {_files}/client.key";
        Console.Error.WriteLine($"""
            A throwaway authority vouches for this server and for one client, {ClientName}; its files are in {_files}
            Connect with:
              {program} --connect {connect} {files}{loginHint}
            """);
    }
}
