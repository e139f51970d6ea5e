using MutualAuth.Revocation;
using MutualAuth.Testing;
using MutualAuth.Testing.Revocation;
using MutualAuth.Tests.Support;

namespace MutualAuth.Tests.Revocation;

/// <summary>
/// Lists never go back: what would take a revocation away, or end everybody, is refused with an event, and the last good lists stay.
/// </summary>
public sealed class RevocationListReloadTests
{
    private RevocationWorld _world = null!;
    private TemporaryFolder _cabinet = null!;

    [SetUp]
    public void SetUp()
    {
        _world = new RevocationWorld();
        _cabinet = new TemporaryFolder();
        _cabinet.Clock.SetUtcNow(_world.Now);
    }

    [TearDown]
    public void TearDown()
    {
        _cabinet.Dispose();
        _world.Dispose();
    }

    private static IEnumerable<TestCaseData> Reloads()
    {
        yield return Case("the next number", crl => crl with { Number = 7 }, isTakenUp: true);
        yield return Case("the next number, made later", crl => crl with { Number = 7, ThisUpdate = s_made.AddMinutes(1) }, isTakenUp: true);
        yield return Case("an older number", crl => crl with { Number = 5 }, isTakenUp: false);
        yield return Case("an older number, made later", crl => crl with { Number = 5, ThisUpdate = s_made.AddMinutes(1) }, isTakenUp: false);
        yield return Case("the next number, made earlier", crl => crl with { Number = 7, ThisUpdate = s_made.AddSeconds(-1) }, isTakenUp: false);
        yield return Case("no number any more", crl => crl with { Number = null }, isTakenUp: false);
        yield return Case("made a minute ahead", crl => crl with { Number = 7, ThisUpdate = s_now.AddMinutes(1) }, isTakenUp: true);
        yield return Case("made more than a minute ahead", crl => crl with { Number = 7, ThisUpdate = s_now.AddSeconds(61) }, isTakenUp: false);
        yield return Case("run out", crl => crl with { Number = 7, NextUpdate = s_now.AddSeconds(-1) }, isTakenUp: false);
        yield return Case("of another issuer", crl => crl with { Number = 7, Issuer = "CN=Somebody Else" }, isTakenUp: false);
        yield return Case(
            "of another scope",
            crl => crl with { Number = 7, IssuingDistributionPoint = new IssuingDistributionPoint { OnlyEndEntities = true } },
            isTakenUp: false);

        static TestCaseData Case(string name, Func<CrlSpec, CrlSpec> next, bool isTakenUp) =>
            new TestCaseData(next, isTakenUp).SetArgDisplayNames(name);
    }

    private static readonly DateTimeOffset s_now = new(2030, 6, 1, 12, 0, 0, TimeSpan.Zero);
    private static readonly DateTimeOffset s_made = s_now.AddHours(-1);

    [TestCaseSource(nameof(Reloads))]
    public void A_list_that_goes_back_is_refused_and_the_last_good_one_stays(Func<CrlSpec, CrlSpec> next, bool isTakenUp)
    {
        using var files = Follow(Revoking);
        var heard = new Heard(files);
        _world.Judge(files)!.Reason.Should().Be(RejectionReason.CertificateRevoked);

        Put(crl => next(Sixth(crl)));
        files.Reload().Should().Be(isTakenUp);

        (_world.Judge(files)?.Reason).Should().Be(isTakenUp ? null : RejectionReason.CertificateRevoked);
        (heard.Replaced, heard.Refused.Count).Should().Be(isTakenUp ? (1, 0) : (0, 1));
    }

    [Test]
    public void A_restart_forgets()
    {
        using (Follow(Revoking))
        {
            Put(crl => Sixth(crl) with { Number = 5 });
        }

        using var anew = new RevocationListFiles([_cabinet["root.crl"], _cabinet["issuing.crl"]], _cabinet.Options);

        _world.Judge(anew).Should().BeNull();
    }

