using MutualAuth.Revocation;
using MutualAuth.Tests.Support;

namespace MutualAuth.Tests.Revocation;

/// <summary>Lists of several sources as one.</summary>
public sealed class CombinedListsTests
{
    private RevocationWorld _world = null!;

    [SetUp]
    public void SetUp() => _world = new RevocationWorld();

    [TearDown]
    public void TearDown() => _world.Dispose();

    private RevocationLists Roots => RevocationLists.FromDer(_world.RootCrl().Raw);

    private RevocationLists Issuings => RevocationLists.FromDer(_world.IssuingCrl().Raw);

    [Test]
    public void Both_count()
    {
        using var both = new CombinedRevocationLists(Roots, Issuings);

        _world.Judge(both).Should().BeNull();
        _world.Judge(Roots)!.Reason.Should().Be(RejectionReason.RevocationStatusUnknown);
        _world.Judge(Issuings)!.Reason.Should().Be(RejectionReason.RevocationStatusUnknown);
    }

    [Test]
    public void A_source_that_checks_nothing_takes_nothing_away_from_the_other()
    {
        using var both = new CombinedRevocationLists(RevocationLists.DangerouslyUnchecked, Issuings);
        using var neither = new CombinedRevocationLists(RevocationLists.DangerouslyUnchecked, RevocationLists.DangerouslyUnchecked);

        _world.Judge(both)!.Reason.Should().Be(RejectionReason.RevocationStatusUnknown);
        _world.Judge(neither).Should().BeNull();
    }

    [Test]
    public void A_replacement_in_one_is_told_and_is_in_force()
    {
        using var client = _world.Issue();
        var issuing = new ReplaceableRevocationLists(Issuings, timeProvider: _world.Clock);
        using var both = new CombinedRevocationLists(Roots, issuing);
        RevocationLists? told = null;
        both.Replaced += (_, _) => told = both.Current;
        var before = both.Current;
        both.Current.Should().BeSameAs(before, "what has not changed is not made anew");

        _world.Issuing.Revoke(client);
        issuing.Replace(Issuings);

        told.Should().NotBeNull().And.NotBeSameAs(before);
        _world.Judge(_world.Options(both), peer: client)!.Reason.Should().Be(RejectionReason.CertificateRevoked);
        both.Dispose();
        told = null;
        issuing.Replace(Issuings);
        told.Should().BeNull();
    }

    [Test]
    public void There_must_be_a_source_and_none_may_be_missing()
    {
        FluentActions.Invoking(() => new CombinedRevocationLists()).Should().Throw<ArgumentException>();
        FluentActions.Invoking(() => new CombinedRevocationLists(Roots, null!)).Should().Throw<ArgumentException>();
    }
}
