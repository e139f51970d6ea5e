using MutualAuth.Handshake;
using MutualAuth.Tests.Support;
using MutualAuth.Transport;

namespace MutualAuth.Tests.Handshake;

/// <summary>
/// A wait for the engine ends once, with the engine or without it, and is another handshake's only after it has ended with the engine.
/// </summary>
[CancelAfter(60000)]
[NonParallelizable] // spares belong to the process
public sealed class EngineWaitTests
{
    [Test]
    public async Task An_engine_that_has_ended_or_failed_ends_the_wait_at_once_and_its_exception_stays_with_its_task([Values] bool failed)
    {
        var handshake = failed ? Task.FromException(new IOException("x")) : Task.CompletedTask;
        await using var transport = new HandshakeTransport(Stream.Null, 20);

        var waiting = EngineWait.Take(transport, CancellationToken.None).UntilEndAsync(handshake);

        waiting.IsCompletedSuccessfully.Should().BeTrue();
        (await waiting).Should().BeTrue();
    }

    [Test]
    public async Task One_that_is_left_ends_the_wait_whatever_becomes_of_it_and_on_another_thread([Values] bool failed)
    {
        var engine = new TaskCompletionSource();
        await using var transport = new HandshakeTransport(Stream.Null, 20);
        var wait = EngineWait.Take(transport, CancellationToken.None);
        var leaving = true;
        var goesOn = GoOnAsync(wait.UntilEndAsync(engine.Task));

        wait.Leave();
        Volatile.Write(ref leaving, false);

        (await goesOn.WaitAsync(ConnectedPair.Deadline)).Should().Be((false, false));
        Action end = failed ? () => engine.SetException(new IOException("x")) : engine.SetResult;
        end.Should().NotThrow("it comes back late");

        async Task<(bool HasEnded, bool IsInside)> GoOnAsync(ValueTask<bool> waiting)
        {
            var thread = Environment.CurrentManagedThreadId;
            var hasEnded = await waiting.ConfigureAwait(false);
            return (hasEnded, Volatile.Read(ref leaving) && thread == Environment.CurrentManagedThreadId);
        }
    }

    [Test]
    public async Task A_result_that_was_taken_is_not_to_be_had_again_when_the_wait_is_another_handshakes()
    {
        await using var transport = new HandshakeTransport(Stream.Null, 20);
        var wait = EngineWait.Take(transport, CancellationToken.None);
        var first = wait.UntilEndAsync(Task.CompletedTask);
        var kept = first;
        (await first).Should().BeTrue();

        wait.GiveBack();

        await FluentActions.Awaiting(async () => await kept).Should().ThrowAsync<InvalidOperationException>();
        wait.AttemptEnds.CanBeCanceled.Should().BeFalse("it keeps nothing of the attempt");
    }

    [Test]
    public async Task However_many_handshakes_there_are_at_once_no_two_share_a_wait_and_each_ends_with_its_own_engine(
        CancellationToken cancellationToken)
    {
        await using var transport = new HandshakeTransport(Stream.Null, 20);
        await Parallel.ForEachAsync(Enumerable.Range(0, 5000), cancellationToken, async (number, _) =>
        {
            var engine = new TaskCompletionSource();
            using var attempt = new CancellationTokenSource();
            var wait = EngineWait.Take(transport, attempt.Token);
            var waiting = wait.UntilEndAsync(engine.Task);
            waiting.IsCompleted.Should().BeFalse();
            var ending = Task.Run(engine.SetResult, CancellationToken.None);
            (await waiting.AsTask().WaitAsync(ConnectedPair.Deadline, CancellationToken.None)).Should().BeTrue();
            engine.Task.IsCompleted.Should().BeTrue();
            wait.AttemptEnds.Should().Be(attempt.Token);
            wait.GiveBack();
            await ending;
        });
    }
}
