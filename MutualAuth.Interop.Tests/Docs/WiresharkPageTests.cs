using System.Text.Json.Nodes;
using MutualAuth.Tests.Support;

namespace MutualAuth.Tests.Docs;

/// <summary>
/// What docs/how-to/see-it-in-wireshark.md says of the keys: they are written where the switch is on and the variable is set, and nowhere else.
/// </summary>
[CancelAfter(120000)]
public sealed class WiresharkPageTests
{
    private const string Switch = "System.Net.EnableSslKeyLogging";

    [TestCase(true)]
    [TestCase(false)]
    public async Task Secrets_are_written_where_the_switch_is_on(bool isOn)
    {
        if (!OperatingSystem.IsLinux())
        {
            Assert.Ignore("The switch is for Linux with OpenSSL.");
        }

        File.ReadAllText(Path.Combine(Repository.Root, "docs/how-to/see-it-in-wireshark.md")).Should().Contain(Switch);
        using var workshop = new Workshop();
        var program = Repository.Program("EchoServer");
        var configuration = JsonNode.Parse(await File.ReadAllTextAsync(Path.ChangeExtension(program, "runtimeconfig.json")))!;
        var properties = configuration["runtimeOptions"]!["configProperties"]?.AsObject() ?? [];
        properties[Switch] = isOn;
        configuration["runtimeOptions"]!["configProperties"] = properties.DeepClone();
        var path = workshop.Write("logging.runtimeconfig.json", configuration.ToJsonString());
        var keys = Path.Combine(workshop.Directory, "keys.log");
        var (server, client) = (workshop.Server(), workshop.Client());

        await using var running = RunningProgram.Start(
            Tool.Find("env"), $"SSLKEYLOGFILE={keys}", Environment.GetEnvironmentVariable("DOTNET_HOST_PATH") ?? "dotnet", "exec",
            "--runtimeconfig", path, program, "--listen", "127.0.0.1:0", "--certificate", server.Chain, "--key", server.Key,
            "--trust", workshop.Trust, "--allow-dns", Workshop.ClientName);
        var address = (await running.LineAsync("listening on "))["listening on ".Length..];
        var ended = await EchoClient.RunAsync("hello\n", address, workshop, client);

        ended.ExitCode.Should().Be(0, ended.All);
        File.Exists(keys).Should().Be(isOn);
        if (isOn)
        {
            (await File.ReadAllTextAsync(keys)).Should().Contain("CLIENT_TRAFFIC_SECRET_0").And.Contain("SERVER_HANDSHAKE_TRAFFIC_SECRET");
        }
    }
}
