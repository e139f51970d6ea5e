using MutualAuth.Conformance.Differential;

namespace MutualAuth.Tests.Trust;

/// <summary>A bounded run of what <c>conformance differential</c> does for thousands: every disagreement with another implementation must be understood.</summary>
public sealed class DifferentialTests
{
    [Test]
    [Platform("Linux", Reason = "The classes are those of X509Chain on Linux")]
    [CancelAfter(120_000)]
    public void Every_disagreement_with_the_platform_and_with_bouncy_castle_is_explained(CancellationToken cancellationToken)
    {
        var unexplained = new List<string>();
        var accepted = 0;
        foreach (var seed in Enumerable.Range(10_000, 150))
        {
            cancellationToken.ThrowIfCancellationRequested();
            var generated = CaseGenerator.Make(seed);
            var ours = Validators.Ours(generated);
            accepted += ours.IsAccepted ? 1 : 0;
            foreach (var (name, ask) in Validators.Others.Where(other => other.Name != "openssl"))
            {
                if (ask(generated) is { } theirs && theirs.IsAccepted != ours.IsAccepted && Disagreements.Classify(generated, ours, name, ask, theirs) is { Explanation: null } found)
                {
                    unexplained.Add($"seed {seed}: {found.Class}: {generated.Story}");
                }
            }
        }

        unexplained.Should().BeEmpty();
        accepted.Should().BeInRange(30, 120, "a run that sees one verdict only compares nothing");
    }
}
