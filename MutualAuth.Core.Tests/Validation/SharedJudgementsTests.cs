using System.Collections.Immutable;
using MutualAuth.Certificates;
using MutualAuth.Evidence;
using MutualAuth.Names;
using MutualAuth.Paths;
using MutualAuth.Revocation;
using MutualAuth.Testing;
using MutualAuth.Tests.Support;
using MutualAuth.Trust;
using MutualAuth.Validation;
using GeneralName = MutualAuth.Testing.GeneralName;

namespace MutualAuth.Tests.Validation;

/// <summary>
/// Peers that are judged again in one sweep share what was found out about their authorities. No verdict may come out otherwise for that: each is
/// compared with the one that the same stage gives of the peer alone.
/// </summary>
[FixtureLifeCycle(LifeCycle.InstancePerTestCase)]
public sealed class SharedJudgementsTests : IDisposable
{
    private const string Policy = "1.3.6.1.4.1.99999.1";

    // Within a second: no date lies between two times of it.
    private static readonly TimeSpan s_fraction = TimeSpan.FromMilliseconds(250);

    private readonly RevocationWorld _world = new();
    private readonly List<IDisposable> _made = [];
    private readonly Certificate _root;
    private readonly Certificate _issuing;
    private readonly ReplaceableTrustAnchors _trust;
    private readonly ReloadableLists _lists;
    private readonly ReplaceableDenyList _denied = new(DenyList.Empty);
    private readonly Dictionary<string, Shown> _peers;
    private readonly CertificateStage _stage;
    private DateTimeOffset _now;

    public SharedJudgementsTests()
    {
        (_root, _issuing, _now) = (_world.Root.Read(), _world.Issuing.Read(), _world.Now + s_fraction);
        _trust = new(_world.Root.ToTrustAnchors());
        _lists = new(_world.Lists());
        _peers = Peers().ToDictionary(peer => peer.Name);
        _stage = new CertificateStage(new()
        {
            Trust = _trust,
            Authorization = Authorize.AnyTrustedPeer,
            DenyList = _denied,
            Revocation = new RevocationPolicy { Lists = _lists },
        });
    }

    public void Dispose()
    {
        _made.ForEach(made => made.Dispose());
        _world.Dispose();
    }

    private static IEnumerable<TestCaseData> Odd()
    {
        yield return Case("nothing wrong", null);
        yield return Case("another policy", null);
        yield return Case("the root beside it", null);
        yield return Case("a stranger beside it", null);
        yield return Case("itself beside it", null);
        yield return Case("below the root", null);
        yield return Case("below a constrained authority", null);
        yield return Case("of a namesake", null);
        yield return Case("revoked", RejectionReason.CertificateRevoked);
        yield return Case("denied", RejectionReason.DenyListed);
        yield return Case("key denied", RejectionReason.DenyListed);
        yield return Case("expired", RejectionReason.CertificateExpired);
        yield return Case("not yet valid", RejectionReason.CertificateNotYetValid);
        yield return Case("a server's", RejectionReason.WrongUsage);
        yield return Case("a weak key", RejectionReason.WeakKey);
        yield return Case("an authority", RejectionReason.CertificateAuthorityAsLeaf);
        yield return Case("its own authority's name and key", RejectionReason.UnknownAuthority);
        yield return Case("nothing beside it", RejectionReason.UnknownAuthority);
        yield return Case("a path that is not its own", RejectionReason.UnknownAuthority);
        yield return Case("an excluded name", RejectionReason.NameConstraintViolated);

        static TestCaseData Case(string name, RejectionReason? reason) => new TestCaseData(name, reason).SetArgDisplayNames(name);
    }

