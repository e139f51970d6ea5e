using Microsoft.Extensions.Logging;
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
    private (DateTimeOffset EndsAt, TimeSpan Threshold)? _warned;

    /// <summary>Watches an identity: the first of its certificates to end counts.</summary>
    /// <exception cref="ArgumentException"><paramref name="options"/> contradict themselves.</exception>
    public ExpiryWatch(IIdentitySource identity, ExpiryWatchOptions? options = null)
        : this("identity", () => LifetimeOf(identity.Current), options) => ArgumentNullException.ThrowIfNull(identity);

    /// <summary>Watches revocation lists: the first next update counts. Lists that announce none are passed over.</summary>
    /// <exception cref="ArgumentException"><paramref name="options"/> contradict themselves.</exception>
    public ExpiryWatch(IRevocationListSource lists, ExpiryWatchOptions? options = null)
        : this("revocation lists", () => LifetimeOf(lists.Current), options) => ArgumentNullException.ThrowIfNull(lists);

    private ExpiryWatch(string material, Func<Lifetime?> read, ExpiryWatchOptions? options)
    {
        _material = material;
        _read = read;
        _options = options ?? new ExpiryWatchOptions();
        _options.ThrowIfProblem(nameof(options));
        _logger = MutualAuthTelemetry.CreateLogger(_options.LoggerFactory);
        DaysLeftGauge.Add(this, Measure);
        using (ExecutionContext.SuppressFlow())
        {
            _timer = _options.TimeProvider.CreateTimer(static state => ((ExpiryWatch)state!).Look(), this, TimeSpan.FromMilliseconds(1), _options.Interval);
        }
    }

    /// <summary>Raised once for each threshold that is passed, and once at the end. It comes from any thread; handlers return quickly.</summary>
    public event EventHandler<ExpiringEventArgs>? Expiring;

    /// <summary>How long what is watched still lasts, negative when it has ended; null when it has no end.</summary>
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

    private static Lifetime? LifetimeOf(RevocationLists lists) => lists.Lists.Where(list => list.NextUpdate is not null).MinBy(list => list.NextUpdate) is { } first
        ? new Lifetime(Errors.SafeText.Quote(first.Issuer.ToString()), first.ThisUpdate, first.NextUpdate!.Value)
        : null;

    private (string Material, string Name, double DaysLeft)? Measure() =>
        _read() is { } lifetime ? (_material, lifetime.Name, (lifetime.End - _options.TimeProvider.GetUtcNow()).TotalDays) : null;

    private void Look()
    {
        try
        {
            ExpiringEventArgs? passed;
            lock (_looking)
            {
                passed = FindPassed();
            }

            if (passed is not null)
            {
                Tell(passed);
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
            return null;
        }

        var left = lifetime.End - _options.TimeProvider.GetUtcNow();
        var thresholds = _options.WarnBefore.Where(threshold => threshold <= (lifetime.End - lifetime.Start) / 3).Append(TimeSpan.Zero).Where(threshold => left <= threshold).ToArray();
        if (thresholds.Length == 0 || _warned is { } warned && warned.EndsAt == lifetime.End && warned.Threshold <= thresholds.Min())
        {
            return null;
        }

        _warned = (lifetime.End, thresholds.Min());
        return new ExpiringEventArgs(_material, lifetime.Name, lifetime.End, left);
    }

    private void Tell(ExpiringEventArgs passed)
    {
        if (passed.Left <= TimeSpan.Zero)
        {
            ReloadLog.Expired(_logger, _material, passed.Name, passed.EndsAt);
        }
        else
        {
            ReloadLog.Expiring(_logger, _material, passed.Name, passed.EndsAt, passed.Left.TotalDays);
        }

        Expiring?.Invoke(this, passed);
    }

    private sealed record Lifetime(string Name, DateTimeOffset Start, DateTimeOffset End);
}
