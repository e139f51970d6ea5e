using Microsoft.Extensions.Time.Testing;
using MutualAuth.Tests.Support;
using MutualAuth.Validation;

namespace MutualAuth.Tests.Scenarios;

/// <summary>Asynchronous validators have places of their own, a deadline of their own, and only one way to say yes.</summary>
[CancelAfter(60000)]
[NonParallelizable] // it counts the busy threads of the pool
public sealed class AsyncValidatorsTests
{
    // No other wait has this length.
    private static readonly TimeSpan s_deadline = TimeSpan.FromSeconds(4.321);

    private World _world = null!;
    private HurriedClock _clock = null!;

    [SetUp]
    public void SetUp() => (_world, _clock) = (new World(), new HurriedClock(s_deadline));

    [TearDown]
    public void TearDown() => _world.Dispose();

    [Test]
    public async Task As_many_peers_as_the_bound_allows_are_parked_the_next_one_waits_and_release_completes_all()
    {
        const int Bound = 64;
        var gate = new Gate();
        var time = new FakeTimeProvider(DateTimeOffset.UtcNow); // it stands: the first ones wait until the last one has come
        var server = new MutualTlsServer(
            _world.ServerOptions with { AsyncValidators = [gate], MaxConcurrentAsyncValidations = Bound, TimeProvider = time });
        var client = new MutualTlsClient(_world.ClientOptions with { TimeProvider = time });
        var handshakes = new List<Task<ConnectedPair>>();
        for (var count = 0; count < Bound + 1; count++)
        {
            var (clientSocket, serverSocket) = await ConnectedPair.SocketPairAsync();
            handshakes.Add(ConnectedPair.ShakeAsync(client.UpgradeAsync(clientSocket, "server.test"), server.AcceptAsync(serverSocket)));
        }

        for (var parked = 0; parked < Bound; parked++)
        {
            (await gate.Entered.WaitAsync(ConnectedPair.Deadline)).Should().BeTrue();
        }

        gate.Inside.Should().Be(Bound);
        BusyThreads().Should().BeLessThan(Bound, "a parked validator holds no thread");
        handshakes.Should().OnlyContain(handshake => !handshake.IsCompleted);
        gate.Open();

        foreach (var handshake in handshakes)
        {
            await using var ends = await handshake.WaitAsync(ConnectedPair.Deadline);
            ends.Server.Accepted.IsConfirmed.Should().BeTrue();
            ends.Client.Accepted.IsConfirmed.Should().BeTrue();
        }

        gate.MostInside.Should().Be(Bound);
    }

    [Test]
    public async Task Who_waits_for_a_place_longer_than_the_deadline_is_told_of_overload_and_not_let_in()
    {
        var gate = new Gate();
        var server = new MutualTlsServer(InAHurry(gate) with { MaxConcurrentAsyncValidations = 1 });
        var client = new MutualTlsClient(_world.ClientOptions);
        var (firstClient, firstServer) = await ConnectedPair.SocketPairAsync();
        var first = ConnectedPair.ShakeAsync(client.UpgradeAsync(firstClient, "server.test"), server.AcceptAsync(firstServer));
        (await gate.Entered.WaitAsync(ConnectedPair.Deadline)).Should().BeTrue();
        _clock.Hurry();

        var (secondClient, secondServer) = await ConnectedPair.SocketPairAsync();
        await using var second = await ConnectedPair.ShakeAsync(client.UpgradeAsync(secondClient, "server.test"), server.AcceptAsync(secondServer));

        second.Server.Refusal.Reason.Should().Be(RejectionReason.ValidatorOverloaded);
        second.Client.Refusal.PeerReason.Should().Be(PublicReason.TryAgainLater);
        (await first).Server.Refusal.Reason.Should().Be(RejectionReason.ValidatorTimedOut);
        gate.MostInside.Should().Be(1, "a validator that ignores its token keeps its place until it comes back");
    }

    [Test]
    public async Task A_validator_that_blocks_its_thread_cannot_hold_the_deadline_up()
    {
        using var release = new ManualResetEventSlim();
        var server = InAHurry(new Blocks(release, _clock));

        await using var ends = await ConnectedPair.ShakeAsync(_world.ClientOptions, server);

        ends.Server.Refusal.Reason.Should().Be(RejectionReason.ValidatorTimedOut);
        release.Set();
    }

    [Test]
    public async Task A_yes_that_comes_after_the_deadline_is_a_no()
    {
        var server = InAHurry(new YesWhenCancelled(_clock));

        await using var ends = await ConnectedPair.ShakeAsync(_world.ClientOptions, server);

        ends.Server.Refusal.Reason.Should().Be(RejectionReason.ValidatorTimedOut);
    }

