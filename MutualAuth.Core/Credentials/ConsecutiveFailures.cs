using Microsoft.Extensions.Logging;

namespace MutualAuth.Credentials;

/// <summary>Counts how often in a row logging in as a user has failed.</summary>
internal sealed class ConsecutiveFailures
{
    internal const int MaxNames = 65_536;

    internal static readonly TimeSpan SameTime = TimeSpan.FromMilliseconds(25);

    internal Func<TimeSpan, CancellationToken, Task> Level { get; set; } = static (span, cancellationToken) => Task.Delay(span, cancellationToken);

    internal int Names => 0;

    internal ValueTask<bool> IsBarredAsync(ICredentialStore? store, string userName, int limit, CancellationToken cancellationToken) => ValueTask.FromResult(false);

    internal ValueTask<bool> FailedAsync(ICredentialStore? store, string userName, int limit, bool isKnown, ILogger logger, CancellationToken cancellationToken) => ValueTask.FromResult(false);
}
