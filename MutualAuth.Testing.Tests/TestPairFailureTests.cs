using System.Diagnostics.Metrics;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Time.Testing;
using MutualAuth.Testing.Transports;
using MutualAuth.Validation;

namespace MutualAuth.Testing.Tests;

/// <summary>A mistake in a test is told at once: the other side does not wait for a deadline that may never come.</summary>
[CancelAfter(20000)]
public sealed class TestPairFailureTests
{
    private static readonly TimeSpan s_never = TimeSpan.FromHours(1);

    private TestAuthority _authority = null!;
    private TestPair _pair = null!;
    private DuplexPair _wire = null!;

    [SetUp]
    public void MakePair() => Begin(TimeProvider.System);

    [TearDown]
    public void DisposeOfPair()
    {
        _wire.Dispose();
        _pair.Dispose();
        _authority.Dispose();
    }

    [Test]
    public async Task A_name_that_is_none_is_told_at_once([Values] bool stillClock, CancellationToken token)
    {
        if (stillClock)
        {
            Begin(new FakeTimeProvider());
        }

        var mistyped = _pair with { ServerName = "no such name!" };

        await FluentActions.Awaiting(() => mistyped.ConnectAsync(_wire, token).WaitAsync(token))
            .Should().ThrowAsync<ArgumentException>().WithMessage("*no such name!*");

        ShouldBeClosed();
    }

    [Test]
    public async Task The_same_pair_with_its_own_name_connects_while_the_clock_stands_still(CancellationToken token)
    {
        Begin(new FakeTimeProvider());

        await using var outcome = await _pair.ConnectAsync(_wire, token);

        outcome.ClientFailure.Should().BeNull();
        outcome.ServerFailure.Should().BeNull();
    }

    [Test]
    public async Task Options_that_cannot_be_are_told_at_once([Values] PeerRole wrong, CancellationToken token)
    {
        var bent = wrong == PeerRole.Client
            ? _pair with { Client = _pair.Client with { ApplicationProtocols = [""] } }
            : _pair with { Server = _pair.Server with { ApplicationProtocols = [""] } };

        await FluentActions.Awaiting(() => bent.ConnectAsync(_wire, token).WaitAsync(token)).Should().ThrowAsync<ArgumentException>();

        ShouldBeClosed();
    }

    [Test]
    public async Task Of_two_mistakes_one_is_told_and_not_what_comes_of_it(CancellationToken token)
    {
        var bent = _pair with { ServerName = "no such name!", Server = _pair.Server with { ApplicationProtocols = [""] } };

        await FluentActions.Awaiting(() => bent.ConnectAsync(_wire, token).WaitAsync(token)).Should().ThrowAsync<ArgumentException>();

        ShouldBeClosed();
    }

    [Test]
    public async Task A_wire_that_is_closed_already_gives_both_sides_a_failure(CancellationToken token)
    {
        await _wire.DisposeAsync();

        await using var outcome = await _pair.ConnectAsync(_wire, token).WaitAsync(token);

        outcome.ClientFailure.Should().NotBeNull();
        outcome.ServerFailure.Should().NotBeNull();
    }

    [Test]
    public async Task A_token_that_is_cancelled_beforehand_ends_both_sides(CancellationToken token)
    {
        await FluentActions.Awaiting(() => _pair.ConnectAsync(_wire, new CancellationToken(canceled: true)).WaitAsync(token))
            .Should().ThrowAsync<OperationCanceledException>();

        ShouldBeClosed();
    }

    [Test]
    public async Task Giving_up_ends_a_side_whose_validator_does_not_listen(CancellationToken token)
    {
        Begin(new FakeTimeProvider());
        using var giveUp = new CancellationTokenSource();
        var deaf = new Deaf();
        var bent = _pair with { Server = _pair.Server with { AsyncValidators = [deaf] } };

        var connecting = bent.ConnectAsync(_wire, giveUp.Token);
        await deaf.Asked.WaitAsync(token);
        await giveUp.CancelAsync();

        (await FluentActions.Awaiting(() => connecting.WaitAsync(token)).Should().ThrowAsync<OperationCanceledException>())
            .Which.CancellationToken.Should().Be(giveUp.Token);
        ShouldBeClosed();
    }

    [Test]
    public async Task Giving_up_closes_the_connection_of_the_side_that_has_one(CancellationToken token)
    {
        long verdict;
        using (var sound = new DuplexPair())
        {
            await using var outcome = await _pair.ConnectAsync(sound, token);
            verdict = sound.ServerToClient.Written - 12; // in the server's last frame; signatures differ by an octet or two
        }

        using var giveUp = new CancellationTokenSource();
        using var loggers = new Accepted();
        using var factory = new LoggerFactory([loggers]);
        var told = _pair with { Server = _pair.Server with { LoggerFactory = factory } };
        var stall = _wire.ServerToClient.StallAt(verdict);
        var (opened, open) = (0L, 0L);
        using var meters = new MeterListener
        {
            InstrumentPublished = (instrument, listener) =>
            {
                if (instrument.Name == "mutualauth.connection.open")
                {
                    listener.EnableMeasurementEvents(instrument);
                }
            },
        };
        meters.SetMeasurementEventCallback<int>((_, change, _, _) =>
        {
            Interlocked.Add(ref opened, Math.Max(0, change));
            Interlocked.Add(ref open, change);
        });
        meters.Start();

        var connecting = told.ConnectAsync(_wire, giveUp.Token);
        await loggers.Seen.WaitAsync(token);
        await giveUp.CancelAsync();

        await FluentActions.Awaiting(() => connecting.WaitAsync(token)).Should().ThrowAsync<OperationCanceledException>();
        stall.Happened.Should().BeTrue();
        ShouldBeClosed();
        (opened, open).Should().Be((1, 0));
    }

    private void Begin(TimeProvider clock)
    {
        _wire?.Dispose();
        _pair?.Dispose();
        _authority?.Dispose();
        _authority = new TestAuthority(timeProvider: clock);
        _wire = new DuplexPair(clock);
        var pair = _authority.CreatePair();
        _pair = pair with
        {
            Client = pair.Client with { HandshakeTimeout = s_never },
            Server = pair.Server with { HandshakeTimeout = s_never, AsyncValidatorTimeout = s_never },
        };
    }

    private void ShouldBeClosed() => (_wire.Client.CanRead, _wire.Server.CanRead).Should().Be((false, false));

    /// <summary>Is asked, and never answers.</summary>
    private sealed class Deaf : IAsyncPeerValidator
    {
        private readonly TaskCompletionSource _asked = new(TaskCreationOptions.RunContinuationsAsynchronously);

        internal Task Asked => _asked.Task;

        public async ValueTask<Rejection?> ExamineAsync(AuthenticatedPeer peer, CancellationToken cancellationToken)
        {
            _asked.TrySetResult();
            await new TaskCompletionSource().Task;
            return null;
        }
    }

    /// <summary>Sees event 1000: a side has its connection.</summary>
    private sealed class Accepted : ILoggerProvider, ILogger
    {
        private readonly TaskCompletionSource _seen = new(TaskCreationOptions.RunContinuationsAsynchronously);

        internal Task Seen => _seen.Task;

        public ILogger CreateLogger(string categoryName) => this;

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(
            LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            if (eventId.Id == 1000)
            {
                _seen.TrySetResult();
            }
        }

        public void Dispose()
        {
        }
    }
}
