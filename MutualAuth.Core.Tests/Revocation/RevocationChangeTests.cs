using System.Security.Cryptography.X509Certificates;
using MutualAuth.Names;
using MutualAuth.Revocation;
using MutualAuth.Testing;
using MutualAuth.Testing.Revocation;
using MutualAuth.Tests.Support;

namespace MutualAuth.Tests.Revocation;

/// <summary>
/// Whom a replacement of lists concerns: those on the lists that are new, and everybody of an issuer whose coverage may have got lost.
/// </summary>
public sealed class RevocationChangeTests
{
    private static readonly DateTimeOffset s_now = new(2030, 6, 1, 12, 0, 0, TimeSpan.Zero);
    private static readonly RevocationWorld s_world = new();
    private static readonly DistinguishedName s_issuing = DistinguishedName.Parse("CN=Issuing");

    [Test]
    public void The_same_lists_read_again_are_no_change()
    {
        var (root, issuing) = (s_world.RootCrl(), s_world.IssuingCrl());

        RevocationChange.Between(RevocationLists.FromDer(root.Raw, issuing.Raw), RevocationLists.FromDer(issuing.Raw, root.Raw.ToArray()))
            .Should().BeEmpty();
    }

    [Test]
    public void A_list_that_came_is_new_and_one_that_went_is_a_change_too()
    {
        var (one, other) = (s_world.IssuingCrl(), s_world.IssuingCrl());
        var (alone, both) = (RevocationLists.FromDer(one.Raw), RevocationLists.FromDer(one.Raw, other.Raw));

        var came = RevocationChange.Between(alone, both).Should().ContainSingle().Subject;
        var went = RevocationChange.Between(both, alone).Should().ContainSingle().Subject;

        (came.Issuer, went.Issuer).Should().Be((s_issuing, s_issuing));
        came.Fresh.Select(list => list.Number).Should().Equal(both.Lists[1].Number);
        went.Fresh.Should().BeEmpty();
        came.MayLoseCoverage([s_world.Issuing.Read()], TimeSpan.Zero, s_now).Should().BeFalse();
        went.MayLoseCoverage([s_world.Issuing.Read()], TimeSpan.Zero, s_now).Should().BeFalse("what is left covers as much");
    }

    [Test]
    public void Only_the_issuer_whose_lists_changed_is_concerned()
    {
        var root = s_world.RootCrl();

        RevocationChange.Between(
                RevocationLists.FromDer(root.Raw, s_world.IssuingCrl().Raw), RevocationLists.FromDer(root.Raw, s_world.IssuingCrl().Raw))
            .Select(change => change.Issuer).Should().Equal(s_issuing);
        RevocationChange.Between(RevocationLists.FromDer(root.Raw), RevocationLists.FromDer(s_world.IssuingCrl().Raw))
            .Should().HaveCount(2, "one issuer's lists went, and another's came");
    }

    private static IEnumerable<TestCaseData> Successors()
    {
        yield return Case("the next issue", crl => crl, crl => crl, loses: false);
        yield return Case("one that runs out now", crl => crl, crl => crl with { NextUpdate = s_now }, loses: false);
        yield return Case("one that has run out", crl => crl, crl => crl with { NextUpdate = s_now.AddSeconds(-1) }, loses: true);
        yield return Case("one that is made later", crl => crl, crl => crl with { ThisUpdate = s_now.AddSeconds(1) }, loses: true);
        yield return Case("one of another scope", crl => crl, Peers, loses: true);
        yield return Case("one of the same scope", Peers, Peers, loses: false);
        yield return Case("one by another key", crl => crl, crl => crl with { SigningKey = TestKey.Generate() }, loses: true);
        yield return Case(
            "one that names another key", crl => crl, crl => crl with { AuthorityKeyIdentifier = KeyIdentifier.Of(new byte[] { 1 }) }, loses: true);
        yield return Case("one with a shorter hash", Hash(SignatureAlgorithm.EcdsaSha384), Hash(SignatureAlgorithm.EcdsaSha256), loses: true);
        yield return Case("one with a longer hash", Hash(SignatureAlgorithm.EcdsaSha256), Hash(SignatureAlgorithm.EcdsaSha384), loses: false);
        yield return Case("a new slip of form", crl => crl, crl => crl with { Number = null }, loses: true);
        yield return Case("the old slip of form", crl => crl with { Number = null }, crl => crl with { Number = null }, loses: false);
        yield return Case("another slip of form", crl => crl with { Number = null }, Twice, loses: true);
        yield return Case("no slip of form any more", crl => crl with { Number = null }, crl => crl, loses: false);
        yield return Case("changes in place of the whole", crl => crl, Delta, loses: true);
        yield return Case("the next changes", Delta, Delta, loses: false);
        yield return Case("the next changes after some that lifted a hold", Lifting, Delta, loses: true);

        static CrlSpec Peers(CrlSpec crl) => crl with { IssuingDistributionPoint = new IssuingDistributionPoint { OnlyEndEntities = true } };
        static CrlSpec Twice(CrlSpec crl) => crl with { Revoked = [new RevokedCertificate(7, s_now), new RevokedCertificate(7, s_now)] };
        static CrlSpec Delta(CrlSpec crl) => crl with { DeltaBase = 1 };
        static CrlSpec Lifting(CrlSpec crl) =>
            crl with { DeltaBase = 1, Revoked = [new RevokedCertificate(7, s_now, X509RevocationReason.RemoveFromCrl)] };
        static Func<CrlSpec, CrlSpec> Hash(SignatureAlgorithm algorithm) => crl => crl with { SignatureAlgorithm = algorithm };
        static TestCaseData Case(string name, Func<CrlSpec, CrlSpec> before, Func<CrlSpec, CrlSpec> after, bool loses) =>
            new TestCaseData(before, after, loses).SetArgDisplayNames(name);
    }

