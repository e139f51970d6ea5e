using Microsoft.Extensions.Logging;
using MutualAuth.Telemetry;

namespace MutualAuth.Reloading;

/// <summary>Material in memory that the application replaces while the process runs.</summary>
/// <remarks>A replacement is atomic, and applies to every handshake that begins later. Safe for use from many threads.</remarks>
/// <typeparam name="T">The type of the material.</typeparam>
public abstract class Replaceable<T> : IReloadable
    where T : class
{
    private readonly ReloadEvents _events;
    private readonly Func<T, string> _describe;
    private readonly Lock _replacing = new();
    private volatile T _current;

    private protected Replaceable(string material, T first, Func<T, string> describe, ILoggerFactory? loggerFactory)
    {
        ArgumentNullException.ThrowIfNull(first);
        _current = first;
        _describe = describe;
        _events = new ReloadEvents(this, material, "memory", MutualAuthTelemetry.CreateLogger(loggerFactory, LogArea.Reload));
    }

    /// <inheritdoc/>
    public event EventHandler? Replaced;

    /// <summary>The material in force. It never blocks and never throws.</summary>
    public T Current => _current;

    /// <summary>Replaces the material, and raises the event.</summary>
    /// <exception cref="ArgumentNullException"><paramref name="next"/> is null.</exception>
    /// <exception cref="MaterialException">
    /// The material must not replace the previous one, which stays in force. Only revocation lists have such rules.
    /// </exception>
    public void Replace(T next)
    {
        ArgumentNullException.ThrowIfNull(next);
        lock (_replacing)
        {
            try
            {
                Admit(next);
            }
            catch (MaterialException problem)
            {
                NoteRefusal(problem);
                throw;
            }

            _current = next;
        }

        _events.Replaced(Replaced, _describe(next));
    }

    /// <summary>Throws if the material must not replace the previous one.</summary>
    private protected virtual void Admit(T next)
    {
    }

    private protected void NoteRefusal(MaterialException problem) => _events.Refused(null, problem);
}
