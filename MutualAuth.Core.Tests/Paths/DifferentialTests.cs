using MutualAuth.Conformance.Differential;

namespace MutualAuth.Tests.Paths;

/// <summary>
/// A bounded run of what <c>conformance differential</c> does for thousands: every disagreement with another implementation must be understood.
/// </summary>
public sealed class DifferentialTests
{
    [Test]
    [Platform("Linux", Reason = "The classes are those of X509Chain on Linux")]
    public void Every_disagreement_with_another_implementation_is_explained()
    {
        var cases = Enumerable.Range(10_000, 100).Select(CaseGenerator.Make).ToList();
        var ours = cases.Select(Validators.Ours).ToList();
        var unexplained = new List<string>();
        foreach (var (name, ask) in Validators.Others.Where(other => other.Name != "Go"))
        {
            var theirs = ask(cases);
            var disagree = cases.Select((generated, i) => (generated, ours[i], theirs[i] ?? ours[i]))
                .Where(each => each.Item2.IsAccepted != each.Item3.IsAccepted).ToList();
            unexplained.AddRange(Disagreements.Classify(name, ask, disagree).Where(each => each.Found.Explanation is null)
                .Select(each => $"seed {each.Case.Seed}: {each.Found.Class}: {each.Case.Story}"));
        }

        unexplained.Should().BeEmpty();
        ours.Count(opinion => opinion.IsAccepted).Should().BeInRange(20, 80, "a run that sees one verdict only compares nothing");
    }
}
