using MutualAuth.Conformance.Limbo;

namespace MutualAuth.Tests.Paths;

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

    [TestCase(255)]
    [TestCase(33)]
    [TestCase(-1)]
    public void A_depth_that_the_profile_has_not_is_the_nearest_that_it_has(int depth)
    {
        var limboCase = s_file.Value.Testcases.First(
            each => each is { ShouldSucceed: true, Namespace: "rfc5280" } && each.UntrustedIntermediates.Count == 0);

        LimboRunner.Run(limboCase with { MaxChainDepth = depth }).Accepted.Should().BeTrue();
    }

    [Test]
    public void A_case_that_cannot_be_run_fails_alone()
    {
        var limboCase = s_file.Value.Testcases[0];

        foreach (var broken in new[]
        {
            limboCase with { PeerCertificate = "no certificate" },
            limboCase with { KeyUsage = ["nothing of the kind"] },
            limboCase with { Crls = ["no list"] },
            limboCase with { ValidationKind = "CLIENT", ExpectedPeerNames = [new LimboName("NOTHING", "")] },
        })
        {
            var result = LimboRunner.Run(broken with { ExpectedResult = "FAILURE" });
            result.IsRight.Should().BeFalse("what could not be run shows nothing");
            result.Reason.Should().StartWith("runner_");
        }
    }
}