    [TestCaseSource(nameof(Odd))]
    public void Among_peers_with_whom_nothing_is_wrong_each_is_judged_by_its_own_facts(string odd, RejectionReason? reason)
    {
        _world.Issuing.Revoke(Made("revoked"));
        _lists.Replace(All());
        _denied.Replace(DenyList.Of(
            DenyEntry.Serial(_peers["denied"].Path[0].SerialNumber), DenyEntry.Key(SpkiPin.OfSubjectPublicKeyInfo(
                _peers["key denied"].Path[0].SubjectPublicKeyInfo.ToArray()))));
        _now += TimeSpan.FromHours(2);
        var shared = new SharedPaths();

        Judge(_peers["one"], shared).Should().BeNull();
        (Judge(_peers[odd], shared)?.Reason).Should().Be(reason);
        Judge(_peers["two"], shared).Should().BeNull();
        (Judge(_peers[odd], shared)?.Reason).Should().Be(reason);
        Judge(_peers["three"], shared).Should().BeNull();
        shared.Followed.Should().BeGreaterThanOrEqualTo(2, "the others need no search");
    }

    private static IEnumerable<TestCaseData> Changes()
    {
        yield return Case("the peer is revoked", test => test.Revoke("two"), RejectionReason.CertificateRevoked, isForAll: false);
        yield return Case(
            "the peer is denied", test => test._denied.Replace(DenyList.Of(DenyEntry.Serial(test._peers["two"].Path[0].SerialNumber))),
            RejectionReason.DenyListed, isForAll: false);
        yield return Case("the authority is revoked", test =>
        {
            test._world.Root.Revoke(test._world.Issuing.AsCertificate);
            test._lists.Replace(test.All());
        }, RejectionReason.CertificateRevoked);
        yield return Case(
            "the authority is denied", test => test._denied.Replace(DenyList.Of(DenyEntry.Certificate(test._issuing))), RejectionReason.DenyListed);
        yield return Case(
            "the root is denied", test => test._denied.Replace(DenyList.Of(DenyEntry.Certificate(test._root))), RejectionReason.DenyListed);
        yield return Case(
            "the root is not trusted", test => test._trust.Replace(new TestAuthority("Other").ToTrustAnchors()), RejectionReason.UnknownAuthority);
        yield return Case(
            "the root is constrained",
            test => test._trust.Replace(test._trust.Current.WithConstraints(new AnchorConstraints { MaximumIntermediates = 0 })),
            RejectionReason.PathTooLong);
        yield return Case(
            "there are no lists", test => test._lists.Replace(RevocationLists.Empty), RejectionReason.RevocationStatusUnknown);
        yield return Case(
            "the root's list is gone",
            test => test._lists.Replace(RevocationLists.FromDer(test._world.IssuingCrl().Raw)),
            RejectionReason.RevocationStatusUnknown);
        yield return Case("the lists run out", test => test._now += TimeSpan.FromDays(8), RejectionReason.RevocationStatusUnknown);
        yield return Case("the certificates run out", test => test._now += TimeSpan.FromDays(40), RejectionReason.CertificateExpired);

        static TestCaseData Case(string name, Action<SharedJudgementsTests> change, RejectionReason reason, bool isForAll = true) =>
            new TestCaseData(change, reason, isForAll).SetArgDisplayNames(name);
    }

    [TestCaseSource(nameof(Changes))]
    public void What_changes_in_the_middle_of_a_sweep_counts_for_whoever_comes_after_it(object change, RejectionReason reason, bool isForAll)
    {
        var shared = new SharedPaths();
        Judge(_peers["one"], shared).Should().BeNull();
        Judge(_peers["three"], shared).Should().BeNull();
        shared.Followed.Should().Be(1);

        ((Action<SharedJudgementsTests>)change)(this);

        Judge(_peers["two"], shared)!.Reason.Should().Be(reason);
        (Judge(_peers["three"], shared)?.Reason).Should().Be(isForAll ? reason : null);
    }

