using System.Runtime.Versioning;
using MutualAuth.Tests.Support;

namespace MutualAuth.Tests;

/// <summary>ca: an authority for development, which says so, and whose certificates pass.</summary>
public sealed class AuthorityTests
{
    private string _directory = null!;

    private string Trust => Path.Combine(_directory, "authority.pem");

    [SetUp]
    public async Task SetUp()
    {
        _directory = Directory.CreateTempSubdirectory("mutualauth-ca-").FullName;
        (await ToolRun.Of("ca", "init", _directory, "--name", "Test")).ExitCode.Should().Be(0);
    }

    [TearDown]
    public void TearDown() => Directory.Delete(_directory, recursive: true);

    [Test]
    public async Task It_says_what_it_is()
    {
        (await ToolRun.Of("pin", Trust)).Output.Should().Contain("CN=Test (development only)");
        (await File.ReadAllTextAsync(Path.Combine(_directory, "README"))).Should().Contain("Do not trust it in production");
    }

    [Test]
    public async Task What_it_issues_passes_in_its_role_and_in_no_other()
    {
        (await Issue("--role", "server", "--name", "server.test", "--name", "127.0.0.1")).ExitCode.Should().Be(0);
        (await Issue("--role", "client", "--spiffe", "spiffe://example.test/billing", "--out", "billing")).ExitCode.Should().Be(0);

        (await Verify("server", "server", "--name", "server.test")).ExitCode.Should().Be(0);
        (await Verify("server", "server", "--name", "127.0.0.1")).ExitCode.Should().Be(0);
        (await Verify("server", "server", "--name", "127.0.0.2")).ErrorCode.Should().Be("server_name_mismatch");
        (await Verify("server", "client")).ErrorCode.Should().Be("wrong_usage");
        (await Verify("billing", "client", "--allow-spiffe", "spiffe://example.test/billing", "--profile", "rfc5280")).ExitCode.Should().Be(0);
        (await Verify("billing", "client", "--allow-spiffe", "spiffe://example.test/other")).ErrorCode.Should().Be("not_authorized");
    }

    [Test]
    public async Task What_it_revokes_is_rejected_from_then_on()
    {
        (await Issue("--role", "client", "--name", "client.test")).ExitCode.Should().Be(0);
        (await Issue("--role", "client", "--name", "other.test", "--out", "other")).ExitCode.Should().Be(0);
        (await ToolRun.Of("ca", "crl", _directory)).ExitCode.Should().Be(0);
        var list = Path.Combine(_directory, "authority.crl");
        (await Verify("client", "client", "--crl", list)).ExitCode.Should().Be(0);
        var before = await NumberOf(list);

        (await ToolRun.Of("ca", "revoke", _directory, "client", "--reason", "key_compromise")).ExitCode.Should().Be(0);

        (await Verify("client", "client", "--crl", list)).ErrorCode.Should().Be("certificate_revoked");
        (await Verify("other", "client", "--crl", list)).ExitCode.Should().Be(0);
        string.CompareOrdinal(await NumberOf(list), before).Should().BePositive();
        (await ToolRun.Of("ca", "revoke", _directory, "client")).ExitCode.Should().Be(2);
    }

    [Test]
    [UnsupportedOSPlatform("windows")]
    public async Task Keys_are_their_owner_s_alone()
    {
        await Issue("--role", "server", "--name", "server.test");

        foreach (var key in new[] { "authority.key", "server.key" })
        {
            File.GetUnixFileMode(Path.Combine(_directory, key)).Should().Be(UnixFileMode.UserRead | UnixFileMode.UserWrite);
        }

        Directory.GetFiles(_directory, "*.part").Should().BeEmpty();
    }

    [TestCase("--role", "server")]
    [TestCase("--role", "server", "--name", "not a name")]
    [TestCase("--role", "client", "--spiffe", "https://example.test")]
    [TestCase("--role", "server", "--name", "server.test", "--out", "../server")]
    [TestCase("--role", "server", "--name", "server.test", "--out", "authority")]
    [TestCase("--role", "server", "--name", "server.test", "--days", "0")]
    public async Task What_makes_no_sense_is_not_issued(params string[] arguments)
    {
        var run = await Issue(arguments);

        (run.ExitCode, run.ErrorCode).Should().Be((2, "usage"), run.ToString());
        Directory.GetFiles(_directory, "*.key").Should().ContainSingle();
    }

    [Test]
    public async Task Nothing_is_overwritten()
    {
        (await Issue("--role", "server", "--name", "server.test")).ExitCode.Should().Be(0);
        var key = await File.ReadAllTextAsync(Path.Combine(_directory, "server.key"));

        (await Issue("--role", "server", "--name", "server.test")).ExitCode.Should().Be(2);
        (await ToolRun.Of("ca", "init", _directory)).ExitCode.Should().Be(2);
        (await File.ReadAllTextAsync(Path.Combine(_directory, "server.key"))).Should().Be(key);
    }

    [Test]
    public async Task Where_there_is_none_it_says_how_to_make_one()
    {
        var run = await ToolRun.Of("ca", "crl", Path.Combine(_directory, "nowhere"));

        run.ExitCode.Should().Be(2);
        run.LastError.Should().Contain("mutualauth ca init");
    }

    private Task<ToolRun> Issue(params string[] arguments) => ToolRun.Of(["ca", "issue", _directory, .. arguments]);

    private Task<ToolRun> Verify(string file, string role, params string[] arguments) =>
        ToolRun.Of(["verify", Path.Combine(_directory, $"{file}.pem"), "--trust", Trust, "--role", role, .. arguments]);

    private static async Task<string?> NumberOf(string list) => (await ToolRun.Of("lists", list, "--json")).Json[0].GetProperty("number").GetString();
}
