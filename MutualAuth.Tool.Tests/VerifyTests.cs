using MutualAuth.Tests.Support;

namespace MutualAuth.Tests;

/// <summary>verify FILE: the verdicts of the library, and the flags that ask for them.</summary>
public sealed class VerifyTests
{
    private Bench _bench = null!;

    [SetUp]
    public void SetUp() => _bench = new Bench();

    [TearDown]
    public void TearDown() => _bench.Dispose();

    [Test]
    public async Task A_server_with_the_name_is_accepted_and_one_with_another_name_is_rejected()
    {
        (await Verify("server", "--name", "server.test")).ExitCode.Should().Be(0);
        Rejected(await Verify("server", "--name", "other.test"), "server_name_mismatch");
    }

    [Test]
    public async Task A_client_is_judged_by_the_rules_that_are_given()
    {
        (await Verify("client", "--allow-dns", "client.test")).ExitCode.Should().Be(0);
        (await Verify("client", "--allow-dns", "other.test", "--allow-dns", "client.test")).ExitCode.Should().Be(0);
        (await Verify("client")).ExitCode.Should().Be(0);
        (await Verify("client", "--allow-file", _bench.Write("rules", "dns client.test\n"))).ExitCode.Should().Be(0);
        Rejected(await Verify("client", "--allow-dns", "other.test"), "not_authorized");
        Rejected(await Verify("client", "--allow-spiffe", "spiffe://example.test/a"), "not_an_svid");
    }

    [Test]
    public async Task A_certificate_for_the_other_role_is_rejected() =>
        Rejected(await ToolRun.Of("verify", _bench.Client.Certificate, "--trust", _bench.Trust, "--role", "server", "--json"), "wrong_usage");

    [Test]
    public async Task The_time_is_the_one_that_is_given()
    {
        var later = $"{DateTimeOffset.UtcNow.AddYears(30):O}";

        Rejected(await Verify("client", "--at", later), "certificate_expired");
        (await Verify("client", "--at", $"{DateTimeOffset.UtcNow:O}")).ExitCode.Should().Be(0);
    }

    [Test]
    public async Task A_revoked_certificate_is_rejected_where_the_list_says_so()
    {
        (await Verify("client", "--crl", _bench.WriteList("before"))).ExitCode.Should().Be(0);
        _bench.Authority.Revoke(_bench.Client.Issued);

        Rejected(await Verify("client", "--crl", _bench.WriteList("after")), "certificate_revoked");
        (await Verify("client")).ExitCode.Should().Be(0);
    }

    [Test]
    public async Task The_profile_is_the_one_that_is_given() => Rejected(await Verify("client", "--profile", "cnsa-1.0"), "algorithm_not_permitted");

    [Test]
    public async Task A_pin_must_stand_on_the_path()
    {
        var (ours, other) = (await PinOf(_bench.Client.Certificate), await PinOf(_bench.Server.Certificate));

        (await Verify("client", "--pin", ours)).ExitCode.Should().Be(0);
        Rejected(await Verify("client", "--pin", other), "pin_mismatch");
    }

    [TestCase("usage", "verify", "FILE", "--role", "client")]
    [TestCase("usage", "verify", "FILE", "--trust", "TRUST")]
    [TestCase("usage", "verify", "missing.pem", "--trust", "TRUST", "--role", "client")]
    [TestCase("usage", "verify", "FILE", "--trust", "TRUST", "--role", "client", "--at", "noon")]
    [TestCase("usage", "verify", "FILE", "--trust", "TRUST", "--role", "client", "--key-usage", "Signing")]
    [TestCase("usage", "verify", "FILE", "--trust", "TRUST", "--role", "client", "--pin", "sha256/x")]
    [TestCase("usage", "verify", "FILE", "--trust", "TRUST", "--role", "server", "--name", "not a name")]
    [TestCase("usage", "verify", "FILE", "--trust", "TRUST", "--role", "client", "--unknown")]
    [TestCase("material", "verify", "FILE", "--trust", "missing.pem", "--role", "client")]
    [TestCase("material", "verify", "FILE", "--trust", "TRUST", "--role", "client", "--crl", "TRUST")]
    public async Task What_cannot_be_followed_is_told_as_that(string code, params string[] arguments)
    {
        var run = await ToolRun.Of([.. arguments.Select(text => text.Replace("FILE", _bench.Client.Certificate).Replace("TRUST", _bench.Trust))]);

        (run.ExitCode, run.ErrorCode, run.Output).Should().Be((2, code, string.Empty), run.ToString());
    }

    private static async Task<string> PinOf(string file) => (await ToolRun.Of("pin", file, "--json")).Json[0].GetProperty("pin").GetString()!;

    private Task<ToolRun> Verify(string role, params string[] arguments) =>
        ToolRun.Of(["verify", _bench[$"{role}.pem"], "--trust", _bench.Trust, "--role", role, "--json", .. arguments]);

    private static void Rejected(ToolRun run, string reason)
    {
        (run.ExitCode, run.ErrorCode).Should().Be((10, reason), run.ToString());
        run.Json[0].GetProperty("reason").GetString().Should().Be(reason);
        run.LastError.Should().StartWith($"{reason}: ");
    }
}
