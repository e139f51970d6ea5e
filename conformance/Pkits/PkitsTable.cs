namespace MutualAuth.Conformance.Pkits;

/// <summary>One test of NIST's Public Key Interoperability Test Suite.</summary>
/// <param name="Section">The section of the PKITS document that has it, such as 4.4.</param>
/// <param name="Target">The file of the certificate at the end of its path, without its ending.</param>
/// <param name="IsValid">What the document expects.</param>
/// <param name="Policies">The test policies (NIST-test-policy-N) of which one must hold; 0 is anyPolicy, which makes one needed and leaves open
/// which; none for any or none.</param>
/// <param name="Deviation">Why we answer otherwise on purpose; null where we do not.</param>
public sealed record PkitsTest(string Section, string Target, bool IsValid, IReadOnlyList<int> Policies, string? Deviation);

/// <summary>
/// What the PKITS document (version 1.0.1, 14 April 2011) expects of each test. Most say it in the names of their files; those that depend on the
/// inputs of a verifier, and those in which we deviate, stand here by hand. Sections 4.8 to 4.12 were compared with the document's expectations.
/// Three of its parts need inputs that this library does not have, and are left out: 4.10.1 (3) and 4.10.2 (2) with initial-policy-mapping-inhibit,
/// 4.12.3 (2) with initial-inhibit-any-policy. The document expects all three to be refused.
/// </summary>
public static class PkitsTable
{
    private const string Dsa = "DSA is not supported: no TLS peer uses it.";
    private const string Indirect = "Indirect lists are not supported: each authority's own list is needed.";

    // Section 4.8 and others: whose names do not say what is expected, or of whom more is asked than of the rest.
    private static readonly (string Section, string Target, bool IsValid, int[] Policies)[] s_byInput =
    [
        ("4.8.1", "ValidCertificatePathTest1EE", true, [0]),
        ("4.8.1", "ValidCertificatePathTest1EE", true, [1]),
        ("4.8.1", "ValidCertificatePathTest1EE", false, [2]),
        ("4.8.1", "ValidCertificatePathTest1EE", true, [1, 2]),
        ("4.8.2", "AllCertificatesNoPoliciesTest2EE", true, []),
        ("4.8.2", "AllCertificatesNoPoliciesTest2EE", false, [0]),
        ("4.8.3", "DifferentPoliciesTest3EE", true, []),
        ("4.8.3", "DifferentPoliciesTest3EE", false, [0]),
        ("4.8.3", "DifferentPoliciesTest3EE", false, [1, 2]),
        ("4.8.4", "DifferentPoliciesTest4EE", false, []),
        ("4.8.5", "DifferentPoliciesTest5EE", false, []),
        ("4.8.6", "OverlappingPoliciesTest6EE", true, []),
        ("4.8.6", "OverlappingPoliciesTest6EE", true, [1]),
        ("4.8.6", "OverlappingPoliciesTest6EE", false, [2]),
        ("4.8.7", "DifferentPoliciesTest7EE", false, []),
        ("4.8.8", "DifferentPoliciesTest8EE", false, []),
        ("4.8.9", "DifferentPoliciesTest9EE", false, []),
        ("4.8.10", "AllCertificatesSamePoliciesTest10EE", true, []),
        ("4.8.10", "AllCertificatesSamePoliciesTest10EE", true, [1]),
        ("4.8.10", "AllCertificatesSamePoliciesTest10EE", true, [2]),
        ("4.8.11", "AllCertificatesanyPolicyTest11EE", true, []),
        ("4.8.11", "AllCertificatesanyPolicyTest11EE", true, [1]),
        ("4.8.12", "DifferentPoliciesTest12EE", false, []),
        ("4.8.13", "AllCertificatesSamePoliciesTest13EE", true, [1]),
        ("4.8.13", "AllCertificatesSamePoliciesTest13EE", true, [2]),
        ("4.8.13", "AllCertificatesSamePoliciesTest13EE", true, [3]),
        ("4.8.14", "AnyPolicyTest14EE", true, [1]),
        ("4.8.14", "AnyPolicyTest14EE", false, [2]),
        ("4.8.15", "UserNoticeQualifierTest15EE", true, []),
        ("4.8.16", "UserNoticeQualifierTest16EE", true, []),
        ("4.8.17", "UserNoticeQualifierTest17EE", true, []),
        ("4.8.18", "UserNoticeQualifierTest18EE", true, [1]),
        ("4.8.18", "UserNoticeQualifierTest18EE", true, [2]),
        ("4.8.19", "UserNoticeQualifierTest19EE", true, []),
        ("4.8.20", "CPSPointerQualifierTest20EE", true, [1]),
        ("4.10.1", "ValidPolicyMappingTest1EE", true, [1]),
        ("4.10.1", "ValidPolicyMappingTest1EE", false, [2]),
        ("4.10.3", "ValidPolicyMappingTest3EE", false, [1]),
        ("4.10.3", "ValidPolicyMappingTest3EE", true, [2]),
        ("4.10.5", "ValidPolicyMappingTest5EE", true, [1]),
        ("4.10.5", "ValidPolicyMappingTest5EE", false, [6]),
        ("4.10.6", "ValidPolicyMappingTest6EE", true, [1]),
        ("4.10.6", "ValidPolicyMappingTest6EE", false, [6]),
        ("4.10.12", "ValidPolicyMappingTest12EE", true, [1]),
        ("4.10.12", "ValidPolicyMappingTest12EE", true, [2]),
        ("4.12.3", "inhibitAnyPolicyTest3EE", true, []),
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
            test => new PkitsTest(test.Section, test.Target, test.IsValid, test.Policies, s_deviations.GetValueOrDefault(test.Target)));
        var byName = Directory.EnumerateFiles(Path.Combine(directory, "certs"), "*EE.crt").Select(Path.GetFileNameWithoutExtension).OfType<string>()
            .Where(name => name.StartsWith("Valid", StringComparison.Ordinal) || name.StartsWith("Invalid", StringComparison.Ordinal))
            .Select(name => new PkitsTest("by name", name, name.StartsWith('V'), [], s_deviations.GetValueOrDefault(name)))
            .Where(
                test => !(test.Target.StartsWith("ValidPolicyMappingTest", StringComparison.Ordinal)
                    && s_byInput.Any(known => known.Target == test.Target)));
        return byHand.Concat(byName.OrderBy(test => test.Target, StringComparer.Ordinal));
    }
}
