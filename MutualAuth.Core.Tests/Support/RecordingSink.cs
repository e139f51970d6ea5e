using System.Collections.Concurrent;
using System.Threading.Channels;
using MutualAuth.Audit;

namespace MutualAuth.Tests.Support;

/// <summary>An auditor's store of the application's: keeps events as they come, and fails as the test says.</summary>
internal sealed class RecordingSink : IAuditSink
{
    private readonly Channel<AuditEvent> _coming = Channel.CreateUnbounded<AuditEvent>();
    private readonly ConcurrentQueue<AuditEvent> _all = new();

    /// <summary>What becomes of an event; null for that it is kept. It may throw, block, or return a task that never ends.</summary>
    internal Func<AuditEvent, CancellationToken, Task?>? Instead { get; set; }

    internal IReadOnlyList<AuditEvent> All => [.. _all];

    internal IEnumerable<string> Kinds => _all.Select(what => what.What);

    internal AuditPolicy Policy => new() { Sink = this };

    public Task RecordAsync(AuditEvent what, CancellationToken cancellationToken)
    {
        if (Instead?.Invoke(what, cancellationToken) is { } outcome)
        {
            return outcome;
        }

        _all.Enqueue(what);
        _coming.Writer.TryWrite(what);
        return Task.CompletedTask;
    }

    /// <summary>The next event of this kind; others are passed over.</summary>
    internal async Task<AuditEvent> NextAsync(string kind)
    {
        using var deadline = new CancellationTokenSource(ConnectedPair.Deadline);
        while (true)
        {
            var next = await _coming.Reader.ReadAsync(deadline.Token);
            if (next.What == kind)
            {
                return next;
            }
        }
    }

    internal static string? Detail(AuditEvent what, string name) => what.Details.ToDictionary().GetValueOrDefault(name);
}
