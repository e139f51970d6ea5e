using MutualAuth.Conformance.Limbo;

namespace MutualAuth.Tests.Trust;

/// <summary>Each case of the x509-limbo file that this repository carries, run exactly as the conformance program runs it.</summary>
public sealed class LimboTests
{
    private static readonly Lazy<LimboFile> s_file = new(() => LimboFile.Read(Path.Combine(AppContext.BaseDirectory, "data", "limbo.json.gz")));

    private static IEnumerable<TestCaseData> Cases => s_file.Value.Testcases
        .Select(limboCase => new TestCaseData(limboCase).SetArgDisplayNames(limboCase.Id));

    [TestCaseSource(nameof(Cases))]
    public void The_verdict_is_the_suites(LimboCase limboCase)
    {
        var result = LimboRunner.Run(limboCase);

        result.Accepted.Should().Be(limboCase.ShouldSucceed, result.Detail);
    }

    [Test]
    public void Neither_verdict_nor_reason_depends_on_the_order_of_what_was_sent()
    {
        var several = s_file.Value.Testcases.Where(limboCase => limboCase.UntrustedIntermediates.Count > 1).ToList();

        several.Should().NotBeEmpty();
        foreach (var limboCase in several)
        {
            var reversed = limboCase with { UntrustedIntermediates = [.. limboCase.UntrustedIntermediates.Reverse()] };
            LimboRunner.Run(reversed).Detail.Should().Be(LimboRunner.Run(limboCase).Detail, limboCase.Id);
        }
    }
}