    [Test]
    public async Task Who_gives_up_while_a_validator_works_gets_a_cancellation()
    {
        var gate = new Gate();
        using var giveUp = new CancellationTokenSource();
        var (clientSocket, serverSocket) = await ConnectedPair.SocketPairAsync();
        var server = End.OfAsync(new MutualTlsServer(_world.ServerOptions with { AsyncValidators = [gate] }).AcceptAsync(serverSocket, giveUp.Token));
        var client = End.OfAsync(new MutualTlsClient(_world.ClientOptions).UpgradeAsync(clientSocket, "server.test"));
        (await gate.Entered.WaitAsync(ConnectedPair.Deadline)).Should().BeTrue();

        await giveUp.CancelAsync();

        (await server).Failure.Should().BeOfType<OperationCanceledException>();
        (await client).Refusal.Reason.Should().Be(RejectionReason.ConfirmationTruncated);
        gate.Open();
    }

    [Test]
    public async Task A_later_yes_does_not_make_up_for_an_earlier_no()
    {
        var asked = new Gate();
        asked.Open();
        var server = _world.ServerOptions with { AsyncValidators = [new No(), asked] };

        await using var ends = await ConnectedPair.ShakeAsync(_world.ClientOptions, server);

        ends.Server.Refusal.Reason.Should().Be(RejectionReason.ValidatorRefused);
        asked.MostInside.Should().Be(0);
    }

    /// <summary>There is no verdict to be told, and the connection comes to nothing all the same.</summary>
    [Test]
    public async Task A_no_keeps_out_a_peer_that_does_not_confirm_either([Values] bool refuses)
    {
        var yes = new Gate();
        yes.Open();
        var (clientSocket, serverSocket) = await ConnectedPair.SocketPairAsync();
        var server = new MutualTlsServer(_world.ServerOptions with { AsyncValidators = [refuses ? new No() : yes], CloseTimeout = World.Moment });
        var accepting = End.OfAsync(server.AcceptAsync(serverSocket));
        var options = _world.ClientOptions with { Confirmation = ConfirmationPolicy.Never };
        await using var client = await new MutualTlsClient(options).UpgradeAsync(clientSocket, "server.test").WaitAsync(ConnectedPair.Deadline);
        client.IsConfirmed.Should().BeFalse();
        if (refuses)
        {
            await client.CompleteWritesAsync();
            (await accepting).Refusal.Reason.Should().Be(RejectionReason.ValidatorRefused);
        }
        else
        {
            await using var accepted = (await accepting).Accepted;
            accepted.IsConfirmed.Should().BeFalse();
        }
    }

    /// <summary>Threads that have nothing to do stay in the pool for a while, and how many these are is the doing of earlier tests.</summary>
    private static int BusyThreads()
    {
        ThreadPool.GetMaxThreads(out var most, out _);
        ThreadPool.GetAvailableThreads(out var idle, out _);
        return most - idle;
    }

    private MutualTlsServerOptions InAHurry(IAsyncPeerValidator validator) => _world.ServerOptions with
    {
        AsyncValidators = [validator],
        AsyncValidatorTimeout = s_deadline,
        TimeProvider = _clock,
    };

    private sealed class Gate : IAsyncPeerValidator
    {
        private readonly TaskCompletionSource _open = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private readonly Lock _lock = new();

        internal SemaphoreSlim Entered { get; } = new(0);

        internal int Inside { get; private set; }

        internal int MostInside { get; private set; }

        internal void Open() => _open.SetResult();

        public async ValueTask<Rejection?> ExamineAsync(AuthenticatedPeer peer, CancellationToken cancellationToken)
        {
            lock (_lock)
            {
                MostInside = Math.Max(MostInside, ++Inside);
            }

            Entered.Release();
            await _open.Task;
            lock (_lock)
            {
                Inside--;
            }

            return null;
        }
    }

    private sealed class Blocks(ManualResetEventSlim release, HurriedClock clock) : IAsyncPeerValidator
    {
        public ValueTask<Rejection?> ExamineAsync(AuthenticatedPeer peer, CancellationToken cancellationToken)
        {
            clock.Hurry();
            release.Wait(ConnectedPair.Deadline, CancellationToken.None);
            return new ValueTask<Rejection?>((Rejection?)null);
        }
    }

    private sealed class YesWhenCancelled(HurriedClock clock) : IAsyncPeerValidator
    {
        public async ValueTask<Rejection?> ExamineAsync(AuthenticatedPeer peer, CancellationToken cancellationToken)
        {
            clock.Hurry();
            await cancellationToken.WaitHandleAsync();
            return null;
        }
    }

    private sealed class No : IAsyncPeerValidator
    {
        public ValueTask<Rejection?> ExamineAsync(AuthenticatedPeer peer, CancellationToken cancellationToken) =>
            new(new Rejection(RejectionReason.ValidatorRefused, "a member", "a stranger"));
    }
}