    [TestCaseSource(nameof(Successors))]
    public void Coverage_may_get_lost_where_the_next_list_is_not_as_good(
        Func<CrlSpec, CrlSpec> before, Func<CrlSpec, CrlSpec> after, bool loses)
    {
        var change = RevocationChange.Between(
            RevocationLists.FromDer(s_world.IssuingCrl(before).Raw), RevocationLists.FromDer(s_world.IssuingCrl(after).Raw)).Single();

        change.Fresh.Should().ContainSingle();
        change.MayLoseCoverage([s_world.Issuing.Read()], TimeSpan.Zero, s_now).Should().Be(loses);
    }

    [Test]
    public void A_list_must_be_signed_by_every_certificate_of_the_issuer_that_is_known()
    {
        using var renewed = s_world.Root.IssueIntermediate("Issuing");
        var change = RevocationChange.Between(
            RevocationLists.FromDer(s_world.IssuingCrl().Raw), RevocationLists.FromDer(s_world.IssuingCrl().Raw)).Single();

        change.MayLoseCoverage([s_world.Issuing.Read()], TimeSpan.Zero, s_now).Should().BeFalse();
        change.MayLoseCoverage([s_world.Issuing.Read(), renewed.Read()], TimeSpan.Zero, s_now).Should().BeTrue();
    }

    [Test]
    public void A_list_that_stays_loses_nothing_even_if_it_has_run_out()
    {
        var stays = s_world.IssuingCrl(crl => crl with
        {
            NextUpdate = s_now.AddSeconds(-1),
            IssuingDistributionPoint = new IssuingDistributionPoint { OnlyEndEntities = true },
        });
        var before = RevocationLists.FromDer(stays.Raw, s_world.IssuingCrl().Raw);
        var after = RevocationLists.FromDer(stays.Raw, s_world.IssuingCrl().Raw);
        var without = RevocationLists.FromDer(s_world.IssuingCrl().Raw);

        RevocationChange.Between(before, after).Single().MayLoseCoverage([s_world.Issuing.Read()], TimeSpan.Zero, s_now).Should().BeFalse();
        RevocationChange.Between(before, without).Single().MayLoseCoverage([s_world.Issuing.Read()], TimeSpan.Zero, s_now).Should().BeTrue();
    }

    [Test]
    public void A_grace_period_counts_for_the_next_list_too()
    {
        var change = RevocationChange.Between(
            RevocationLists.FromDer(s_world.IssuingCrl().Raw),
            RevocationLists.FromDer(s_world.IssuingCrl(crl => crl with { NextUpdate = s_now.AddMinutes(-10) }).Raw)).Single();

        change.MayLoseCoverage([s_world.Issuing.Read()], TimeSpan.FromMinutes(10), s_now).Should().BeFalse();
        change.MayLoseCoverage([s_world.Issuing.Read()], TimeSpan.FromMinutes(9), s_now).Should().BeTrue();
    }
}
