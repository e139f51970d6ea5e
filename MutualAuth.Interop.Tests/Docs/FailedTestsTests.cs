using MutualAuth.Tests.Support;

namespace MutualAuth.Tests.Docs;

/// <summary>What CI prints of a check that failed, above its last line: those who look see only the end of what it printed.</summary>
[CancelAfter(60000)]
public sealed class FailedTestsTests
{
    private const string Log = """
        Test run for /source/Some.Tests.dll (.NETCoreApp,Version=v10.0)
          Passed A_test_that_is_named_Failed [2 ms]
          Failed The_lists_are_fetched("a [b]",False) [1 s]
          Error Message:
           Expected health to be HealthStatus.Healthy {value: 2}, but found HealthStatus.Unhealthy {value: 0}.

          Stack Trace:
             at FluentAssertions.Execution.LateBoundTestFramework.Throw(String message)
           at Some.ReloadTests.The_lists_are_fetched(String name, Boolean withFile) in /source/Some.Tests/ReloadTests.cs:line 211
           at Some.ReloadTests.The_lists_are_fetched(String name, Boolean withFile) in /source/Some.Tests/ReloadTests.cs:line 223

          Standard Output Messages:
         not of the message

          Failed Another [3 ms]
          Error Message:
           one
          two
          three
          four
        Failed!  - Failed:     2, Passed:     1, Skipped:     0, Total:     3, Duration: 1 s - Some.Tests.dll (net10.0)
        """;

    private string _log = null!;

    [SetUp]
    public void SetUp() => _log = Path.GetTempFileName();

    [TearDown]
    public void TearDown() => File.Delete(_log);

    [Test]
    public async Task Each_failed_test_is_named_with_its_place_and_the_first_lines_of_its_message()
    {
        var told = await ToldAsync(Log + "\n" + Log, 12); // failed twice alike, told once

        told.Should().Equal(
            "The_lists_are_fetched(\"a [b]\",False) (ReloadTests.cs:211)",
            "  Expected health to be HealthStatus.Healthy {value: 2}, but found HealthStatus.Unhealthy {value: 0}.",
            "Another",
            "  one",
            "  two",
            "  three");
    }

    [TestCase(6, "The_lists_are_fetched(\"a [b]\",False) (ReloadTests.cs:211)|  Expected")]
    [TestCase(2, "The_lists_are_fetched(\"a [b]\",False) (ReloadTests.cs:211)|Another")]
    [TestCase(1, "and 2 more")]
    public async Task Where_there_is_no_room_the_names_come_before_the_messages(int lines, string first)
    {
        var told = await ToldAsync(Log, lines);

        told.Should().HaveCountLessThanOrEqualTo(lines);
        string.Join('|', told).Should().StartWith(first);
    }

    [TestCase("begins\nA.cs(1,2): error CS1: no\nA.cs(1,2): error CS1: no\nends", "A.cs(1,2): error CS1: no")]
    [TestCase("1\n2\n\n3\n4\n", "2|3|4")]
    [TestCase("", "")]
    public async Task Without_a_failed_test_it_is_the_errors_or_the_last_lines(string log, string told) =>
        string.Join('|', await ToldAsync(log, 3)).Should().Be(told);

    private async Task<string[]> ToldAsync(string log, int lines)
    {
        await File.WriteAllTextAsync(_log, log);
        var ended = await EndedProgram.OfAsync(RunningProgram.Start(
            Tool.Find("python3"), ["-B", Path.Combine(Repository.Root, ".ci", "failed-tests"), "--lines", $"{lines}", _log]));
        ended.ExitCode.Should().Be(0, ended.All);
        return ended.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries);
    }
}
