using Microsoft.Extensions.Logging;

namespace MutualAuth.Reloading;

/// <summary>Material in memory that the application replaces while the process runs.</summary>
/// <remarks>A replacement takes the whole at once and is seen by every handshake that begins later. Safe for use from many threads.</remarks>
/// <typeparam name="T">What it is.</typeparam>
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
        _events = new ReloadEvents(this, material, "memory", MutualAuthTelemetry.CreateLogger(loggerFactory));
    }

    /// <inheritdoc/>
    public event EventHandler? Replaced;

    /// <summary>What counts at this moment. It never blocks and never throws.</summary>
    public T Current => _current;

    /// <summary>Puts new material into the old one's place, and says so.</summary>
    /// <exception cref="MaterialException">It must not take the old one's place, which then stays. Only revocation lists are held to that.</exception>
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

    /// <summary>Throws when the material must not take the place of the one before.</summary>
    private protected virtual void Admit(T next)
    {
    }

    private protected void NoteRefusal(MaterialException problem) => _events.Refused(null, problem);
}
