using MutualAuth.Revalidation;
using MutualAuth.Revocation;
using MutualAuth.Testing;
using MutualAuth.Tests.Support;

namespace MutualAuth.Tests.Revalidation;

/// <summary>Which live connections a list of revoked certificates leads to, and that none is forgotten while it is open.</summary>
public sealed class IssuerIndexTests
{
    private RevalidationWorld _world = null!;
    private IssuerIndex _index = null!;
    private long _lastNumber;

    [SetUp]
    public void SetUp()
    {
        _world = new RevalidationWorld();
        _index = new IssuerIndex();
    }

    [TearDown]
    public void TearDown() => _world.Dispose();

    [Test]
    public void Connections_with_one_certificate_are_all_found_and_each_until_it_goes()
    {
        var (first, second, third) = (Entry(_world.Authorities.Client), Entry(_world.Authorities.Client), Entry(_world.Authorities.Client));
        var other = Entry(_world.Issue());
        Array.ForEach([first, second, third, other], _index.Add);
        _world.Authorities.Issuing.Revoke(_world.Authorities.Client);
        var list = IssuingList();

        _index.On(list).Should().BeEquivalentTo([first, second, third]);
        _index.Remove(second);
        _index.On(list).Should().BeEquivalentTo([first, third]);
        _index.Remove(third);
        _index.On(list).Should().BeEquivalentTo([first]);
        _index.Remove(first);
        _index.On(list).Should().BeEmpty();
        _index.Below(Issuing(other)).Should().BeEquivalentTo([other]);
    }

    [Test]
    public void A_list_that_is_longer_than_what_it_may_concern_finds_the_same_connections_as_a_shorter_one([Values(0, 1, 5)] int others)
    {
        var revoked = Entry(_world.Authorities.Client);
        Array.ForEach([revoked, Entry(_world.Issue()), Entry(_world.Issue())], _index.Add);
        for (var count = 0; count < others; count++)
        {
            _world.Authorities.Issuing.Revoke(_world.Issue());
        }

        _index.On(IssuingList()).Should().BeEmpty();
        _world.Authorities.Issuing.Revoke(_world.Authorities.Client);

        _index.On(IssuingList()).Should().BeEquivalentTo([revoked]);
    }

    [Test]
    public void Everybody_below_an_authority_is_found_and_nobody_below_one_that_is_not_known()
    {
        var (first, second) = (Entry(_world.Authorities.Client), Entry(_world.Issue()));
        _index.Below(Issuing(first)).Should().BeEmpty();
        _index.CertificatesOf(Issuing(first)).Should().BeEmpty();
        _index.Add(first);
        _index.Add(second);

        _index.Below(Issuing(first)).Should().BeEquivalentTo([first, second]);
        _index.Below(first.Path[^1].Subject).Should().BeEquivalentTo([first, second], "the root issued the authority on both paths");
        _index.Below(first.Path[0].Subject).Should().BeEmpty();
    }

    [Test]
    public void The_certificates_of_an_authority_are_known_while_somebody_stands_on_them()
    {
        var (first, second) = (Entry(_world.Authorities.Client), Entry(_world.Issue()));
        _index.Add(first);
        _index.Add(second);
        _index.CertificatesOf(Issuing(first)).Should().Equal(first.Path[1]);

        _index.Remove(first);
        _index.CertificatesOf(Issuing(first)).Should().Equal(second.Path[1]);
        _index.Remove(second);

        _index.CertificatesOf(Issuing(first)).Should().BeEmpty();
        _index.Remove(second);
        _index.Below(Issuing(first)).Should().BeEmpty("to forget twice is harmless");
    }

    [Test]
    public void A_path_of_one_certificate_has_no_issuer_to_be_found_by()
    {
        var whole = Entry(_world.Authorities.Client);
        var alone = new RevalidationEntry(whole.Connection!, ++_lastNumber, [whole.Path[0]], null);

        _index.Add(alone);

        _index.Below(Issuing(whole)).Should().BeEmpty();
    }

    [Test]
    public void A_list_of_somebody_else_leads_to_nobody()
    {
        _index.Add(Entry(_world.Authorities.Client));
        using var elsewhere = new TestAuthority("Elsewhere", timeProvider: _world.Clock);
        using var certificate = elsewhere.IssueClient("client.test");
        elsewhere.Revoke(certificate);

        _index.On(RevocationLists.FromDer(elsewhere.IssueCrl().Raw).Lists.Single()).Should().BeEmpty();
    }

    [Test]
    public void Those_who_came_and_went_are_found_no_more_whoever_comes_next()
    {
        _world.Authorities.Issuing.Revoke(_world.Authorities.Client);
        RevalidationEntry[] gone = [Entry(_world.Authorities.Client), Entry(_world.Authorities.Client), Entry(_world.Authorities.Client)];
        RevalidationEntry[] next = [Entry(_world.Issue()), Entry(_world.Issue())];
        for (var round = 0; round < 3; round++)
        {
            Array.ForEach(gone, _index.Add);
            Array.ForEach(gone, _index.Remove);
        }

        Array.ForEach(next, _index.Add);

        _index.On(IssuingList()).Should().BeEmpty();
        _index.Below(Issuing(next[0])).Should().BeEquivalentTo(next);
        _index.CertificatesOf(Issuing(next[0])).Should().ContainSingle();
    }

    [Test]
    public void Connections_that_come_and_go_two_at_a_time_need_no_tables_of_their_own()
    {
        var (first, second) = (Entry(_world.Authorities.Client), Entry(_world.Authorities.Client));
        ComeAndGo();

        var before = GC.GetAllocatedBytesForCurrentThread();
        ComeAndGo();
        (GC.GetAllocatedBytesForCurrentThread() - before).Should().BeLessThan(64);

        void ComeAndGo()
        {
            _index.Add(first);
            _index.Add(second);
            _index.Remove(first);
            _index.Remove(second);
        }
    }

    [Test]
    public void A_connection_stands_until_the_first_certificate_of_its_path_ends_and_on_another_path_until_that_ends()
    {
        var now = _world.Clock.GetUtcNow();
        var first = Entry(_world.Issue(spec => spec with { NotAfter = now.AddHours(2) }));
        var second = Entry(_world.Issue(spec => spec with { NotAfter = now.AddHours(1) }));
        (first.PathEnd, second.PathEnd).Should().Be((now.AddHours(2), now.AddHours(1)));
        first.IsPathEndPast = true;

        first.StandOn(second.Path);

        (first.Path, first.PathEnd, first.IsPathEndPast).Should().Be((second.Path, now.AddHours(1), false));
        new RevalidationEntry(first.Connection!, 9, [], null).PathEnd.Should().Be(DateTimeOffset.MaxValue, "without a path there is no end");
    }

    private RevalidationEntry Entry(TestCertificate peer)
    {
        var connection = new FakeConnection(_world.Judge(peer));
        return new RevalidationEntry(connection, ++_lastNumber, connection.Peer.Path, null);
    }

    private RevocationList IssuingList() => RevocationLists.FromDer(_world.Authorities.IssuingCrl().Raw).Lists.Single();

    private static MutualAuth.Names.DistinguishedName Issuing(RevalidationEntry entry) => entry.Path[1].Subject;
}
