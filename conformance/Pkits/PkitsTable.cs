namespace MutualAuth.Conformance.Pkits;

/// <summary>One test of NIST's Public Key Interoperability Test Suite.</summary>
/// <param name="Section">The section of the PKITS document that has it, such as 4.4.</param>
/// <param name="Target">The file of the certificate at the end of its path, without its ending.</param>
/// <param name="IsValid">What the document expects.</param>
/// <param name="Inputs">The inputs of path validation that the document gives.</param>
/// <param name="Deviation">Why we answer otherwise on purpose; null where we do not.</param>
public sealed record PkitsTest(string Section, string Target, bool IsValid, PkitsInputs Inputs, string? Deviation);

/// <summary>Inputs of path validation (RFC 5280 §6.1.1); the defaults of the document are anyPolicy and three times false.</summary>
/// <param name="Policies">user-initial-policy-set: numbers of NIST-test-policy-N; none is anyPolicy.</param>
/// <param name="IsExplicit">initial-explicit-policy.</param>
/// <param name="InhibitsMapping">initial-policy-mapping-inhibit.</param>
/// <param name="InhibitsAnyPolicy">initial-inhibit-any-policy.</param>
public sealed record PkitsInputs(
    IReadOnlyList<int> Policies, bool IsExplicit = false, bool InhibitsMapping = false, bool InhibitsAnyPolicy = false)
{
    /// <summary>The inputs, in short.</summary>
    public override string ToString() => string.Join(
        ' ',
        new[]
        {
            Policies.Count == 0 ? "any" : string.Join(',', Policies),
            IsExplicit ? "explicit" : null,
            InhibitsMapping ? "mapping-inhibit" : null,
            InhibitsAnyPolicy ? "inhibit-any" : null,
        }.OfType<string>());
}

/// <summary>
/// What the PKITS document (version 1.0.1, 14 April 2011) expects of each test. Most say it in the names of their files; those that depend on the
/// inputs of a verifier, and those in which we deviate, stand here by hand. Every part of sections 4.8 to 4.12 runs with
/// the inputs that the document gives it.
/// </summary>
public static class PkitsTable
{
    private const string Dsa = "DSA is not supported: no TLS peer uses it.";
    private const string Indirect = "Indirect lists are not supported: each authority's own list is needed.";

    private static readonly PkitsInputs s_default = new([]);

    private static readonly PkitsInputs s_explicit = new([], IsExplicit: true);

