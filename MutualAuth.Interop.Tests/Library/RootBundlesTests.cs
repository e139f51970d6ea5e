using MutualAuth.Tests.Support;

namespace MutualAuth.Tests.Library;

/// <summary>The root bundles that people have: those of the machine, of Node and of Java load whole.</summary>
[CancelAfter(120000)]
public sealed class RootBundlesTests
{
    private static readonly string[] s_bundles =
        ["/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt", "/etc/ssl/cert.pem"];

    private string _folder = null!;

    [SetUp]
    public void SetUp() => _folder = Directory.CreateTempSubdirectory("mutualauth-").FullName;

    [TearDown]
    public void TearDown() => Directory.Delete(_folder, recursive: true);

    [Test]
    public void The_machines_bundle_loads_whole() =>
        AssertWhole(Tool.FindFile("A bundle of roots", s_bundles));

    [Test]
    public async Task Nodes_bundle_loads_whole() =>
        AssertWhole(await WriteAsync(Tool.Find("node"), "-e", "console.log(require('tls').rootCertificates.join('\\n'))"));

    [Test]
    public async Task Javas_bundle_loads_whole() =>
        AssertWhole(await WriteAsync(Tool.Find("keytool"), "-list", "-rfc", "-cacerts", "-storepass", "changeit"));

    [Test]
    public void The_machines_store_loads_whole()
    {
        _ = Tool.FindFile("A bundle of roots", s_bundles);

        TrustAnchors.MachineRoots().LeftOut.Should().BeEmpty();
    }

    [Test]
    public async Task The_sample_takes_the_machines_bundle_beside_an_authority_of_its_own()
    {
        var bundle = Tool.FindFile("A bundle of roots", s_bundles);
        using var workshop = new Workshop();
        await using var server = await EchoServer.StartAsync(workshop, workshop.Server());

        var both = await EchoClient.RunAsync("hi", server.Address, workshop, workshop.Client(), "--trust", bundle);
        both.ExitCode.Should().Be(0, both.All);
        both.Output.Should().Be("hi");

        var own = workshop.Client();
        var publicOnly = await EchoClient.RunAsync(
            "hi", "--connect", server.Address, "--server-name", Workshop.ServerName, "--trust", bundle, "--certificate", own.Chain, "--key", own.Key);
        (publicOnly.ExitCode, publicOnly.Code).Should().Be((10, "unknown_authority"), publicOnly.All);
    }

    private static void AssertWhole(string bundle)
    {
        var blocks = File.ReadAllText(bundle).Split("-----BEGIN CERTIFICATE-----")[1..].Distinct().Count();

        var anchors = TrustAnchors.FromPemFiles(bundle);

        anchors.LeftOut.Should().BeEmpty();
        anchors.Certificates.Length.Should().BeGreaterThan(50).And.BeLessThanOrEqualTo(blocks);
    }

    private async Task<string> WriteAsync(string program, params string[] arguments)
    {
        await using var running = RunningProgram.Start(program, arguments);
        running.EndInput();
        (await running.ExitCodeAsync()).Should().Be(0, running.ToString());
        var path = Path.Combine(_folder, "bundle.pem");
        await File.WriteAllLinesAsync(path, running.Output);
        return path;
    }
}
