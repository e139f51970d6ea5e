using System.Security.Cryptography.X509Certificates;
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

    [TestCase(0.0001)]
    [TestCase(0.3)]
    [TestCase(0.999999)]
    public void A_large_list_that_is_torn_is_refused_and_the_last_good_one_stays(double part)
    {
        using var files = Follow(Revoking);
        var heard = new Heard(files);
        var whole = _world.IssuingCrl(crl => Sixth(crl) with { Number = 7, Revoked = Many(50_000) });

        foreach (var octets in new[] { whole.Raw.ToArray(), System.Text.Encoding.ASCII.GetBytes(whole.Pem) })
        {
            File.WriteAllBytes(_cabinet["issuing.crl"], octets[..(int)(octets.Length * part)]);
            files.Reload().Should().BeFalse();
            _world.Judge(files)!.Reason.Should().Be(RejectionReason.CertificateRevoked, "the last good list is in force");
            files.LastFailure.Should().NotBeNull();
        }

        heard.Replaced.Should().Be(0);
        File.WriteAllBytes(_cabinet["issuing.crl"], whole.Raw.ToArray());
        files.Reload().Should().BeTrue();
        _world.Judge(files).Should().BeNull();
    }

    [Test]
    public void A_large_list_that_grows_while_it_is_read_is_refused_and_taken_up_once_it_is_whole()
    {
        using var good = Follow(Revoking);
        var whole = _world.IssuingCrl(crl => Sixth(crl) with { Number = 7, Revoked = Many(50_000) }).Raw.ToArray();
        var (grows, length) = (false, whole.Length / 2);
        var clock = new WritingClock(_cabinet.Clock, () =>
        {
            if (grows)
            {
                File.WriteAllBytes(_cabinet["issuing.crl"], whole[..length++]);
            }
        });
        using var files = new RevocationListFiles(
            [_cabinet["root.crl"], _cabinet["issuing.crl"]], _cabinet.Options with { TimeProvider = clock, PollInterval = TimeSpan.FromHours(1) });

        File.WriteAllBytes(_cabinet["issuing.crl"], whole[..length]);
        grows = true;
        files.Reload().Should().BeFalse();
        grows = false;
        length.Should().BeGreaterThan((whole.Length / 2) + 2, "it grew, look by look");
        _world.Judge(files)!.Reason.Should().Be(RejectionReason.CertificateRevoked);

        File.WriteAllBytes(_cabinet["issuing.crl"], whole);
        files.Reload().Should().BeTrue();
        _world.Judge(files).Should().BeNull();
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

    [TestCase(127, 128)]
    [TestCase(128, 255)]
    [TestCase(255, 256)]
    [TestCase(256, 257)]
    [TestCase(0x1ff, 0x200)]
    public void Numbers_are_compared_as_numbers(int before, int after)
    {
        using var files = Follow(crl => Sixth(crl) with { Number = before });

        Put(crl => Sixth(crl) with { Number = after });
        files.Reload().Should().BeTrue();
        Put(crl => Sixth(crl) with { Number = before });
        files.Reload().Should().BeFalse();
        files.Current.Lists.Select(list => list.Number).Should().Contain(
            Convert.ToHexString(new System.Numerics.BigInteger(after).ToByteArray(isUnsigned: false, isBigEndian: true)));
    }

    [Test]
    public void The_same_number_and_date_again_is_no_step_back()
    {
        using var files = Follow(Revoking);

        Put(Sixth);

        files.Reload().Should().BeTrue();
        _world.Judge(files).Should().BeNull();
    }

    [Test]
    public void A_list_without_a_number_goes_by_its_date_and_may_get_a_number()
    {
        using var files = Follow(crl => Sixth(crl) with { Number = null });

        Put(crl => Sixth(crl) with { Number = null, ThisUpdate = s_made.AddSeconds(-1) });
        files.Reload().Should().BeFalse();
        Put(crl => Sixth(crl) with { Number = null, ThisUpdate = s_made.AddSeconds(1) });
        files.Reload().Should().BeTrue();
        Put(crl => Sixth(crl) with { Number = 1, ThisUpdate = s_made.AddSeconds(1) });
        files.Reload().Should().BeTrue();
    }

    [Test]
    public void A_delta_takes_no_full_lists_place_and_a_full_list_takes_a_deltas()
    {
        using var files = Follow(Sixth);
        Put(crl => Sixth(crl) with { Number = 7, DeltaBase = 6 });
        files.Reload().Should().BeFalse();

        using var deltas = Follow(crl => Sixth(crl) with { DeltaBase = 5 });
        Put(crl => Sixth(crl) with { Number = 7, DeltaBase = 5 });
        deltas.Reload().Should().BeTrue();
        Put(crl => Sixth(crl) with { Number = 8 });
        deltas.Reload().Should().BeTrue();
    }

    [Test]
    public void Each_key_of_an_issuer_has_a_list_of_its_own_that_does_not_go_back()
    {
        using var second = _world.Root.IssueIntermediate("Issuing");
        var lists = new ReplaceableRevocationLists(Both(6, 9), timeProvider: _world.Clock);

        FluentActions.Invoking(() => lists.Replace(Both(5, 10))).Should().Throw<MaterialException>();
        FluentActions.Invoking(() => lists.Replace(Both(10, 8))).Should().Throw<MaterialException>();
        lists.Replace(Both(7, 10));
        lists.Current.Lists.Select(list => list.Number).Should().Contain(["07", "0A"]);

        RevocationLists Both(int ofFirst, int ofSecond) => RevocationLists.FromDer(
            _world.RootCrl().Raw,
            _world.IssuingCrl(crl => Sixth(crl) with { Number = ofFirst }).Raw,
            second.IssueCrl(crl => Sixth(crl) with { Number = ofSecond }).Raw);
    }

    [Test]
    public void Lists_in_memory_go_by_the_clock_that_they_were_given()
    {
        var lists = new ReplaceableRevocationLists(_world.Lists(Sixth), timeProvider: _world.Clock);
        RevocationLists Next() => _world.Lists(crl => Sixth(crl) with { Number = 7, ThisUpdate = s_now.AddMinutes(5) });

        FluentActions.Invoking(() => lists.Replace(Next())).Should().Throw<MaterialException>("it is not in force yet, and the sixth is");
        _world.Clock.Advance(TimeSpan.FromMinutes(5));
        FluentActions.Invoking(() => lists.Replace(Next())).Should().NotThrow();
    }

    [Test]
    public void A_path_with_another_key_makes_no_genuine_list_go_back([Values] bool isAskedFirst)
    {
        using var second = _world.Root.IssueIntermediate("Issuing");
        using var stranger = second.IssueClient("client.test");
        using var files = Follow(Sixth);
        var heard = new Heard(files);
        Put(crl => Sixth(crl) with { Number = 7 });
        files.Reload().Should().BeTrue();
        foreach (var isStranger in new[] { isAskedFirst, !isAskedFirst })
        {
            (_world.Judge(_world.Options(files), peer: isStranger ? stranger : null)?.Reason).Should().Be(
                isStranger ? RejectionReason.RevocationStatusUnknown : null);
        }

        heard.Refused.Should().BeEmpty("nobody has shown that the list is forged");
        Put(Sixth);
        files.Reload().Should().BeFalse("the seventh list has been proven");
    }

    [Test]
    public void A_forged_list_that_is_read_again_stays_refuted_and_is_told_of_once()
    {
        using var files = Follow(Revoking);
        var heard = new Heard(files);
        Put(crl => Sixth(crl) with { Number = 1000, SigningKey = TestKey.Generate() });
        files.Reload().Should().BeTrue();
        _world.Judge(files)!.Reason.Should().Be(RejectionReason.CertificateRevoked);

        _cabinet.Rename("root.crl", _world.RootCrl().Pem);
        files.Reload().Should().BeTrue();

        _world.Judge(files)!.Reason.Should().Be(RejectionReason.CertificateRevoked, "the list before it still stands in");
        heard.Refused.Should().ContainSingle();
        Put(crl => Sixth(crl) with { Number = 7 });
        files.Reload().Should().BeTrue("the forged number still holds nobody up");
        _world.Judge(files).Should().BeNull();
    }

    [Test]
    public void A_list_in_reserve_counts_no_longer_than_it_is_valid()
    {
        using var files = Follow(crl => Revoking(crl) with { NextUpdate = s_now.AddHours(1) });
        var heard = new Heard(files);
        Put(crl => Sixth(crl) with { Number = 7, SigningKey = TestKey.Generate() });
        files.Reload().Should().BeTrue();

        _world.Judge(files, s_now.AddHours(1).AddSeconds(1))!.Reason.Should().Be(RejectionReason.RevocationStatusUnknown);
        heard.Refused.Should().BeEmpty("nothing shows which of the two is wrong");
        _world.Judge(files, s_now.AddHours(1))!.Reason.Should().Be(RejectionReason.CertificateRevoked);
        heard.Refused.Should().ContainSingle();
    }

    [Test]
    public void A_forged_list_stands_in_for_no_other()
    {
        var forger = TestKey.Generate();
        using var files = Follow(crl => Revoking(crl) with { SigningKey = forger });
        var heard = new Heard(files);
        Put(crl => Sixth(crl) with { Number = 7, SigningKey = forger });
        files.Reload().Should().BeTrue();

        _world.Judge(files)!.Reason.Should().Be(RejectionReason.RevocationStatusUnknown);
        heard.Refused.Should().BeEmpty();
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

    private static RevokedCertificate[] Many(int count) =>
        [.. Enumerable.Range(1, count).Select(serial => new RevokedCertificate(serial, s_made, X509RevocationReason.Superseded))];

    /// <summary>Does something each time that it is asked: a file whose stamp is another is about to be read then.</summary>
    private sealed class WritingClock(TimeProvider time, Action act) : TimeProvider
    {
        public override long TimestampFrequency => time.TimestampFrequency;

        public override DateTimeOffset GetUtcNow() => time.GetUtcNow();

        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period) =>
            time.CreateTimer(callback, state, dueTime, period);

        public override long GetTimestamp()
        {
            act();
            return time.GetTimestamp();
        }
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
