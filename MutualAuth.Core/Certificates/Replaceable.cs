using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using MutualAuth.Telemetry;

namespace MutualAuth.Certificates;

/// <summary>Material in memory that the application replaces while the process runs.</summary>
/// <remarks>A replacement takes the whole at once and is seen by every handshake that begins later. Safe for use from many threads.</remarks>
/// <typeparam name="T">What it is.</typeparam>
public abstract class Replaceable<T> : IReloadable
    where T : class
{
    private readonly Reloading _reloading;
    private readonly Func<T, string> _describe;
    private volatile T _current;

    private protected Replaceable(string material, T first, Func<T, string> describe, ILoggerFactory? loggerFactory)
    {
        ArgumentNullException.ThrowIfNull(first);
        _current = first;
        _describe = describe;
        _reloading = new Reloading(this, material, "memory", MutualAuthTelemetry.CreateLogger(loggerFactory));
    }

    /// <inheritdoc/>
    public event EventHandler? Replaced;

    /// <summary>What counts at this moment. It never blocks and never throws.</summary>
    public T Current => _current;

    /// <summary>Puts new material into the old one's place, and says so.</summary>
    public void Replace(T next)
    {
        ArgumentNullException.ThrowIfNull(next);
        _current = next;
        _reloading.Replaced(Replaced, _describe(next));
    }
}
