using Microsoft.Extensions.Time.Testing;
using MutualAuth.Audit;
using MutualAuth.Tests.Support;
using static MutualAuth.Tests.Support.RecordingSink;

namespace MutualAuth.Tests.Scenarios;

/// <summary>The bound on how long a user does nothing, over real TLS: keep-alive messages of a program keep no session open.</summary>
[CancelAfter(120000)]
public sealed class InactiveUsersTests
{
    private static readonly TimeSpan s_most = TimeSpan.FromMinutes(5);

    private World _world = null!;
    private FakeTimeProvider _clock = null!;

    [SetUp]
    public void SetUp()
    {
        _world = new World();
        _clock = new FakeTimeProvider(DateTimeOffset.UtcNow);
    }

    [TearDown]
    public void TearDown() => _world.Dispose();

    [Test]
    public async Task Octets_go_on_flowing_and_the_connection_ends_unless_the_user_does_something([Values] bool doesSomething)
    {
        var policy = new RevalidationPolicy { UserInactivityTimeout = s_most, IdleTimeout = TimeSpan.FromMinutes(2) };
        await using var ends = await ConnectedPair.ShakeAsync(
            _world.ClientOptions, _world.ServerOptions with { Revalidation = policy, TimeProvider = _clock });
        var (server, client) = (ends.Server.Accepted, ends.Client.Accepted);
        for (var minute = 0; minute < 4; minute++)
        {
            await ConnectedPair.RoundTripAsync(client, server);
            _clock.Advance(TimeSpan.FromMinutes(1));
        }

        await ConnectedPair.RoundTripAsync(client, server);
        if (doesSomething)
        {
            server.RecordUserActivity().Should().BeTrue();
            _clock.Advance(TimeSpan.FromMinutes(1));
            await ConnectedPair.RoundTripAsync(client, server);
            server.NoLongerValid.IsCancellationRequested.Should().BeFalse();
            server.RecordUserActivity().Should().BeTrue();
            return;
        }

        _clock.Advance(TimeSpan.FromMinutes(1));
        await server.DrainRequested.WaitHandleAsync();
        server.Invalidation!.Rejection.Reason.Should().Be(RejectionReason.UserInactive);
        server.RecordUserActivity().Should().BeFalse();
        await ConnectedPair.RoundTripAsync(client, server); // what is in progress may be finished
        _clock.Advance(policy.GracePeriod);

        (await client.Stream.ReadAsync(new byte[1]).AsTask().WaitAsync(ConnectedPair.Deadline)).Should().Be(0);
        client.EndedCleanly.Should().BeTrue();
        await client.DisposeAsync();
        var read = () => server.Stream.ReadAsync(new byte[1]).AsTask().WaitAsync(ConnectedPair.Deadline);
        var thrown = (await read.Should().ThrowAsync<ConnectionEndedException>()).Which;
        (thrown.End, thrown.Rejection!.Reason).Should().Be((ConnectionEnd.Invalidated, RejectionReason.UserInactive));
    }

    [Test]
    public async Task One_connection_of_a_user_keeps_no_other_one()
    {
        var policy = new RevalidationPolicy { UserInactivityTimeout = s_most, OnUserInactive = InvalidationAction.Abort };
        var server = new MutualTlsServer(_world.ServerOptions with { Revalidation = policy, TimeProvider = _clock });
        var client = new MutualTlsClient(_world.ClientOptions);
        await using var telephone = await ConnectedPair.ShakeAsync(client, server);
        await using var computer = await ConnectedPair.ShakeAsync(client, server);
        _clock.Advance(s_most / 2);
        telephone.Server.Accepted.RecordUserActivity().Should().BeTrue();

        _clock.Advance(s_most / 2);

        await computer.Server.Accepted.NoLongerValid.WaitHandleAsync();
        telephone.Server.Accepted.RecordUserActivity().Should().BeTrue();
        await ConnectedPair.RoundTripAsync(telephone.Client.Accepted, telephone.Server.Accepted);
    }

    [Test]
    public async Task A_client_ends_its_connection_by_the_same_rule()
    {
        var policy = new RevalidationPolicy { UserInactivityTimeout = s_most, OnUserInactive = InvalidationAction.Abort };
        await using var ends = await ConnectedPair.ShakeAsync(
            _world.ClientOptions with { Revalidation = policy, TimeProvider = _clock }, _world.ServerOptions);
        var reading = ends.Server.Accepted.Stream.ReadAsync(new byte[1]).AsTask();

        _clock.Advance(s_most);

        await ends.Client.Accepted.NoLongerValid.WaitHandleAsync();
        ends.Client.Accepted.Invalidation!.Rejection.Reason.Should().Be(RejectionReason.UserInactive);
        var read = () => reading.WaitAsync(ConnectedPair.Deadline);
        await read.Should().ThrowAsync<IOException>();
    }

    [Test]
    public async Task After_the_end_nothing_is_recorded_and_nothing_is_thrown([Values] bool hasTimeout, [Values] bool aborts)
    {
        var policy = new RevalidationPolicy { UserInactivityTimeout = hasTimeout ? s_most : null };
        await using var ends = await ConnectedPair.ShakeAsync(
            _world.ClientOptions, _world.ServerOptions with { Revalidation = policy, TimeProvider = _clock });
        var server = ends.Server.Accepted;
        server.RecordUserActivity().Should().BeTrue();
        if (aborts)
        {
            server.Abort();
        }
        else
        {
            await server.DisposeAsync();
        }

        server.RecordUserActivity().Should().BeFalse();
    }

    [Test]
    public async Task The_audit_says_why_it_ended()
    {
        var sink = new RecordingSink();
        var policy = new RevalidationPolicy { UserInactivityTimeout = s_most, OnUserInactive = InvalidationAction.Abort };
        await using var ends = await ConnectedPair.ShakeAsync(
            _world.ClientOptions, _world.ServerOptions with { Revalidation = policy, TimeProvider = _clock, Audit = sink.Policy });

        _clock.Advance(s_most);

        foreach (var kind in new[] { AuditKinds.ConnectionInvalidated, AuditKinds.ConnectionEnded })
        {
            Detail(await sink.NextAsync(kind), "reason").Should().Be("user_inactive");
        }
    }
}
