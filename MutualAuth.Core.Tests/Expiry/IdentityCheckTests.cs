using MutualAuth.Expiry;
using MutualAuth.Testing;
using MutualAuth.Tests.Support;

namespace MutualAuth.Tests.Expiry;

/// <summary>Each mistake in our own identity is found before any peer finds it, as its own kind; the same identity without it passes.</summary>
public sealed class IdentityCheckTests
{
    private TestAuthority _root = null!;
    private TestAuthority _issuing = null!;

    [SetUp]
    public void SetUp()
    {
        _root = new TestAuthority("Root");
        _issuing = _root.IssueIntermediate("Issuing");
    }

    [TearDown]
    public void TearDown()
    {
        _issuing.Dispose();
        _root.Dispose();
    }

    private static IEnumerable<TestCaseData> Mistakes()
    {
        static TestCaseData Case(
            MaterialProblem? problem,
            string name,
            Func<IdentityCheckTests, Identity> make,
            Func<IdentityCheck, IdentityCheckTests, IdentityCheck>? change = null) =>
            new TestCaseData(problem, make, change ?? ((check, _) => check)).SetArgDisplayNames(name);

        yield return Case(null, "nothing is wrong", tests => tests.Issue());
        yield return Case(null, "nothing is wrong, the trust is not known", tests => tests.Issue(), (check, _) => check with { Trust = null });
        yield return Case(null, "an authority issued it directly", tests => World.ToIdentity(tests._root.IssueServer("server.test")));
        yield return Case(
            MaterialProblem.Expired,
            "it has expired",
            tests => tests.Issue(spec => spec with { NotBefore = spec.NotBefore.AddYears(-9), NotAfter = spec.NotBefore.AddYears(-8) }));
        yield return Case(
            MaterialProblem.NotYetValid, "it is not valid yet", tests => tests.Issue(spec => spec with { NotBefore = spec.NotAfter.AddDays(-1) }));
        yield return Case(
            MaterialProblem.WrongUsage,
            "it is a client's",
            tests => tests.Issue(spec => spec with { ExtendedKeyUsages = [ExtendedKeyUsage.ClientAuth] }));
        yield return Case(
            MaterialProblem.WrongUsage,
            "it is a client's, the trust is not known",
            tests => tests.Issue(spec => spec with { ExtendedKeyUsages = [ExtendedKeyUsage.ClientAuth] }),
            (check, _) => check with { Trust = null });
        yield return Case(
            MaterialProblem.WrongUsage,
            "it is an authority's",
            tests => tests.Issue(spec => spec with { BasicConstraints = new BasicConstraints(true) }));
        yield return Case(MaterialProblem.NotTrusted, "its intermediate is missing", tests => Alone(tests.Certificate()));
        yield return Case(
            MaterialProblem.BrokenChain,
            "its intermediate is missing, and we know it",
            tests => Alone(tests.Certificate()),
            (check, tests) => check with { Trust = ((TrustAnchors)check.Trust!).WithIntermediates(tests._issuing.Certificate) });
        yield return Case(
            MaterialProblem.NotTrusted,
            "nobody trusts its authority",
            tests => World.ToIdentity(new TestAuthority("Foreign").IssueServer("server.test")));
        yield return Case(
            MaterialProblem.WrongName, "it lacks a name", tests => tests.Issue(), (check, _) => check with { Names = ["server.test", "other.test"] });
        yield return Case(
            MaterialProblem.WrongName, "it lacks an address", tests => tests.Issue(), (check, _) => check with { Names = ["127.0.0.1"] });
        yield return Case(null, "it has the name", tests => tests.Issue(), (check, _) => check with { Names = ["server.test"] });
    }

    [TestCaseSource(nameof(Mistakes))]
    public void Each_mistake_is_found(
        MaterialProblem? expected, Func<IdentityCheckTests, Identity> make, Func<IdentityCheck, IdentityCheckTests, IdentityCheck> change)
    {
        var check = change(new IdentityCheck { Role = PeerRole.Server, Trust = _root.ToTrustAnchors() }, this);

        (check.Examine(make(this), TimeProvider.System.GetUtcNow())?.Problem).Should().Be(expected);
    }

    private static Identity Alone(TestCertificate certificate) => Identity.From(certificate.Certificate);

    private TestCertificate Certificate(Func<CertificateSpec, CertificateSpec>? change = null) => _issuing.Issue(usual =>
    {
        var spec = usual with { DnsNames = ["server.test"] };
        return change?.Invoke(spec) ?? spec;
    });

    private Identity Issue(Func<CertificateSpec, CertificateSpec>? change = null) => World.ToIdentity(Certificate(change));
}
