using MutualAuth.Paths;
using MutualAuth.Revocation;
using MutualAuth.Testing;
using MutualAuth.Tests.Support;
using MutualAuth.Validation;

namespace MutualAuth.Tests.Revocation;

/// <summary>Certificates that end before a list would take effect, and those of which their authority publishes no status (RFC 9608).</summary>
public sealed class ShortLivedTests
{
    private const int Days = 6;

    private static readonly CertificateExtension s_noRevAvail = new("2.5.29.56", false, Convert.FromHexString("0500"));

    private static IEnumerable<TestCaseData> Policies()
    {
        static TestCaseData Case(string what, int noRevAvail, int shortLived, Func<CertificateSpec, CertificateSpec> spec, bool isExempt) =>
            new TestCaseData(TimeSpan.FromDays(noRevAvail), TimeSpan.FromDays(shortLived), spec, isExempt).SetArgDisplayNames(what);
        static CertificateSpec Says(CertificateSpec spec) => spec with { Extensions = [s_noRevAvail] };

        yield return Case("it says nothing, and nothing is excepted", 0, 0, spec => spec, false);
        yield return Case("it says so, and nothing is excepted", 0, 0, Says, false);
        yield return Case("it says so, for as long as it may", Days, 0, Says, true);
        yield return Case("it says so, for longer", Days - 1, 0, Says, false);
        yield return Case("it does not say so", Days, 0, spec => spec, false);
        yield return Case("it is short-lived", 0, Days, spec => spec, true);
        yield return Case("it lives longer than that", 0, Days - 1, spec => spec, false);
        yield return Case("it names a list beside that", Days, 0, spec => Says(spec) with { CrlDistributionPoints = ["http://a.test/"] }, false);
        yield return Case("it names a responder beside that", Days, 0, spec => Says(spec) with { OcspUris = ["http://a.test/"] }, false);
        yield return Case("it names its issuer beside that", Days, 0, spec => Says(spec) with { IssuerUris = ["http://a.test/"] }, true);
    }

    [TestCaseSource(nameof(Policies))]
    public void No_status_is_needed_where_the_policy_says_so(
        TimeSpan noRevAvail, TimeSpan shortLived, Func<CertificateSpec, CertificateSpec> spec, bool isExempt)
    {
        using var world = new RevocationWorld();
        using var peer = world.Issue(usual => spec(OfSixDays(usual, world)));
        var uncovered = RevocationLists.FromDer(world.RootCrl().Raw);

        (world.Judge(Options(world, uncovered, noRevAvail, shortLived), peer: peer)?.Reason).Should().Be(
            isExempt ? null : RejectionReason.RevocationStatusUnknown);
        world.Judge(Options(world, world.Lists(), noRevAvail, shortLived), peer: peer).Should().BeNull("a list covers it");
    }

    [Test]
    public void A_list_that_has_it_on_it_still_rejects_it()
    {
        using var world = new RevocationWorld();
        using var peer = world.Issue(usual => OfSixDays(usual, world) with { Extensions = [s_noRevAvail] });
        world.Issuing.Revoke(peer);

        world.Judge(Options(world, world.Lists(), TimeSpan.FromDays(Days), TimeSpan.FromDays(Days)), peer: peer)!.Reason.Should().Be(
            RejectionReason.CertificateRevoked);
    }

    [Test]
    public void The_status_of_an_authority_is_needed_whatever_it_says()
    {
        using var world = new RevocationWorld(intermediate: spec => spec with { Extensions = [s_noRevAvail] });
        using var peer = world.Issue(usual => OfSixDays(usual, world));
        var options = Options(world, RevocationLists.FromDer(world.IssuingCrl().Raw), TimeSpan.FromDays(366), TimeSpan.FromDays(10));

        world.Judge(options, peer: peer)!.Element.Should().StartWith("intermediate");
        world.Judge(Options(world, world.Lists(), TimeSpan.FromDays(366), TimeSpan.FromDays(10)), peer: peer).Should().BeNull();
    }

    [TestCase(CertificateForm.Tolerant, null)]
    [TestCase(CertificateForm.Rfc5280, RejectionReason.ProfileViolated)]
    public void An_authority_that_says_so_is_against_the_form(CertificateForm form, RejectionReason? expected)
    {
        using var world = new RevocationWorld(intermediate: spec => spec with { Extensions = [s_noRevAvail] });

        using var without = new RevocationWorld();
        var profile = ValidationProfile.MutualTls with { Form = form };

        (world.Judge(world.Options(null) with { Profile = profile })?.Reason).Should().Be(expected);
        without.Judge(without.Options(null) with { Profile = profile }).Should().BeNull();
    }

    private static CertificateSpec OfSixDays(CertificateSpec spec, RevocationWorld world) =>
        spec with { NotBefore = world.Now.AddDays(-1), NotAfter = world.Now.AddDays(Days - 1) };

    private static CertificateStageOptions Options(
        RevocationWorld world, RevocationLists lists, TimeSpan noRevAvail, TimeSpan shortLived) => world.Options(lists) with
        {
            Revocation = new RevocationPolicy { Lists = lists, NoRevAvailLifetime = noRevAvail, ShortLivedLifetime = shortLived },
        };
}
