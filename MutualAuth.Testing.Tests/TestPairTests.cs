using System.Security.Authentication;
using Microsoft.Extensions.Time.Testing;
using MutualAuth.Testing.Assertions;
using MutualAuth.Testing.Transports;

namespace MutualAuth.Testing.Tests;

[CancelAfter(20000)]
public sealed class TestPairTests
{
    [Test]
    public async Task A_pair_connects_as_it_stands(CancellationToken token)
    {
        using var authority = new TestAuthority();
        using var pair = authority.CreatePair();

        await using var outcome = await pair.ConnectAsync(cancellationToken: token);

        outcome.ShouldBeConnected();
        outcome.Client!.ShouldBeTo("server.test");
        outcome.Server!.ShouldBeTo("client.test");
        outcome.Client!.ShouldBeConfirmed();
    }

    [Test]
    public async Task A_pair_of_an_intermediate_connects_too(CancellationToken token)
    {
        using var authority = new TestAuthority();
        using var intermediate = authority.IssueIntermediate();
        using var pair = intermediate.CreatePair("a.test", "b.test");

        await using var outcome = await pair.ConnectAsync(cancellationToken: token);

        outcome.ShouldBeConnected();
    }

    [Test]
    public async Task With_one_fact_bent_both_sides_tell_why(CancellationToken token)
    {
        using var authority = new TestAuthority();
        using var pair = authority.CreatePair();
        using var expired = authority.Issue(
            spec => spec with { DnsNames = ["client.test"], NotBefore = spec.NotBefore.AddDays(-9), NotAfter = spec.NotBefore });
        var bent = pair with { Client = pair.Client with { Identity = expired.ToIdentity() } };

        await using var outcome = await bent.ConnectAsync(cancellationToken: token);

        outcome.ServerFailure.ShouldReject(RejectionReason.CertificateExpired);
        outcome.ClientFailure.ShouldBeRefusal(PublicReason.CertificateExpired);
        outcome.ToString().Should().Contain("certificate_expired");
    }

    [Test]
    public async Task Validity_follows_the_authority_s_clock(CancellationToken token)
    {
        var clock = new FakeTimeProvider(new DateTimeOffset(2040, 1, 1, 0, 0, 0, TimeSpan.Zero));
        using var authority = new TestAuthority(timeProvider: clock);
        using var pair = authority.CreatePair();

        await using (var today = await pair.ConnectAsync(cancellationToken: token))
        {
            today.ShouldBeConnected();
        }

        clock.Advance(TimeSpan.FromDays(31));
        await using var later = await pair.ConnectAsync(cancellationToken: token);
        later.ClientFailure.ShouldReject(RejectionReason.CertificateExpired);
    }

    [Test]
    public async Task A_wire_that_breaks_gives_both_sides_a_failure(CancellationToken token)
    {
        using var authority = new TestAuthority();
        using var pair = authority.CreatePair();
        var wire = new DuplexPair();
        wire.ServerToClient.ResetAt(500);

        await using var outcome = await pair.ConnectAsync(wire, token);

        outcome.ClientFailure!.Failure.Should().Be(HandshakeFailure.TransportLost);
        outcome.ServerFailure.Should().NotBeNull();
        FluentActions.Invoking(outcome.ShouldBeConnected)
            .Should().Throw<MutualAuthAssertionException>()
            .WithInnerException<AuthenticationException>();
    }
}