    [TestCase(0, 0.250, 0, true)]
    [TestCase(0, 0.250, 0.001, false)]
    [TestCase(0, 0, 0.001, false)]
    [TestCase(0.5, 0.250, 0.400, true)]
    [TestCase(0.5, 0.250, 0.501, false)]
    [TestCase(0.5, 0.400, 0.501, false)]
    public void The_last_moment_of_an_authoritys_list_is_the_last_for_all_of_its_peers(double grace, double first, double then, bool isGood)
    {
        var end = _world.Now.AddHours(3);
        var lists = RevocationLists.FromDer(_world.Root.IssueCrl(spec => spec with { NextUpdate = end }).Raw, _world.IssuingCrl().Raw);
        var stage = new CertificateStage(new()
        {
            Trust = _trust,
            Authorization = Authorize.AnyTrustedPeer,
            Revocation = new RevocationPolicy { Lists = lists, DangerousGracePeriod = TimeSpan.FromSeconds(grace) },
        });
        var shared = new SharedPaths();
        var early = end.AddSeconds(grace > 0 ? first : first - 1);

        Rejudge(stage, _peers["one"], early, shared).Should().BeNull();
        Rejudge(stage, _peers["two"], early, shared).Should().BeNull();
        shared.Followed.Should().Be(1);

        var late = end.AddSeconds(isGood && grace == 0 ? -0.5 : then);
        (Rejudge(stage, _peers["three"], late, shared)?.Reason).Should().Be(isGood ? null : RejectionReason.RevocationStatusUnknown);
    }

    [Test]
    public void The_last_moment_of_an_authority_is_the_last_for_all_of_its_peers()
    {
        var end = _world.Now.AddHours(1);
        var (one, two, three) = Below(_world.Root.IssueIntermediate("Brief", spec => spec with { NotAfter = end }));
        var stage = new CertificateStage(new() { Trust = _trust, Authorization = Authorize.AnyTrustedPeer });
        var shared = new SharedPaths();

        Rejudge(stage, one, end - s_fraction, shared).Should().BeNull();
        Rejudge(stage, two, end - s_fraction, shared).Should().BeNull();
        shared.Followed.Should().Be(1);
        Rejudge(stage, three, end + TimeSpan.FromSeconds(1), shared)!.Reason.Should().Be(RejectionReason.CertificateExpired);
    }

    [Test]
    public void A_policy_that_one_peer_has_counts_for_no_other()
    {
        var (one, two, other) = Below(
            _world.Root.IssueIntermediate("Policed", spec => spec with { Policies = [Policy] }), spec => spec with { Policies = [Policy] });
        var stage = new CertificateStage(new()
        {
            Trust = _world.Root.ToTrustAnchors().WithConstraints(new AnchorConstraints { RequiredPolicies = [Policy] }),
            Authorization = Authorize.AnyTrustedPeer,
        });
        var shared = new SharedPaths();

        Rejudge(stage, one, _now, shared).Should().BeNull();
        Rejudge(stage, other, _now, shared)!.Reason.Should().Be(RejectionReason.PolicyRequired);
        Rejudge(stage, two, _now, shared).Should().BeNull();
        shared.Followed.Should().Be(1);
    }

    [Test]
    public void A_shorter_path_that_has_come_up_is_found_for_everybody()
    {
        var shared = new SharedPaths();
        Judge(_peers["one"], shared).Should().BeNull();
        _trust.Replace(TrustAnchors.FromDer(_root.RawData, _issuing.RawData));

        foreach (var name in (string[])["one", "two", "three"])
        {
            Rejudge(_stage, _peers[name], _now, shared, out var standsOn).Should().BeNull();
            standsOn.Should().Equal(_peers[name].Path[..2]);
        }
    }

    [Test]
    public void A_peer_that_has_become_an_anchor_stands_on_nobody_else()
    {
        var shared = new SharedPaths();
        Judge(_peers["one"], shared).Should().BeNull();
        Judge(_peers["two"], shared).Should().BeNull();
        _trust.Replace(TrustAnchors.FromDer(_root.RawData, _peers["two"].Path[0].RawData));
        Judge(_peers["one"], shared).Should().BeNull();

        Rejudge(_stage, _peers["two"], _now, shared, out var standsOn).Should().BeNull();
        standsOn.Should().Equal(_peers["two"].Path[..1]);
    }

    [Test]
    public void A_client_and_a_server_share_nothing()
    {
        var shared = new SharedPaths();
        var asServer = _peers["a client's"] with { Evidence = new PeerEvidence(PeerRole.Server, _peers["a client's"].Evidence.Certificates) };

        Judge(_peers["one"], shared).Should().BeNull();
        Judge(_peers["a client's"], shared).Should().BeNull();
        Judge(asServer, shared)!.Reason.Should().Be(RejectionReason.WrongUsage);
    }

