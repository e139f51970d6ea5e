using System.Security.Cryptography;
using System.Text.Json.Nodes;
using MutualAuth.Tests.Support;

namespace MutualAuth.Tests;

/// <summary>platform and the profiles of config openssl, as processes that were started with them.</summary>
[CancelAfter(60000)]
public sealed class PlatformTests
{
    private static readonly string[] s_profiles = ["default", "fapi", "cnsa-1.0", "cnsa-2.0"];

    private Bench _bench = null!;

    [SetUp]
    public void SetUp() => _bench = new Bench();

    [TearDown]
    public void TearDown() => _bench.Dispose();

    [TestCaseSource(nameof(s_profiles))]
    public async Task A_profile_is_the_file_of_the_repository(string name)
    {
        var file = await File.ReadAllTextAsync(Path.Combine(
            Repository.Root, "docs", "security", $"openssl-{(name == "default" ? "strict" : name)}.cnf"));

        (await ToolRun.Of("config", "openssl", "--profile", name)).Output.Should().Be(file);
    }

    /// <summary>Each profile meets its own requirement, in both roles; CNSA 2.0 only where there is ML-KEM and ML-DSA.</summary>
    [TestCaseSource(nameof(s_profiles))]
    public async Task What_a_profile_configures_is_what_its_requirement_demands(string name)
    {
        var file = _bench.Write("openssl.cnf", (await ToolRun.Of("config", "openssl", "--profile", name)).Output);

        var run = await StartedWith(file, "platform", "--require", name, "--json");

        var isPossible = name != "cnsa-2.0" || HasPostQuantum;
        (run.ExitCode, run.ErrorCode).Should().Be(isPossible ? (0, string.Empty) : (15, "platform_not_met"), run.ToString());
        run.Json.Any(line => line.TryGetProperty("gives_sessions", out var gives) && gives.GetString() == "no").Should().BeTrue(run.ToString());
        if (!isPossible)
        {
            run.Json.Where(line => line.GetProperty("step").GetString() == "not_met").Select(line => line.GetProperty("kind").GetString())
                .Should().Contain(["NothingPermitted", "KeyExchangeGroup", "SignatureScheme"]);
        }
    }

    [TestCaseSource(nameof(s_profiles))]
    public async Task Without_a_configuration_no_requirement_is_met(string name)
    {
        var run = await StartedWith("/dev/null", "platform", "--require", name, "--json");

        (run.ExitCode, run.ErrorCode).Should().Be((15, "platform_not_met"), run.ToString());
        run.Json.Where(line => line.GetProperty("step").GetString() == "not_met").Should().OnlyContain(
            line => line.GetProperty("remedy").GetString()!.Length > 0);
    }

    [TestCase("fapi", "cnsa-1.0")]
    [TestCase("cnsa-1.0", "cnsa-2.0")]
    [TestCase("default", "fapi")]
    public async Task A_profile_does_not_meet_what_is_narrower(string configured, string required)
    {
        var file = _bench.Write("openssl.cnf", (await ToolRun.Of("config", "openssl", "--profile", configured)).Output);

        (await StartedWith(file, "platform", "--require", required)).ExitCode.Should().Be(15);
    }

    [Test]
    public async Task Without_a_requirement_it_says_what_there_is()
    {
        var run = await ToolRun.Of("platform");

        run.ExitCode.Should().Be(0, run.ToString());
        run.Output.Should().Contain("versions: TLS 1.3").And.Contain("groups: ").And.Contain("gives sessions: ").And.Contain("key logging")
            .And.Contain("FIPS alone: ");
    }

    [TestCase(true, 15)]
    [TestCase(false, 0)]
    public async Task Keys_that_are_written_down_are_seen_and_refused(bool isOn, int exitCode)
    {
        var configuration = JsonNode.Parse(await File.ReadAllTextAsync(Path.ChangeExtension(ToolRun.Program, "runtimeconfig.json")))!;
        var properties = configuration["runtimeOptions"]!["configProperties"]?.AsObject() ?? [];
        properties["System.Net.EnableSslKeyLogging"] = isOn;
        configuration["runtimeOptions"]!["configProperties"] = properties.DeepClone();
        var settings = _bench.Write("switch.runtimeconfig.json", configuration.ToJsonString());
        var profile = _bench.Write("openssl.cnf", (await ToolRun.Of("config", "openssl")).Output);

        var run = await EndOf(RunningProgram.Start(
            "/usr/bin/env", $"SSLKEYLOGFILE={_bench["keys.log"]}", $"OPENSSL_CONF={profile}", Dotnet, "exec", "--runtimeconfig", settings,
            ToolRun.Program, "platform", "--require", "default"));

        run.ExitCode.Should().Be(exitCode, run.ToString());
        run.Output.Contains("one that holds the keys of every connection", StringComparison.Ordinal).Should().Be(isOn, run.ToString());
    }

    /// <summary>With the module alone it is met, beside another provider it is not; and where there is no module, never.</summary>
    [TestCase(false)]
    [TestCase(true)]
    public async Task FIPS_is_met_by_the_provider_alone(bool isBesideAnother)
    {
        var module = Array.Find(["/usr/lib/x86_64-linux-gnu/ossl-modules/fips.so", "/usr/lib64/ossl-modules/fips.so"], File.Exists);
        var installed = _bench["fipsmodule.cnf"];
        if (module is not null)
        {
            await using var install = RunningProgram.Start("/usr/bin/openssl", "fipsinstall", "-out", installed, "-module", module);
            (await install.ExitCodeAsync()).Should().Be(0, install.ToString());
        }

        var another = isBesideAnother ? "default = on\n" : string.Empty;
        var include = module is null ? "[fips_sect]\nactivate = 1\n" : $".include {installed}\n";
        var file = _bench.Write(
            "fips.cnf", $"openssl_conf = init\n{include}[init]\nproviders = all\n[all]\nfips = fips_sect\nbase = on\n{another}[on]\nactivate = 1\n");

        var run = await StartedWith(file, "platform", "--require-fips");

        run.ExitCode.Should().Be(module is not null && !isBesideAnother ? 0 : 15, run.ToString());
    }

    private static string Dotnet => Environment.GetEnvironmentVariable("DOTNET_HOST_PATH") ?? "dotnet";

#pragma warning disable SYSLIB5006 // only whether the platform has it
    private static bool HasPostQuantum => MLKem.IsSupported && MLDsa.IsSupported;
#pragma warning restore SYSLIB5006

    private static Task<ToolRun> StartedWith(string configuration, params string[] arguments) =>
        EndOf(RunningProgram.Start("/usr/bin/env", [$"OPENSSL_CONF={configuration}", Dotnet, ToolRun.Program, .. arguments]));

    private static async Task<ToolRun> EndOf(RunningProgram started)
    {
        await using var program = started;
        program.EndInput();
        var exitCode = await program.ExitCodeAsync();
        return new ToolRun(exitCode, string.Join('\n', program.Output), string.Join('\n', program.Errors));
    }
}
