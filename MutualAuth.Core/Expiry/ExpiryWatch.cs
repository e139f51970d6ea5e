using Microsoft.Extensions.Logging;
using MutualAuth.Errors;
using MutualAuth.Reloading;
using MutualAuth.Revocation;
using MutualAuth.Telemetry;

namespace MutualAuth.Expiry;

/// <summary>Foresees the end of our identity or of our revocation lists: a gauge of the days left, and warnings and events before it.</summary>
/// <remarks>A replacement with a later end is noticed by itself. Safe for use from many threads. Dispose of it to stop.</remarks>
public sealed class ExpiryWatch : IDisposable
{
    private readonly string _material;
    private readonly Func<Lifetime?> _read;
    private readonly ExpiryWatchOptions _options;
    private readonly ILogger _logger;
    private readonly ITimer _timer;
    private readonly Lock _looking = new();
    private EventHandler<ExpiringEventArgs>? _handlers;
    private (DateTimeOffset EndsAt, TimeSpan Threshold)? _warned;
    private ExpiringEventArgs? _latest;

    /// <summary>Watches an identity: the first of its certificates to expire counts. The watch begins at once.</summary>
    /// <param name="identity">The identity, or a source of it that renews it.</param>
    /// <param name="options">When to warn; null for the defaults.</param>
    /// <exception cref="ArgumentNullException"><paramref name="identity"/> is null.</exception>
    /// <exception cref="ArgumentException"><paramref name="options"/> contradict themselves.</exception>
    public ExpiryWatch(IIdentitySource identity, ExpiryWatchOptions? options = null)
        : this("identity", identity is null ? throw new ArgumentNullException(nameof(identity)) : () => LifetimeOf(identity.Current), options)
    {
    }

    /// <summary>Watches revocation lists: the first next update counts. Lists that announce none are passed over. The watch begins at once.</summary>
    /// <param name="lists">The lists, or a source of them that follows them.</param>
    /// <param name="options">When to warn; null for the defaults.</param>
    /// <exception cref="ArgumentNullException"><paramref name="lists"/> is null.</exception>
    /// <exception cref="ArgumentException"><paramref name="options"/> contradict themselves.</exception>
    public ExpiryWatch(IRevocationListSource lists, ExpiryWatchOptions? options = null)
        : this("revocation lists", lists is null ? throw new ArgumentNullException(nameof(lists)) : () => LifetimeOf(lists.Current), options)
    {
    }

    private ExpiryWatch(string material, Func<Lifetime?> read, ExpiryWatchOptions? options)
    {
        _material = material;
        _read = read;
        _options = options ?? new ExpiryWatchOptions();
        _options.ThrowIfProblem(nameof(options));
        _logger = MutualAuthTelemetry.CreateLogger(_options.LoggerFactory, LogArea.Reload);
        DaysLeftGauge.Add(this, Measure);
        using (ExecutionContext.SuppressFlow())
        {
            _timer = _options.TimeProvider.CreateTimer(
                static state => ((ExpiryWatch)state!).Look(), this, TimeSpan.FromMilliseconds(1), _options.Interval);
        }
    }

    /// <summary>
    /// Raised once for each threshold that is passed, and once at the end. A handler that is added after a threshold has passed hears of the latest
    /// one at once. It comes from any thread; handlers return quickly. What a handler throws is logged.
    /// </summary>
    public event EventHandler<ExpiringEventArgs>? Expiring
    {
        add
        {
            ExpiringEventArgs? passed;
            lock (_looking)
            {
                _handlers += value;
                passed = _latest;
            }

            if (passed is not null && value is not null)
            {
                Tell(value, passed);
            }
        }

        remove
        {
            lock (_looking)
            {
                _handlers -= value;
            }
        }
    }

    /// <summary>The time until the watched material expires, negative afterwards; null when it does not expire.</summary>
    public TimeSpan? Left => _read() is { } lifetime ? lifetime.End - _options.TimeProvider.GetUtcNow() : null;

    /// <summary>Stops watching, and measuring.</summary>
    public void Dispose()
    {
        DaysLeftGauge.Remove(this);
        _timer.Dispose();
    }

    private static Lifetime? LifetimeOf(Identity identity)
    {
        var first = identity.Intermediates.Append(identity.Certificate).MinBy(certificate => certificate.NotAfter)!;
        return new Lifetime(first.ToString(), first.NotBefore, first.NotAfter);
    }

    private static Lifetime? LifetimeOf(RevocationLists lists) => lists.Lists.Where(list => list.NextUpdate is not null)
        .MinBy(list => list.NextUpdate) is { } first
        ? new Lifetime(SafeText.Quote(first.Issuer.ToString()), first.ThisUpdate, first.NextUpdate!.Value)
        : null;

    private (string Material, string Name, double DaysLeft)? Measure() =>
        _read() is { } lifetime ? (_material, lifetime.Name, (lifetime.End - _options.TimeProvider.GetUtcNow()).TotalDays) : null;

    private void Look()
    {
        try
        {
            ExpiringEventArgs? passed;
            EventHandler<ExpiringEventArgs>? handlers;
            lock (_looking)
            {
                passed = FindPassed();
                handlers = _handlers;
            }

            if (passed is not null)
            {
                Log(passed);
                Tell(handlers, passed);
            }
        }
        catch (Exception exception)
        {
            // An exception that left a timer would end the process.
            ReloadLog.HandlerFaulted(_logger, _material, exception);
        }
    }

    /// <summary>The lowest threshold that has been passed, unless it was told of for this very end.</summary>
    private ExpiringEventArgs? FindPassed()
    {
        if (_read() is not { } lifetime)
        {
            _latest = null;
            return null;
        }

        var left = lifetime.End - _options.TimeProvider.GetUtcNow();
        var thresholds = _options.WarnBefore.Where(
            threshold => threshold <= (lifetime.End - lifetime.Start) / 3).Append(TimeSpan.Zero).Where(threshold => left <= threshold).ToArray();
        if (thresholds.Length == 0)
        {
            _latest = null; // renewed
            return null;
        }

        if (_warned is { } warned && warned.EndsAt == lifetime.End && warned.Threshold <= thresholds.Min())
        {
            return null;
        }

        _warned = (lifetime.End, thresholds.Min());
        return _latest = new ExpiringEventArgs(_material, lifetime.Name, lifetime.End, left);
    }

    private void Log(ExpiringEventArgs passed)
    {
        if (passed.Left <= TimeSpan.Zero)
        {
            ReloadLog.Expired(_logger, _material, passed.Name, passed.EndsAt);
        }
        else
        {
            ReloadLog.Expiring(_logger, _material, passed.Name, passed.EndsAt, passed.Left.TotalDays);
        }
    }

    private void Tell(EventHandler<ExpiringEventArgs>? handlers, ExpiringEventArgs passed)
    {
        try
        {
            EventHandlers.TellAll(handlers, this, passed);
        }
        catch (Exception exception)
        {
            ReloadLog.HandlerFaulted(_logger, _material, exception);
        }
    }

    private sealed record Lifetime(string Name, DateTimeOffset Start, DateTimeOffset End);
}