    /// <summary>Any order of peers and changes.</summary>
    [TestCase(1)]
    [TestCase(2)]
    [TestCase(3)]
    [TestCase(4)]
    public void Whatever_comes_in_whatever_order_each_verdict_is_the_one_that_the_peer_gets_alone(int seed)
    {
        const int Judgements = 400;
        var random = new Random(seed);
        var start = _now;
        var other = new TestAuthority("Other", timeProvider: _world.Clock);
        _made.Add(other);
        Action[] changes =
        [
            () => _trust.Replace(_world.Root.ToTrustAnchors()),
            () => _trust.Replace(TrustAnchors.FromDer(_root.RawData, _issuing.RawData)),
            () => _trust.Replace(TrustAnchors.Together(_world.Root.ToTrustAnchors(), other.ToTrustAnchors())),
            () => _trust.Replace(_world.Root.ToTrustAnchors().WithIntermediates(_world.Issuing.Certificate)),
            () => _trust.Replace(_world.Root.ToTrustAnchors().WithConstraints(new AnchorConstraints { RequiredPolicies = [Policy] })),
            () => _lists.Replace(All()),
            () => _lists.Replace(_world.Lists()),
            () => Revoke("revoked"),
            () => _denied.Replace(DenyList.Empty),
            () => _denied.Replace(DenyList.Of(DenyEntry.Serial(_peers["denied"].Path[0].SerialNumber))),
            () => _now = start + TimeSpan.FromHours(random.Next(4)),
            () => _now += TimeSpan.FromMilliseconds(random.Next(400)),
            () => _now = start + TimeSpan.FromDays(random.Next(12)),
        ];
        Shown[] peers = [.. _peers.Values];
        var shared = new SharedPaths();
        var accepted = 0;
        for (var judgement = 0; judgement < Judgements; judgement++)
        {
            if (random.Next(10) == 0)
            {
                changes[random.Next(changes.Length)]();
            }

            accepted += Judge(peers[random.Next(peers.Length)], shared) is null ? 1 : 0;
        }

        shared.Followed.Should().BeInRange(Judgements / 20, accepted);
    }

    /// <summary>Judges the peer among the others and alone; both must say the same.</summary>
    private Rejection? Judge(Shown peer, SharedPaths shared) => Rejudge(_stage, peer, _now, shared);

    private static Rejection? Rejudge(CertificateStage stage, Shown peer, DateTimeOffset at, SharedPaths shared) =>
        Rejudge(stage, peer, at, shared, out _);

    private static Rejection? Rejudge(
        CertificateStage stage, Shown peer, DateTimeOffset at, SharedPaths shared, out ImmutableArray<Certificate> standsOn)
    {
        var among = stage.Rejudge(peer.Evidence, peer.Path, at, at, out standsOn, shared: shared);
        var alone = stage.Rejudge(peer.Evidence, peer.Path, at, at, out var standsOnAlone);

        (among?.ToString()).Should().Be(alone?.ToString(), $"of {peer.Name} at {at:O}");
        (among?.Element).Should().Be(alone?.Element);
        standsOn.Should().Equal(standsOnAlone);
        return among;
    }

    private void Revoke(string name)
    {
        _world.Issuing.Revoke(Made(name));
        _lists.Replace(All());
    }

    /// <summary>The lists of all the authorities that there are here.</summary>
    private RevocationLists All() => RevocationLists.FromDer(
        [.. _made.OfType<TestAuthority>().Append(_world.Root).Append(_world.Issuing).Select(authority => authority.IssueCrl().Raw)]);

    private TestCertificate Made(string name) => _made.OfType<TestCertificate>().Single(made => made.Spec.Subject == $"CN={name}");

