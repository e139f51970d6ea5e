using System.Collections.Concurrent;
using Microsoft.Extensions.Time.Testing;
using MutualAuth.Credentials;

namespace MutualAuth.Tests.Credentials;

/// <summary>Keys of a callback: asked for once, kept for a time, and never instead of an answer.</summary>
[CancelAfter(60000)]
public sealed class FetchedFactorKeysTests
{
    private static readonly TimeSpan s_deadline = TimeSpan.FromSeconds(30);

    private readonly FakeTimeProvider _time = new();
    private readonly ConcurrentQueue<string?> _asked = new();

    [SetUp]
    public void SetUp() => _asked.Clear();

    [Test]
    public async Task However_many_ask_at_once_the_service_is_asked_once()
    {
        var gate = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var keys = Keys(async (id, _) =>
        {
            await gate.Task;
            return FactorKey.Create(id!);
        });
        var asking = Enumerable.Range(0, 200).Select(_ => keys.FindAsync("k1").AsTask()).ToArray();

        gate.SetResult();
        var found = await Task.WhenAll(asking).WaitAsync(s_deadline);

        found.Distinct().Should().ContainSingle().Which!.Id.Should().Be("k1");
        _asked.Should().Equal("k1");
    }

    [Test]
    public async Task A_key_is_kept_for_its_lifetime_and_then_asked_for_again()
    {
        var isThere = true;
        var keys = Keys((id, _) => ValueTask.FromResult(isThere ? FactorKey.Create(id ?? "k1") : null));
        await keys.FindAsync("k1");
        isThere = false;
        _time.Advance(TimeSpan.FromSeconds(59));
        (await keys.FindAsync("k1")).Should().NotBeNull();

        _time.Advance(TimeSpan.FromSeconds(1));

        (await keys.FindAsync("k1")).Should().BeNull("the service has taken it back");
        isThere = true;
        (await keys.FindAsync("k1")).Should().NotBeNull("that there is none is not kept");
        _asked.Should().Equal("k1", "k1", "k1");
    }

    [Test]
    public async Task The_key_that_writes_is_asked_for_without_a_name()
    {
        var keys = Keys((id, _) => ValueTask.FromResult<FactorKey?>(id is null ? FactorKey.Create("k7") : null));

        (await keys.FindCurrentAsync()).Id.Should().Be("k7");
        (await keys.FindAsync("k7")).Should().BeNull("each name is asked for by itself");

        var none = Keys((_, _) => ValueTask.FromResult<FactorKey?>(null));
        await FluentActions.Awaiting(() => none.FindCurrentAsync().AsTask()).Should().ThrowAsync<InvalidOperationException>();
    }

    [Test]
    public async Task A_callback_that_throws_or_answers_with_another_key_is_no_key()
    {
        var throwing = Keys((_, _) => throw new IOException("down"));
        var wrong = Keys((_, _) => ValueTask.FromResult<FactorKey?>(FactorKey.Create("other")));

        await FluentActions.Awaiting(() => throwing.FindAsync("k1").AsTask()).Should().ThrowAsync<IOException>();
        await FluentActions.Awaiting(() => wrong.FindAsync("k1").AsTask()).Should().ThrowAsync<InvalidOperationException>();
        await FluentActions.Awaiting(() => wrong.FindAsync("k1").AsTask()).Should().ThrowAsync<InvalidOperationException>("nothing of it is kept");
    }

    [Test]
    public async Task A_callback_that_does_not_come_back_ends_after_its_time_and_no_more_than_sixteen_of_them_run()
    {
        var begun = new SemaphoreSlim(0);
        var keys = Keys(async (_, _) =>
        {
            begun.Release();
            await Task.Delay(Timeout.InfiniteTimeSpan, CancellationToken.None);
            return null;
        });
        for (var number = 0; number < 16; number++)
        {
            var asking = keys.FindAsync($"k{number}").AsTask();
            (await begun.WaitAsync(s_deadline)).Should().BeTrue();
            while (!asking.IsCompleted)
            {
                _time.Advance(TimeSpan.FromSeconds(5));
                await Task.Yield();
            }

            await FluentActions.Awaiting(() => asking).Should().ThrowAsync<TimeoutException>();
        }

        await FluentActions.Awaiting(() => keys.FindAsync("k16").AsTask().WaitAsync(s_deadline)).Should().ThrowAsync<InvalidOperationException>();
        _asked.Should().HaveCount(16);
    }

    [Test]
    public async Task Who_gives_up_does_not_take_the_answer_from_the_others()
    {
        var gate = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        using var stop = new CancellationTokenSource();
        var keys = Keys(async (id, _) =>
        {
            await gate.Task;
            return FactorKey.Create(id!);
        });
        var impatient = keys.FindAsync("k1", stop.Token).AsTask();
        var patient = keys.FindAsync("k1").AsTask();

        await stop.CancelAsync();
        await FluentActions.Awaiting(() => impatient).Should().ThrowAsync<OperationCanceledException>();
        gate.SetResult();

        (await patient.WaitAsync(s_deadline)).Should().NotBeNull();
    }

    [TestCase(0, 5)]
    [TestCase(86401, 5)]
    [TestCase(60, 0)]
    [TestCase(60, 61)]
    public void Times_have_their_bounds(int lifetime, int timeout) =>
        FluentActions.Invoking(() => new FetchedFactorKeys(
            (_, _) => ValueTask.FromResult<FactorKey?>(null), TimeSpan.FromSeconds(lifetime), TimeSpan.FromSeconds(timeout)))
            .Should().Throw<ArgumentOutOfRangeException>();

    private FetchedFactorKeys Keys(Func<string?, CancellationToken, ValueTask<FactorKey?>> fetch) => new(
        (id, stop) =>
        {
            _asked.Enqueue(id);
            return fetch(id, stop);
        },
        TimeSpan.FromMinutes(1),
        TimeSpan.FromSeconds(5),
        _time);
}
