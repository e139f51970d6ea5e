using System.Security.Cryptography;
using MutualAuth.Audit;
using MutualAuth.Tests.Support;

namespace MutualAuth.Tests;

/// <summary>audit: an auditor begins a trail, and says which line of it was touched.</summary>
public sealed class AuditTests
{
    private Bench _bench = null!;

    private string Trail => _bench["audit.log"];

    private string Key => _bench["audit.key"];

    [SetUp]
    public async Task SetUp()
    {
        _bench = new Bench();
        File.WriteAllText(Key, Convert.ToHexString(RandomNumberGenerator.GetBytes(AuditTrail.KeyLength)) + "\n");
        AuditTrail.Begin(Trail, AuditTrail.ReadKey(Key));
        await using var trail = AuditTrail.Open(Trail);
        foreach (var what in new[] { "one", "two", "three", "four", "five" })
        {
            await trail.RecordAsync(new AuditEvent(what, "text"));
        }
    }

    [TearDown]
    public void TearDown() => _bench.Dispose();

    [Test]
    public async Task A_trail_that_nobody_touched_is_intact()
    {
        var run = await VerifyAsync("--at-least", "5");

        (run.ExitCode, run.Output).Should().Be((0, $"intact {Trail}: 5 entries are intact\n"), run.ToString());
    }

    [Test]
    public async Task A_key_may_be_octets_too()
    {
        var digits = File.ReadAllText(Key).TrimEnd();
        File.WriteAllBytes(Key, Convert.FromHexString(digits));

        (await VerifyAsync()).ExitCode.Should().Be(0);
    }

    [TestCase("changed", "changed", 3)]
    [TestCase("removed", "out_of_order", 2)]
    [TestCase("cut", "cut_short", 5)]
    [TestCase("torn", "cut_short", 5)]
    [TestCase("begun", "torn", 6)]
    public async Task The_line_that_was_touched_is_named(string what, string problem, int line)
    {
        var lines = File.ReadAllLines(Trail);
        if (what is "torn" or "begun")
        {
            var text = File.ReadAllText(Trail);
            File.WriteAllText(Trail, what == "torn" ? text[..^5] : text + text[..40]);
        }
        else
        {
            File.WriteAllLines(Trail, what switch
            {
                "changed" => lines.Select(each => each.Replace("three", "thief", StringComparison.Ordinal)),
                "removed" => lines.Where((_, number) => number != 1),
                _ => lines.SkipLast(1),
            });
        }

        var run = await VerifyAsync("--json");

        (run.ExitCode, run.ErrorCode).Should().Be((10, $"audit_{problem}"), run.ToString());
        run.Json[0].GetProperty("verdict").GetString().Should().Be("not_intact");
        run.Json[0].GetProperty("problem").GetString().Should().Be(problem);
        run.Json[0].GetProperty("line").GetInt64().Should().Be(line);
        (await VerifyAsync()).Lines[0].Should().StartWith($"not intact {Trail}, line {line}: ");
    }

    [Test]
    public async Task Fewer_entries_than_an_earlier_verification_has_found_are_too_few()
    {
        var run = await VerifyAsync("--at-least", "6");

        (run.ExitCode, run.ErrorCode).Should().Be((10, "audit_cut_short"), run.ToString());
    }

    [Test]
    public async Task A_state_that_is_missing_is_no_matter_of_a_line()
    {
        File.Delete(Trail + ".state");

        var run = await VerifyAsync("--json");

        (run.ExitCode, run.ErrorCode).Should().Be((10, "audit_end_not_proven"), run.ToString());
        run.Json[0].GetProperty("line").ValueKind.Should().Be(System.Text.Json.JsonValueKind.Null);
    }

    [Test]
    public async Task The_key_of_another_trail_makes_its_first_line_wrong()
    {
        File.WriteAllBytes(Key, RandomNumberGenerator.GetBytes(AuditTrail.KeyLength));

        var run = await VerifyAsync("--json");

        run.ErrorCode.Should().Be("audit_changed");
        run.Json[0].GetProperty("line").GetInt64().Should().Be(1);
    }

    [TestCase("short")]
    [TestCase("")]
    [TestCase("no digits")]
    [TestCase("too long")]
    public async Task What_is_no_key_is_said_to_be_none(string what)
    {
        File.WriteAllText(Key, what switch
        {
            "no digits" => new string('x', 2 * AuditTrail.KeyLength),
            "too long" => new string('0', (2 * AuditTrail.KeyLength) + 2),
            _ => what,
        });

        var run = await VerifyAsync();

        (run.ExitCode, run.ErrorCode).Should().Be((2, "material"), run.ToString());
        run.Errors.Should().NotContain(new string('0', 20), "a key is not printed");
    }

    [TestCase("trail")]
    [TestCase("key")]
    public async Task A_file_that_is_missing_is_a_matter_of_usage(string what)
    {
        File.Delete(what == "key" ? Key : Trail);

        (await VerifyAsync()).ExitCode.Should().Be(2);
    }

    [Test]
    public async Task A_trail_is_begun_with_a_key_that_is_drawn_and_only_once()
    {
        var (trail, key) = (_bench["new.log"], _bench["new.key"]);

        var begun = await ToolRun.Of("audit", "begin", trail, "--key", key);
        var again = await ToolRun.Of("audit", "begin", trail, "--key", key);

        begun.ExitCode.Should().Be(0, begun.ToString());
        (again.ExitCode, again.ErrorCode).Should().Be((2, "material"), again.ToString());
        begun.Output.Should().NotContain(File.ReadAllText(key).TrimEnd());
        if (!OperatingSystem.IsWindows())
        {
            File.GetUnixFileMode(key).Should().Be(UnixFileMode.UserRead | UnixFileMode.UserWrite);
        }

        await using (var writer = AuditTrail.Open(trail))
        {
            await writer.RecordAsync(new AuditEvent("one", "text"));
        }

        (await ToolRun.Of("audit", "verify", trail, "--key", key)).ExitCode.Should().Be(0);
    }

    private Task<ToolRun> VerifyAsync(params string[] more) => ToolRun.Of(["audit", "verify", Trail, "--key", Key, .. more]);
}
