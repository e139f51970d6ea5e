using Microsoft.Extensions.Logging;
using MutualAuth.Telemetry;

namespace MutualAuth.Identities;

/// <summary>An identity that an application callback returns, once for each handshake.</summary>
/// <remarks>
/// When the callback throws, the identity that it returned last is used, and the event is logged. Safe for use from many threads when the callback
/// is.
/// </remarks>
public sealed class IdentityCallback : IIdentitySource
{
    private readonly Func<Identity> _ask;
    private readonly ILogger _logger;
    private volatile Identity _last;

    /// <summary>Asks once, now, so that a callback that cannot answer is noticed before the first peer.</summary>
    /// <param name="ask">Gives the identity of the moment. It must be quick and must not block; keep identities rather than load them again.</param>
    /// <param name="loggerFactory">Where failures are logged; null means nowhere.</param>
    /// <exception cref="ArgumentNullException"><paramref name="ask"/> is null.</exception>
    /// <exception cref="ArgumentException">It gave null.</exception>
    public IdentityCallback(Func<Identity> ask, ILoggerFactory? loggerFactory = null)
    {
        ArgumentNullException.ThrowIfNull(ask);
        _ask = ask;
        _logger = MutualAuthTelemetry.CreateLogger(loggerFactory, LogArea.Reload);
        _last = ask() ?? throw new ArgumentException("The callback gave no identity.", nameof(ask));
    }

    /// <inheritdoc/>
    public Identity Current
    {
        get
        {
            try
            {
                return _last = _ask() ?? _last;
            }
            catch (Exception exception)
            {
                ReloadLog.CallbackFaulted(_logger, exception);
                return _last;
            }
        }
    }
}
