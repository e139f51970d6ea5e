using MutualAuth.Tests.Support;
using MutualAuth.Tool;

namespace MutualAuth.Tests;

/// <summary>Codes and log lines of the library have an explanation, offline.</summary>
public sealed class ExplainTests
{
    [TestCaseSource(nameof(Reasons))]
    public void Every_rejection_has_a_meaning_a_cause_and_a_cure(RejectionReason reason)
    {
        var entry = Explanations.Of(reason);

        entry.Should().NotBeNull();
        entry!.Number.Should().Be((int)reason);
        new[] { entry.Meaning, entry.Cause, entry.Cure, entry.Told }.Should().NotContain(string.Empty).And.NotContain(text => text.Contains("]("));
    }

    [Test]
    public void Every_public_code_has_a_meaning()
    {
        foreach (var reason in Enum.GetValues<PublicReason>())
        {
            Explanations.Of(reason).Should().NotBeNull(reason.ToString());
        }

        Explanations.Find("unknown_ca").Should().ContainSingle().Which.Cause.Should().Contain("unknown_authority");
    }

    [Test]
    public void Every_code_is_one_of_the_library()
    {
        Explanations.Rejections.Select(entry => entry.Code).Should()
            .BeEquivalentTo(Enum.GetValues<RejectionReason>().Select(reason => reason.ToCode()));
        Explanations.Events.Should().HaveCountGreaterThan(50);
    }

    [TestCase("unknown_authority")]
    [TestCase("304")]
    [TestCase("UnknownAuthority")]
    public async Task A_code_may_be_written_in_three_ways(string code)
    {
        var run = await ToolRun.Of("explain", code, "--json");

        run.ExitCode.Should().Be(0, run.ToString());
        run.Json[0].GetProperty("code").GetString().Should().Be("unknown_authority");
        run.Json[0].GetProperty("cure").GetString().Should().Contain("Trust");
    }

    [Test]
    public async Task A_code_that_does_not_exist_is_a_failure()
    {
        var run = await ToolRun.Of("explain", "unknown_authorities");

        (run.ExitCode, run.ErrorCode, run.Output).Should().Be((2, "unknown_code", string.Empty));
    }

    [TestCase("warn: MutualAuth.Handshake[1001] Handshake as Server: rejected x at 192.0.2.1:5. wrong_usage (leaf certificate): expected y.",
        "event 1001", "wrong_usage")]
    [TestCase(
        """{"EventId":1002,"LogLevel":"Warning","Reason":"refused_by_peer","PeerReason":"unknown_ca"}""",
        "event 1002", "refused_by_peer", "unknown_ca")]
    [TestCase("rejected reason=overloaded name=-", "overloaded")]
    public async Task A_log_line_is_searched_for_codes(string line, params string[] codes)
    {
        var run = await ToolRun.WithInput($"something else\n{line}\n{line}\n", "explain", "-", "--json");

        run.ExitCode.Should().Be(0, run.ToString());
        run.Json.Select(entry => entry.GetProperty("code").GetString()).Should().Equal(codes);
    }

    [TestCase("the server is unreachable and overloaded, and was refused")]
    [TestCase("")]
    public async Task Plain_words_are_no_codes(string line)
    {
        var run = await ToolRun.WithInput(line, "explain", "-");

        (run.ExitCode, run.ErrorCode).Should().Be((2, "unknown_code"), run.ToString());
    }

    private static RejectionReason[] Reasons() => Enum.GetValues<RejectionReason>();
}
