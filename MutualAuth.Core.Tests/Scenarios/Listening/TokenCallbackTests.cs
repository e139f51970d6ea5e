using Microsoft.Extensions.Time.Testing;
using MutualAuth.Audit;
using MutualAuth.Tests.Support;
using MutualAuth.Validation;

namespace MutualAuth.Tests.Scenarios;

/// <summary>
/// Code of the application's registers callbacks on the tokens that it is given. They run when a handshake is ended: by the clock, by a stop, or by
/// another handshake that needs the room. None of these may be held up by them, or get what they throw.
/// </summary>
[CancelAfter(120000)]
public sealed class TokenCallbackTests
{
    public enum Callback
    {
        Quiet,
        Throws,
        Blocks,
    }

    private readonly FakeTimeProvider _clock = new(DateTimeOffset.UtcNow);
    private readonly ManualResetEventSlim _blocked = new();
    private World _world = null!;
    private ListeningWorld _listening = null!;

    [SetUp]
    public void SetUp()
    {
        _world = new World { CloseTimeout = World.Moment };
        _listening = new ListeningWorld(_world);
        _blocked.Reset();
    }

    [TearDown]
    public void TearDown()
    {
        _blocked.Set();
        _world.Dispose();
    }

    [OneTimeTearDown]
    public void OneTimeTearDown() => _blocked.Dispose();

    [Test]
    public async Task The_deadline_of_a_handshake_ends_it_whatever_a_selector_registers_on_its_token([Values] Callback callback)
    {
        var asked = Gate();
        await using var listener = _listening.Listen(_world.ServerOptions with { SelectServer = Holding(asked, callback), TimeProvider = _clock });
        var client = End.OfAsync(_listening.ConnectAsync(listener));
        await asked.Task.WaitAsync(ConnectedPair.Deadline);

        await Task.Run(() => _clock.Advance(TimeSpan.FromSeconds(10))).WaitAsync(ConnectedPair.Deadline);

        (await _listening.OnlyFailureAsync()).Reason.Should().Be(RejectionReason.HandshakeTimedOut);
        (await client).Connection.Should().BeNull();
    }

    [Test]
    public async Task A_stop_ends_handshakes_whatever_a_selector_registers_on_its_token([Values] Callback callback)
    {
        var asked = Gate();
        await using var listener = _listening.Listen(_world.ServerOptions with { SelectServer = Holding(asked, callback) });
        var client = End.OfAsync(_listening.ConnectAsync(listener));
        await asked.Task.WaitAsync(ConnectedPair.Deadline);

        await listener.StopAsync(TimeSpan.Zero).WaitAsync(ConnectedPair.Deadline);

        (await client).Connection.Should().BeNull();
        await FluentActions.Awaiting(() => listener.AcceptAsync().AsTask().WaitAsync(ConnectedPair.Deadline))
            .Should().ThrowAsync<ListenerStoppedException>();
    }

    /// <summary>The one that is ended waits longest; the one that came for its room is somebody else's.</summary>
    [Test]
    public async Task A_handshake_that_takes_the_room_of_another_goes_on_whatever_that_ones_selector_registered([Values] Callback callback)
    {
        var asked = Gate();
        var hold = Holding(asked, callback);
        var count = 0;
        ServerSelector first = (hello, front, token) => Interlocked.Increment(ref count) == 1 ? hold(hello, front, token) : new(front);
        await using var listener = _listening.Listen(
            _world.ServerOptions with { SelectServer = first }, options => options with { MaxWaitingHandshakes = 1 });
        var evicted = End.OfAsync(_listening.ConnectAsync(listener));
        await asked.Task.WaitAsync(ConnectedPair.Deadline);

        await using var other = await _listening.ConnectAsync(listener);

        other.IsConfirmed.Should().BeTrue();
        (await _listening.OnlyFailureAsync()).Reason.Should().Be(RejectionReason.Overloaded);
        (await evicted).Connection.Should().BeNull();
        await using var served = await listener.AcceptAsync().AsTask().WaitAsync(ConnectedPair.Deadline);
        served.Peer.Name.Should().Be("client.test");
    }

