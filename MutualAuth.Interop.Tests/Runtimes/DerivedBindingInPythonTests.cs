using System.Net;
using MutualAuth.Credentials;
using MutualAuth.Testing;
using MutualAuth.Tests.Support;

namespace MutualAuth.Tests.Runtimes;

/// <summary>What docs/protocol.md §13 says of other TLS stacks: Python, over OpenSSL, computes the same bindings from its text alone.</summary>
[CancelAfter(120000)]
public sealed class DerivedBindingInPythonTests
{
    private const string Label = "example.org/chat/1";

    private const string Client = """
        import hashlib, socket, ssl, struct, sys

        port, label, authority, certificate, key = int(sys.argv[1]), sys.argv[2].encode(), *sys.argv[3:6]
        tls = ssl.create_default_context(ssl.Purpose.SERVER_AUTH, cafile=authority)
        tls.load_cert_chain(certificate, key)
        if sys.argv[6] == "1.2":
            tls.maximum_version = ssl.TLSVersion.TLSv1_2

        def digest(*parts):
            return hashlib.sha256(b"".join(struct.pack(">Q", len(part)) + part for part in parts)).hexdigest()

        with socket.create_connection(("127.0.0.1", port)) as tcp, tls.wrap_socket(tcp, server_hostname="server.test") as stream:
            end_point = hashlib.sha256(stream.getpeercert(binary_form=True)).digest()
            finished = stream.get_channel_binding("tls-unique")
            print(digest(b"mutualauth-connection 1", label, end_point, finished))
            print(digest(b"mutualauth-server 1", label, end_point, b""), flush=True)
            stream.recv(1)
        """;

    [TestCase("1.3")]
    [TestCase("1.2")]
    public async Task Python_has_the_same_bindings(string version, CancellationToken cancellationToken)
    {
        var python = Tool.Find("python3");
        var directory = Directory.CreateTempSubdirectory("mutualauth-binding-").FullName;
        try
        {
            using var authority = new TestAuthority("Ours");
            using var certificate = authority.IssueServer("server.test");
            using var own = authority.IssueClient("client.test");
            var (certificatePath, keyPath) = own.WriteTo(directory, "client");
            var authorityPath = Path.Combine(directory, "trust.pem");
            await File.WriteAllTextAsync(authorityPath, authority.CertificatePem, cancellationToken);
            var script = Path.Combine(directory, "client.py");
            await File.WriteAllTextAsync(script, Client, cancellationToken);
            await using var listener = MutualTlsListener.Start(new MutualTlsListenerOptions
            {
                EndPoint = new IPEndPoint(IPAddress.Loopback, 0),
                Server = new MutualTlsServer(new MutualTlsServerOptions
                { Identity = certificate.ToIdentity(), Trust = authority.ToTrustAnchors(), Authorization = Authorize.Dns("client.test") }),
            });

            await using var client = RunningProgram.Start(
                python, script, $"{((IPEndPoint)listener.LocalEndPoint).Port}", Label, authorityPath, certificatePath, keyPath, version);
            await using var connection = await listener.AcceptAsync(cancellationToken);

            var ofConnection = await client.LineAsync();
            (await client.LineAsync()).Should().Be(Hex(connection.DeriveBinding(Label, ChannelBindingScope.ServerCertificate)));
            Hex(connection.DeriveBinding(Label)).Should().Be(version == "1.3" && OperatingSystem.IsLinux() ? ofConnection : null);
        }
        finally
        {
            Directory.Delete(directory, recursive: true);
        }
    }

    private static string? Hex(ChannelBinding? binding) => binding is null ? null : Convert.ToHexStringLower(binding.Data.AsSpan());
}
