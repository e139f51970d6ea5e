using System.Collections.Concurrent;
using Microsoft.Extensions.Time.Testing;
using MutualAuth.Spiffe.Testing;
using MutualAuth.Tests.Support;

namespace MutualAuth.Tests;

/// <summary>A source lives as long as the process, and keeps nothing of the context of whoever connected it.</summary>
[CancelAfter(60000)]
public sealed class ContextTests
{
    private static readonly AsyncLocal<string?> s_ambient = new();

    private readonly FakeTimeProvider _clock = Clocks.Standing();
    private TestTrustDomain _domain = null!;

    [SetUp]
    public void Make_the_trust_domain() => _domain = new TestTrustDomain("example.test", _clock);

    [TearDown]
    public void Dispose_of_the_trust_domain() => _domain.Dispose();

    [Test]
    public async Task Who_connects_lends_nothing_to_what_follows()
    {
        var clock = new Watched(_clock);
        s_ambient.Value = "caller";
        await using var workload = await Workload.StartAsync(_clock, _domain.Update("/api"),
            change: options => options with { TimeProvider = clock });
        s_ambient.Value = null;
        var seen = new TaskCompletionSource<string?>(TaskCreationOptions.RunContinuationsAsynchronously);
        workload.Source.Replaced += (_, _) => seen.TrySetResult(s_ambient.Value);

        await workload.UpdateAsync(_domain.Update("/api"));

        (await seen.Task.WaitAsync(TimeSpan.FromSeconds(20))).Should().BeNull();
        clock.SawAmbient.Should().NotBeEmpty().And.AllSatisfy(ambient => ambient.Should().BeNull("the flow is suppressed, or nothing flows"));
    }

    [Test]
    public async Task Who_lets_nothing_flow_already_can_connect()
    {
        Task<Workload> starting;
        using (ExecutionContext.SuppressFlow())
        {
            starting = Workload.StartAsync(_clock, _domain.Update("/api"));
        }

        await using var workload = await starting.WaitAsync(TimeSpan.FromSeconds(20));
        workload.Source.Current.Should().NotBeNull();
    }

    /// <summary>Notes what would flow into the callback of each timer without end.</summary>
    private sealed class Watched(TimeProvider time) : TimeProvider
    {
        internal ConcurrentBag<string?> SawAmbient { get; } = [];

        public override long TimestampFrequency => time.TimestampFrequency;

        public override DateTimeOffset GetUtcNow() => time.GetUtcNow();

        public override long GetTimestamp() => time.GetTimestamp();

        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
        {
            if (dueTime == Timeout.InfiniteTimeSpan)
            {
                SawAmbient.Add(ExecutionContext.IsFlowSuppressed() ? null : s_ambient.Value);
            }

            return time.CreateTimer(callback, state, dueTime, period);
        }
    }
}