    /// <summary>What is told of the end of one handshake is told on a thread of its own.</summary>
    [Test]
    public async Task A_handshake_that_takes_the_room_of_another_goes_on_while_the_observer_holds_its_thread([Values] bool holds)
    {
        var asked = Gate();
        var hold = Holding(asked, Callback.Quiet);
        var count = 0;
        var told = new SemaphoreSlim(0);
        ServerSelector first = (hello, front, token) => Interlocked.Increment(ref count) == 1 ? hold(hello, front, token) : new(front);
        await using var listener = _listening.Listen(_world.ServerOptions with { SelectServer = first }, options => options with
        {
            MaxWaitingHandshakes = 1,
            OnHandshakeFailed = _ =>
            {
                told.Release();
                if (holds)
                {
                    _blocked.Wait(CancellationToken.None);
                }
            },
        });
        var evicted = End.OfAsync(_listening.ConnectAsync(listener));
        await asked.Task.WaitAsync(ConnectedPair.Deadline);

        await using var other = await _listening.ConnectAsync(listener);

        (await told.WaitAsync(ConnectedPair.Deadline)).Should().BeTrue("the observer is told of the one that was ended");
        other.IsConfirmed.Should().BeTrue();
        (await evicted).Connection.Should().BeNull();
    }

    [Test]
    public async Task The_deadline_of_validators_ends_them_whatever_they_register_on_their_token([Values] Callback callback)
    {
        var asked = Gate();
        await using var listener = _listening.Listen(_world.ServerOptions with
        {
            AsyncValidators = [new HoldingValidator(token => HoldAsync(asked, callback, token))],
            TimeProvider = _clock,
        });
        var client = End.OfAsync(_listening.ConnectAsync(listener));
        await asked.Task.WaitAsync(ConnectedPair.Deadline);

        await Task.Run(() => _clock.Advance(TimeSpan.FromSeconds(5))).WaitAsync(ConnectedPair.Deadline);

        (await _listening.OnlyFailureAsync()).Reason.Should().Be(RejectionReason.ValidatorTimedOut);
        (await client).Refusal.Failure.Should().Be(HandshakeFailure.RefusedByPeer);
    }

    [Test]
    public async Task The_deadline_of_the_audit_ends_the_wait_whatever_the_sink_registers_on_its_token([Values] Callback callback)
    {
        var asked = Gate();
        var sink = new RecordingSink
        {
            Instead = (what, token) => what.What == AuditKinds.Authenticated ? HoldAsync(asked, callback, token).AsTask() : null,
        };
        await using var listener = _listening.Listen(
            _world.ServerOptions with { Audit = sink.Policy with { Timeout = TimeSpan.FromSeconds(2) }, TimeProvider = _clock });
        var client = End.OfAsync(_listening.ConnectAsync(listener));
        await asked.Task.WaitAsync(ConnectedPair.Deadline);

        await Task.Run(() => _clock.Advance(TimeSpan.FromSeconds(2))).WaitAsync(ConnectedPair.Deadline);

        (await _listening.OnlyFailureAsync()).Reason.Should().Be(RejectionReason.AuditNotRecorded);
        (await client).Connection.Should().BeNull();
    }

    private static TaskCompletionSource Gate() => new(TaskCreationOptions.RunContinuationsAsynchronously);

    private ServerSelector Holding(TaskCompletionSource asked, Callback callback) => async (_, front, token) =>
    {
        await HoldAsync(asked, callback, token);
        return front;
    };

    /// <summary>Registers the callback, says so, and waits for the token.</summary>
    private async ValueTask HoldAsync(TaskCompletionSource asked, Callback callback, CancellationToken token)
    {
        using var registration = token.Register(() =>
        {
            switch (callback)
            {
                case Callback.Throws:
                    throw new InvalidOperationException("bug");
                case Callback.Blocks:
                    _blocked.Wait(CancellationToken.None);
                    break;
            }
        });
        asked.SetResult();
        await Task.Delay(Timeout.InfiniteTimeSpan, token);
    }

    private sealed class HoldingValidator(Func<CancellationToken, ValueTask> hold) : IAsyncPeerValidator
    {
        public async ValueTask<Rejection?> ExamineAsync(AuthenticatedPeer peer, CancellationToken cancellationToken)
        {
            await hold(cancellationToken);
            return null;
        }
    }
}