    // Section 4.8 and others: whose names do not say what is expected, or of whom more is asked than of the rest.
    private static readonly (string Section, string Target, bool IsValid, PkitsInputs Inputs)[] s_byInput =
    [
        ("4.1.1", "ValidCertificatePathTest1EE", true, s_default),
        ("4.8.1", "ValidCertificatePathTest1EE", true, s_explicit),
        ("4.8.1", "ValidCertificatePathTest1EE", true, new([1], IsExplicit: true)),
        ("4.8.1", "ValidCertificatePathTest1EE", false, new([2], IsExplicit: true)),
        ("4.8.1", "ValidCertificatePathTest1EE", true, new([1, 2], IsExplicit: true)),
        ("4.8.2", "AllCertificatesNoPoliciesTest2EE", true, s_default),
        ("4.8.2", "AllCertificatesNoPoliciesTest2EE", false, s_explicit),
        ("4.8.3", "DifferentPoliciesTest3EE", true, s_default),
        ("4.8.3", "DifferentPoliciesTest3EE", false, s_explicit),
        ("4.8.3", "DifferentPoliciesTest3EE", false, new([1, 2], IsExplicit: true)),
        ("4.8.4", "DifferentPoliciesTest4EE", false, s_default),
        ("4.8.5", "DifferentPoliciesTest5EE", false, s_default),
        ("4.8.6", "OverlappingPoliciesTest6EE", true, s_default),
        ("4.8.6", "OverlappingPoliciesTest6EE", true, new([1])),
        ("4.8.6", "OverlappingPoliciesTest6EE", false, new([2])),
        ("4.8.7", "DifferentPoliciesTest7EE", false, s_default),
        ("4.8.8", "DifferentPoliciesTest8EE", false, s_default),
        ("4.8.9", "DifferentPoliciesTest9EE", false, s_default),
        ("4.8.10", "AllCertificatesSamePoliciesTest10EE", true, s_default),
        ("4.8.10", "AllCertificatesSamePoliciesTest10EE", true, new([1])),
        ("4.8.10", "AllCertificatesSamePoliciesTest10EE", true, new([2])),
        ("4.8.11", "AllCertificatesanyPolicyTest11EE", true, s_default),
        ("4.8.11", "AllCertificatesanyPolicyTest11EE", true, new([1])),
        ("4.8.12", "DifferentPoliciesTest12EE", false, s_default),
        ("4.8.13", "AllCertificatesSamePoliciesTest13EE", true, new([1])),
        ("4.8.13", "AllCertificatesSamePoliciesTest13EE", true, new([2])),
        ("4.8.13", "AllCertificatesSamePoliciesTest13EE", true, new([3])),
        ("4.8.14", "AnyPolicyTest14EE", true, new([1])),
        ("4.8.14", "AnyPolicyTest14EE", false, new([2])),
        ("4.8.15", "UserNoticeQualifierTest15EE", true, s_default),
        ("4.8.16", "UserNoticeQualifierTest16EE", true, s_default),
        ("4.8.17", "UserNoticeQualifierTest17EE", true, s_default),
        ("4.8.18", "UserNoticeQualifierTest18EE", true, new([1])),
        ("4.8.18", "UserNoticeQualifierTest18EE", true, new([2])),
        ("4.8.19", "UserNoticeQualifierTest19EE", true, s_default),
        ("4.8.20", "CPSPointerQualifierTest20EE", true, new([1], IsExplicit: true)),
        ("4.10.1", "ValidPolicyMappingTest1EE", true, new([1])),
        ("4.10.1", "ValidPolicyMappingTest1EE", false, new([2])),
        ("4.10.1", "ValidPolicyMappingTest1EE", false, new([], InhibitsMapping: true)),
        ("4.10.2", "InvalidPolicyMappingTest2EE", false, s_default),
        ("4.10.2", "InvalidPolicyMappingTest2EE", false, new([], InhibitsMapping: true)),
        ("4.10.3", "ValidPolicyMappingTest3EE", false, new([1])),
        ("4.10.3", "ValidPolicyMappingTest3EE", true, new([2])),
        ("4.10.5", "ValidPolicyMappingTest5EE", true, new([1])),
        ("4.10.5", "ValidPolicyMappingTest5EE", false, new([6])),
        ("4.10.6", "ValidPolicyMappingTest6EE", true, new([1])),
        ("4.10.6", "ValidPolicyMappingTest6EE", false, new([6])),
        ("4.10.12", "ValidPolicyMappingTest12EE", true, new([1])),
        ("4.10.12", "ValidPolicyMappingTest12EE", true, new([2])),
        ("4.12.3", "inhibitAnyPolicyTest3EE", true, s_default),
        ("4.12.3", "inhibitAnyPolicyTest3EE", false, new([], InhibitsAnyPolicy: true)),
    ];

    private static readonly Dictionary<string, string> s_deviations = new(StringComparer.Ordinal)
    {
        ["ValidDSASignaturesTest4EE"] = Dsa,
        ["ValidDSAParameterInheritanceTest5EE"] = Dsa,
        ["ValidIDPwithindirectCRLTest22EE"] = Indirect,
        ["ValidIDPwithindirectCRLTest24EE"] = Indirect,
        ["ValidIDPwithindirectCRLTest25EE"] = Indirect,
        ["ValidcRLIssuerTest28EE"] = Indirect,
        ["ValidcRLIssuerTest29EE"] = Indirect,
        ["ValidcRLIssuerTest30EE"] = Indirect,
        ["ValidcRLIssuerTest33EE"] = Indirect,
    };

    /// <summary>Every test of a directory of the suite: those by hand, and for each other target what its name says.</summary>
    public static IEnumerable<PkitsTest> Of(string directory)
    {
        var byHand = s_byInput.Select(
            test => new PkitsTest(test.Section, test.Target, test.IsValid, test.Inputs, s_deviations.GetValueOrDefault(test.Target)));
        var byName = Directory.EnumerateFiles(Path.Combine(directory, "certs"), "*EE.crt").Select(Path.GetFileNameWithoutExtension).OfType<string>()
            .Where(name => name.StartsWith("Valid", StringComparison.Ordinal) || name.StartsWith("Invalid", StringComparison.Ordinal))
            .Select(name => new PkitsTest("by name", name, name.StartsWith('V'), s_default, s_deviations.GetValueOrDefault(name)))
            .Where(test => !s_byInput.Any(known => known.Target == test.Target));
        return byHand.Concat(byName.OrderBy(test => test.Target, StringComparer.Ordinal));
    }
}