    private IEnumerable<Shown> Peers()
    {
        var now = _world.Now;
        foreach (var name in (string[])["one", "two", "three", "nothing wrong", "revoked", "denied"])
        {
            yield return Issue(name);
        }

        yield return Issue("key denied", spec => spec with { Key = TestKey.Generate() });
        yield return Issue("another policy", spec => spec with { Policies = [Policy] });
        yield return Issue("expired", spec => spec with { NotAfter = now.AddHours(1) });
        yield return Issue("not yet valid", spec => spec with { NotBefore = now.AddHours(3) });
        yield return Issue("a server's", spec => spec with { ExtendedKeyUsages = [ExtendedKeyUsage.ServerAuth] });
        yield return Issue("a client's", spec => spec with { ExtendedKeyUsages = [ExtendedKeyUsage.ClientAuth] });
        yield return Issue("a weak key", spec => spec with { Key = null, KeyAlgorithm = KeyAlgorithm.Rsa1024 });
        yield return Issue("an authority", spec => spec with { BasicConstraints = new BasicConstraints(true) });
        yield return Issue("nothing beside it", companions: []);
        yield return Issue("the root beside it", companions: [_issuing, _root]);
        yield return Issue("a stranger beside it", companions: [_issuing, _world.Client.Read()]);
        var itself = Issue("itself beside it");
        yield return itself with { Evidence = new(PeerRole.Client, [.. itself.Evidence.Certificates, itself.Evidence.Certificates[0]]) };
        yield return Issue("its own authority's name and key", spec => spec with
        {
            Subject = _world.Issuing.AsCertificate.Spec.Subject,
            Key = _world.Issuing.AsCertificate.Key,
        });

        var namesake = Keep(_world.Root.IssueIntermediate("Issuing"));
        yield return Issue("of a namesake", authority: namesake, companions: [namesake.Read()], above: [namesake.Read(), _root]);
        var stray = Issue("a path that is not its own", authority: namesake);
        yield return stray with { Path = [Issue("four").Path[0], _issuing, _root] };
        yield return Issue("below the root", authority: _world.Root, companions: [], above: [_root]);

        var constrained = Keep(_world.Root.IssueIntermediate("Constrained", spec => spec with
        {
            NameConstraints = new NameConstraints { Excluded = [GeneralName.Dns("excluded.test")] },
        }));
        Certificate[] below = [constrained.Read()];
        yield return Issue("below a constrained authority", authority: constrained, companions: below, above: [.. below, _root]);
        yield return Issue(
            "an excluded name", spec => spec with { DnsNames = ["a.excluded.test"] }, constrained, companions: below, above: [.. below, _root]);
    }

    /// <summary>Two peers that say something, and a third one that does not.</summary>
    private (Shown One, Shown Two, Shown Other) Below(TestAuthority authority, Func<CertificateSpec, CertificateSpec>? saying = null)
    {
        Keep(authority);
        Certificate[] companions = [authority.Read()];
        return (Peer("one of them", saying), Peer("two of them", saying), Peer("another", null));

        Shown Peer(string name, Func<CertificateSpec, CertificateSpec>? spec) =>
            Issue(name, spec, authority, companions, [.. companions, _root]);
    }

    private static readonly TestKey s_key = TestKey.Generate();

    private Shown Issue(
        string name,
        Func<CertificateSpec, CertificateSpec>? spec = null,
        TestAuthority? authority = null,
        Certificate[]? companions = null,
        Certificate[]? above = null)
    {
        var certificate = Keep((authority ?? _world.Issuing).Issue(usual =>
        {
            var asked = usual with { Subject = $"CN={name}", DnsNames = ["client.test"], Key = s_key };
            return spec?.Invoke(asked) ?? asked;
        }));
        return new Shown(
            name,
            new PeerEvidence(PeerRole.Client, [certificate.RawCertificate, .. (companions ?? [_issuing]).Select(companion => companion.RawData)]),
            [certificate.Read(), .. above ?? [_issuing, _root]]);
    }

    private T Keep<T>(T made)
        where T : IDisposable
    {
        _made.Add(made);
        return made;
    }

    /// <param name="Name">What is odd about the peer.</param>
    /// <param name="Evidence">What it showed.</param>
    /// <param name="Path">The path on which it stands, whose signatures count as verified.</param>
    private sealed record Shown(string Name, PeerEvidence Evidence, ImmutableArray<Certificate> Path);
}