    [Test]
    public void A_list_that_counts_later_is_taken_up_once_it_counts()
    {
        using var files = Follow(Revoking);
        Put(crl => Sixth(crl) with { Number = 7, ThisUpdate = s_now.AddMinutes(5) });
        files.Reload().Should().BeFalse();

        _cabinet.Clock.Advance(TimeSpan.FromMinutes(5));
        files.Reload();

        files.Current.Lists.Should().Contain(list => list.Number == "07");
    }

    [Test]
    public void When_the_old_list_no_longer_counts_nothing_is_kept_for_it()
    {
        using var files = Follow(crl => Revoking(crl) with { NextUpdate = s_now.AddSeconds(-1) });

        Put(crl => Sixth(crl) with { Number = 7, ThisUpdate = s_now.AddHours(1) });

        files.Reload().Should().BeTrue();
    }

    [Test]
    public void A_forged_list_takes_nobodys_place_and_is_refused_at_the_first_path_that_needs_it()
    {
        using var files = Follow(Revoking);
        var heard = new Heard(files);
        using var other = _world.Issue();
        Put(crl => Sixth(crl) with { Number = 1000, SigningKey = TestKey.Generate() });
        files.Reload();

        _world.Judge(files)!.Reason.Should().Be(RejectionReason.CertificateRevoked);
        _world.Judge(_world.Options(files), peer: other).Should().BeNull("what was there before still covers it");
        heard.Refused.Should().ContainSingle();

        Put(crl => Sixth(crl) with { Number = 7 });
        files.Reload().Should().BeTrue("a number that nobody signed holds nobody up");
        _world.Judge(files).Should().BeNull();
    }

    [Test]
    public void A_genuine_list_after_one_that_no_path_needed_leaves_the_last_proven_one_in_reserve()
    {
        using var files = Follow(Revoking);
        _world.Judge(files)!.Reason.Should().Be(RejectionReason.CertificateRevoked);
        Put(crl => Revoking(crl) with { Number = 7 });
        files.Reload().Should().BeTrue();
        Put(crl => Sixth(crl) with { Number = 8, SigningKey = TestKey.Generate() });
        files.Reload().Should().BeTrue();

        _world.Judge(files)!.Reason.Should().Be(RejectionReason.CertificateRevoked);
    }

    [Test]
    public void Lists_in_memory_go_back_no_more_than_files_do()
    {
        var lists = new ReplaceableRevocationLists(_world.Lists(Revoking));

        FluentActions.Invoking(() => lists.Replace(_world.Lists(crl => Sixth(crl) with { Number = 5 }))).Should().Throw<MaterialException>();
        FluentActions.Invoking(() => lists.Replace(RevocationLists.Empty)).Should().Throw<MaterialException>();
        _world.Judge(lists)!.Reason.Should().Be(RejectionReason.CertificateRevoked);
        lists.Replace(RevocationLists.DangerouslyUnchecked);
        FluentActions.Invoking(() => lists.Replace(_world.Lists(crl => Sixth(crl) with { Number = 5 }))).Should().Throw<MaterialException>();
        lists.Replace(_world.Lists(crl => Sixth(crl) with { Number = 7 }));
        _world.Judge(lists).Should().BeNull();
    }

    private static CrlSpec Sixth(CrlSpec crl) => crl with { Number = 6, ThisUpdate = s_made, Revoked = [] };

    private CrlSpec Revoking(CrlSpec crl) => Sixth(crl) with { Revoked = [new RevokedCertificate(_world.Client.SerialNumber, s_made)] };

    private RevocationListFiles Follow(Func<CrlSpec, CrlSpec> spec)
    {
        _cabinet.Write("root.crl", _world.RootCrl().Pem);
        Put(spec);
        return new RevocationListFiles([_cabinet["root.crl"], _cabinet["issuing.crl"]], _cabinet.Options);
    }

    private void Put(Func<CrlSpec, CrlSpec> spec) => _cabinet.Rename("issuing.crl", _world.IssuingCrl(spec).Pem);
}
