using System.Diagnostics;
using MutualAuth.Testing;
using MutualAuth.Tests.Support;

namespace MutualAuth.Tests.Runtimes;

/// <summary>The TLS of other languages, which knows nothing of confirmation.</summary>
[TestFixture("python3")]
[TestFixture("node")]
[TestFixture("java")]
[TestFixture("go")]
public sealed class PlainPeersTests(string runtime)
{
    private const string Password = "secret";

    private static readonly Lazy<string> s_goProgram = new(BuildGoProgram);

    [Test]
    [CancelAfter(120000)]
    public async Task Its_client_is_let_in_unconfirmed_where_confirmation_is_preferred()
    {
        using var workshop = new Workshop();
        await using var server = await EchoServer.StartAsync(workshop, workshop.Server());

        await using var client = StartClient(server, workshop, ExtendedKeyUsage.ClientAuth);

        (await client.LineAsync()).Should().Be("hello");
        (await server.LineAsync()).Should().Be("accepted name=client.test user=- confirmed=no tls=1.3 alpn=-");
        (await client.ExitCodeAsync()).Should().Be(0, client.ToString());
    }

    [Test]
    [CancelAfter(120000)]
    public async Task Its_client_is_turned_away_where_confirmation_is_required()
    {
        using var workshop = new Workshop();
        await using var server = await EchoServer.StartAsync(workshop, workshop.Server(), "--confirmation", "required");

        await using var client = StartClient(server, workshop, ExtendedKeyUsage.ClientAuth);

        (await server.LineAsync()).Should().StartWith("rejected reason=confirmation_unavailable name=");
        (await client.ExitCodeAsync()).Should().NotBe(0);
        client.Output.Should().BeEmpty();
    }

    [Test]
    [CancelAfter(120000)]
    public async Task Its_client_is_rejected_when_its_certificate_is_a_servers()
    {
        using var workshop = new Workshop();
        await using var server = await EchoServer.StartAsync(workshop, workshop.Server());

        await using var client = StartClient(server, workshop, ExtendedKeyUsage.ServerAuth);

        // Java's key manager looks at the usage itself, and shows no such certificate.
        (await server.LineAsync()).Should().BeOneOf("rejected reason=wrong_usage name=client.test", "rejected reason=no_certificate name=-");
        (await client.ExitCodeAsync()).Should().NotBe(0);
        client.Output.Should().BeEmpty();
    }

    [Test]
    [CancelAfter(120000)]
    public async Task Its_server_is_accepted_unconfirmed_where_confirmation_is_preferred()
    {
        using var workshop = new Workshop();
        await using var server = StartServer(workshop);
        var address = await AddressOf(server);

        var client = await EchoClient.RunAsync("hello\n", address, workshop, workshop.Client());

        client.ExitCode.Should().Be(0, client.All);
        client.Output.Should().Be("hello");
        client.LastError.Should().Be("accepted name=server.test confirmed=no tls=1.3 alpn=-");
    }

    [Test]
    [CancelAfter(120000)]
    public async Task Its_server_is_turned_away_where_confirmation_is_required()
    {
        using var workshop = new Workshop();
        await using var server = StartServer(workshop);
        var address = await AddressOf(server);

        var client = await EchoClient.RunAsync("hello\n", address, workshop, workshop.Client(), "--confirmation", "required");

        (client.ExitCode, client.Code, client.Output).Should().Be((12, "confirmation_unavailable", string.Empty), client.All);
    }

    [Test]
    [CancelAfter(120000)]
    public async Task The_refusal_of_its_server_is_not_taken_for_success()
    {
        using var workshop = new Workshop();
        await using var server = StartServer(workshop);
        var address = await AddressOf(server);

        var client = await EchoClient.RunAsync(
            "hello\n", address, workshop, workshop.Wrong(Flaw.Expired, Workshop.ClientName, ExtendedKeyUsage.ClientAuth));

        client.Output.Should().BeEmpty();
        if (runtime == "node")
        {
            // Node judges after TLS and closes without an alert.
            (client.ExitCode, client.Code).Should().Be((1, "peer_closed"), client.All);
        }
        else
        {
            client.ExitCode.Should().Be(11, client.All);
            client.Code.Should().BeOneOf("certificate_expired", "bad_certificate", "certificate_unknown");
        }
    }

    private RunningProgram StartClient(EchoServer server, Workshop workshop, string usage)
    {
        WriteMaterial(workshop, Workshop.ClientName, usage);
        return Start("client", "127.0.0.1", $"{server.Port}", workshop.Directory);
    }

    private RunningProgram StartServer(Workshop workshop)
    {
        WriteMaterial(workshop, Workshop.ServerName, ExtendedKeyUsage.ServerAuth);
        return Start("server", workshop.Directory);
    }

    private RunningProgram Start(params string[] arguments) => runtime switch
    {
        "python3" => RunningProgram.Start(Tool.Find(runtime), [Script("peer.py"), .. arguments]),
        "node" => RunningProgram.Start(Tool.Find(runtime), [Script("peer.mjs"), .. arguments]),
        "java" => RunningProgram.Start(Tool.Find(runtime), [Script("Peer.java"), .. arguments]),
        _ => RunningProgram.Start(s_goProgram.Value, arguments),
    };

    private static void WriteMaterial(Workshop workshop, string name, string usage)
    {
        using var certificate = workshop.Issue(name, usage);
        workshop.Write("peer.pem", certificate.ChainPem);
        workshop.Write("peer.key", certificate.PrivateKeyPem);
        workshop.Write("peer.p12", certificate.ToPkcs12(Password));
    }

    private static async Task<string> AddressOf(RunningProgram server) => (await server.LineAsync("listening on "))["listening on ".Length..];

    private static string Script(string name) => Path.Combine(AppContext.BaseDirectory, "Runtimes", "Peers", name);

    private static string BuildGoProgram()
    {
        var program = Path.Combine(AppContext.BaseDirectory, "Runtimes", "Peers", "peer-go");
        using var go =
            Process.Start(new ProcessStartInfo(Tool.Find("go"), ["build", "-o", program, Script("peer.go")]) { RedirectStandardError = true })!;
        var errors = go.StandardError.ReadToEnd();
        go.WaitForExit();
        go.ExitCode.Should().Be(0, errors);
        return program;
    }
}
