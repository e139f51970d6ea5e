using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using MutualAuth.Tests.Support;

namespace MutualAuth.Tests;

/// <summary>pin, lists and config: what they read, and what they print of it.</summary>
public sealed class FilesTests
{
    private Bench _bench = null!;

    [SetUp]
    public void SetUp() => _bench = new Bench();

    [TearDown]
    public void TearDown() => _bench.Dispose();

    [Test]
    public async Task A_pin_is_that_of_the_key()
    {
        var run = await ToolRun.Of("pin", _bench.Server.Certificate);

        var digest = Convert.ToBase64String(SHA256.HashData(_bench.Server.Issued.Certificate.PublicKey.ExportSubjectPublicKeyInfo()));
        run.Lines[0].Should().StartWith($"sha256/{digest} ");
    }

    [Test]
    public async Task A_file_in_DER_is_read_as_well()
    {
        File.WriteAllBytes(_bench["server.der"], _bench.Server.Issued.RawCertificate.ToArray());

        (await ToolRun.Of("pin", _bench["server.der"])).Output.Should().Be((await ToolRun.Of("pin", _bench.Server.Certificate)).Lines[0] + "\n");
    }

    [TestCase("no-such-file")]
    [TestCase("server.key")]
    public async Task What_holds_no_certificate_has_no_pin(string file)
    {
        var run = await ToolRun.Of("pin", _bench[file]);

        (run.ExitCode, run.ErrorCode).Should().Be((2, "usage"), run.ToString());
    }

    [TestCase(true)]
    [TestCase(false)]
    public async Task A_revocation_list_is_told_with_its_entries(bool isPem)
    {
        _bench.Authority.Revoke(_bench.Client.Issued, X509RevocationReason.KeyCompromise);
        var list = _bench.Authority.IssueCrl();
        File.WriteAllBytes(_bench["list"], isPem ? System.Text.Encoding.ASCII.GetBytes(list.Pem) : list.Raw.ToArray());

        var run = await ToolRun.Of("lists", _bench["list"], "--json");

        run.ExitCode.Should().Be(0, run.ToString());
        run.Json[0].GetProperty("issuer").GetString().Should().Be("CN=Tool Authority");
        run.Json[0].GetProperty("state").GetString().Should().Be("current");
        run.Json[0].GetProperty("revoked").GetInt32().Should().Be(1);
        run.Json[1].GetProperty("serial").GetString().Should().Be(_bench.Client.Issued.Certificate.SerialNumber);
        run.Json[1].GetProperty("reason").GetString().Should().Be("key_compromise");
    }

    [Test]
    public async Task A_list_that_is_out_of_date_is_told_as_that()
    {
        var list = _bench.Authority.IssueCrl(
            spec => spec with { ThisUpdate = DateTimeOffset.UtcNow.AddDays(-9), NextUpdate = DateTimeOffset.UtcNow.AddDays(-2) });

        (await ToolRun.Of("lists", _bench.Write("list", list.Pem), "--json")).Json[0].GetProperty("state").GetString().Should().Be("out of date");
    }

    [Test]
    public async Task A_deny_list_is_told_with_its_entries()
    {
        var run = await ToolRun.Of("lists", _bench.Write("denied", "# lost\nserial 0A0B\n"), "--json");

        run.Json[0].GetProperty("kind").GetString().Should().Be("deny_list", run.ToString());
        run.Json[1].GetProperty("entry").GetString().Should().ContainEquivalentOf("0a0b");
    }

    [Test]
    public async Task A_file_that_is_neither_is_a_failure()
    {
        var run = await ToolRun.Of("lists", _bench.Write("other", "hello\n"));

        (run.ExitCode, run.ErrorCode).Should().Be((2, "material"), run.ToString());
    }

    [Test]
    public async Task The_configuration_is_that_of_the_page()
    {
        var file = await File.ReadAllTextAsync(Path.Combine(Repository.Root, "docs", "security", "openssl-strict.cnf"));

        (await ToolRun.Of("config", "openssl")).Output.Should().Be(file);
        (await ToolRun.Of("config", "openssl", "--json")).Json[0].GetProperty("configuration").GetString().Should().Be(file);
    }
}
