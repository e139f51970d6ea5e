namespace MutualAuth.Conformance.Differential;

/// <summary>A disagreement between this library and another implementation.</summary>
/// <param name="Class">What it has in common with others of its kind.</param>
/// <param name="Explanation">Why it is no fault of ours; null when nobody has said so yet, which makes it a finding.</param>
public sealed record Disagreement(string Class, string? Explanation);

/// <summary>Sorts disagreements into the classes that are understood. docs/conformance.md has the same table.</summary>
public static class Disagreements
{
    private const string Missed =
        "Theirs: given nothing but the path that we found they accept it, or two of its authorities have one name and they take the wrong one.";

    /// <summary>Sorts all of one implementation's; it is asked again about less where it did not find a path that we found.</summary>
    public static IReadOnlyList<(GeneratedCase Case, Disagreement Found)> Classify(string name, AskAll ask,
        IReadOnlyList<(GeneratedCase Case, Opinion Ours, Opinion Theirs)> all)
    {
        ArgumentNullException.ThrowIfNull(ask);
        ArgumentNullException.ThrowIfNull(all);

        // The proof that it missed a path: given nothing but that path, it takes it.
        // Where the path itself has two authorities of one name, there is a wrong one to take even then.
        var weAccept = all.Where(each => each.Ours.IsAccepted).ToList();
        GeneratedCase[] reduced = [.. weAccept.Select(each => Validators.OnlyOurPath(each.Case))];
        var again = reduced.Length == 0 ? [] : ask(reduced);
        var missed = weAccept.Select((each, i) => (each.Case, Found: ExplainOurs(name, each.Theirs) is { } why
            ? new Disagreement($"{name}: we accept, they say {each.Theirs.Why}", why)
            : again[i] is { IsAccepted: true } || Validators.HasNamesakes(reduced[i])
            ? new Disagreement($"{name}: does not find the valid path beside another", Missed)
            : new Disagreement($"{name}: we accept, they say {each.Theirs.Why}", null)));
        return [.. missed, .. all.Where(each => !each.Ours.IsAccepted)
            .Select(each => (each.Case, new Disagreement($"{name}: we say {each.Ours.Why}, they accept", Explain(each.Case, each.Ours, name))))];
    }

    /// <summary>Why we accept what they do not.</summary>
    private static string? ExplainOurs(string name, Opinion theirs) => (name, theirs.Why) switch
    {
        ("Go", "too many intermediates for path length constraint") =>
            "Theirs: certificates that are self-issued count against a path length, which RFC 5280 §4.2.1.9 does not let them.",
        _ => null,
    };

    private static string? Explain(GeneratedCase generated, Opinion ours, string name)
    {
        var ofTheAnchor = ours.Detail?.Contains("trust anchor", StringComparison.Ordinal) == true
            || generated.Story.Contains("root ", StringComparison.Ordinal);
        return (name, ours.Why) switch
        {
            (_, "certificate_malformed") when generated.Story.Contains("ones behind its usages", StringComparison.Ordinal)
                || generated.Story.Contains("a boolean that is neither", StringComparison.Ordinal) =>
                "Deliberate: a value that two readers can read as two (X.690 §11.1, §11.2.1).",
            (_, "certificate_authority_as_leaf") => "Deliberate: an authority's certificate is no peer's.",
            (_, "weak_key") => "Deliberate: RSA below 2,048 bits.",
            ("BouncyCastle", "wrong_usage") => "Theirs: BouncyCastle does not look at purposes.",
            ("BouncyCastle", "certificate_malformed") when generated.Story.Contains("bit flipped", StringComparison.Ordinal) =>
                "Theirs: the octet that was changed is covered by no signature, such as the outermost tag, and BouncyCastle does not mind.",
            ("BouncyCastle", _) when ofTheAnchor =>
                "Deliberate: what the anchor's certificate says of itself binds (RFC 5937); BouncyCastle takes name and key alone.",
            (_, "wrong_usage") when generated.Story.Contains("leaf without purpose", StringComparison.Ordinal) =>
                "Deliberate: the default profile wants the purpose named.",
            (_, "issuer_not_authority") when generated.Story.Contains("root without basic constraints", StringComparison.Ordinal) =>
                "Deliberate: an anchor of version 3 without basic constraints is no authority (RFC 5280 §4.2.1.9).",
            (_, "name_constraint_violated") when generated.Story.Contains("excludes x.a.test", StringComparison.Ordinal)
                && generated.Story.Contains("leaf *.a.test", StringComparison.Ordinal) =>
                "Theirs: a wildcard that reaches into an excluded subtree (CVE-2025-61727).",
            _ => null,
        };
    }
}
