using Grpc.Core;
using Microsoft.Extensions.Logging;
using MutualAuth.Reloading;
using MutualAuth.Spiffe.Protocol;
using MutualAuth.Spiffe.Updates;
using MutualAuth.Tokens;

namespace MutualAuth.Spiffe;

/// <summary>
/// The keys by which the JWT-SVIDs of each trust domain are verified, from the SPIFFE Workload API, followed for as long as the source lives.
/// </summary>
/// <remarks>
/// <para>Give it to a <see cref="JwtSvidValidator"/>, and keep one for the whole process. When a key is taken out, or a trust domain, the connections
/// that stand on it end.</para>
/// <para>When the API is out of reach, gives an odd answer or goes dead, the source leaves it and tries again without end, and the last good keys
/// stay in force. They have no dates of their own.</para>
/// <para>Safe for concurrent use.</para>
/// </remarks>
public sealed class JwtSource : IJwtBundleSource, IReloadable, IAsyncDisposable
{
    private const int MaxListed = 8;

    private readonly JwtSourceOptions _options;
    private readonly ILogger _logger;
    private readonly WorkloadApiFollower<JWTBundlesResponse> _follower;
    private volatile JwtBundles? _current;

    private JwtSource(JwtSourceOptions options, WorkloadApiAddress address)
    {
        _options = options;
        _logger = SourceLog.Create(options.LoggerFactory);
        _follower = new WorkloadApiFollower<JWTBundlesResponse>(
            new FollowerOptions(
                address,
                JwtSvids.Profile,
                options.FirstUpdateTimeout,
                new Backoff(options.RetryDelay, options.MaxRetryDelay),
                options.KeepAlive,
                options.Limits.MaxMessageBytes,
                options.TimeProvider,
                _logger),
            new Consumer(this));
    }

    /// <summary>Raised after <see cref="Current"/> has been replaced by other keys. Handlers return quickly; what they throw is logged.</summary>
    public event EventHandler? Replaced;

    /// <summary>The keys in force.</summary>
    public JwtBundles Current => _current!;

    /// <summary>
    /// Ends when the source follows no longer: well after <see cref="DisposeAsync"/>, and with a <see cref="WorkloadApiException"/> when no
    /// update was ever good and a new attempt would be of no use.
    /// </summary>
    public Task Completion => _follower.Completion;

    /// <summary>Connects, and waits for the first keys that check.</summary>
    /// <param name="options">Null for the defaults: the address in the environment.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <returns>The source, which the caller disposes of.</returns>
    /// <exception cref="ArgumentException">The options contradict themselves; the message lists every problem.</exception>
    /// <exception cref="FormatException">The environment holds something else than an address.</exception>
    /// <exception cref="WorkloadApiException">
    /// There was no good update within <see cref="JwtSourceOptions.FirstUpdateTimeout"/>; the message says why and what to do.
    /// </exception>
    /// <exception cref="OperationCanceledException"><paramref name="cancellationToken"/> ended.</exception>
    public static async Task<JwtSource> ConnectAsync(JwtSourceOptions? options = null, CancellationToken cancellationToken = default)
    {
        options ??= new JwtSourceOptions();
        var problems = string.Join(' ', options.Problems());
        if (problems.Length > 0)
        {
            throw new ArgumentException(problems, nameof(options));
        }

        var source = new JwtSource(options, options.Address ?? WorkloadApiAddress.FromEnvironment() ?? throw WorkloadApiException.NoAddress());
        try
        {
            await source._follower.StartAsync(cancellationToken).ConfigureAwait(false);
            return source;
        }
        catch
        {
            await source.DisposeAsync().ConfigureAwait(false);
            throw;
        }
    }

    /// <summary>Ends the stream. The last keys stay in force.</summary>
    public ValueTask DisposeAsync() => _follower.DisposeAsync();

    private UpdateRefusal? Take(JWTBundlesResponse message, Action watch)
    {
        var (bundles, refusal, refused) = JwtBundleReader.Read(message, _options.Limits, _current ?? JwtBundles.None);
        if (bundles is null)
        {
            return refusal;
        }

        foreach (var (trustDomain, left) in refused)
        {
            SourceLog.FederatedBundleRefused(_logger, trustDomain, left.Reason, left.Detail);
        }

        Put(bundles, watch);
        return null;
    }

    private void Put(JwtBundles bundles, Action watch)
    {
        var before = _current;
        if (before is not null && bundles.HasSameKeysAs(before))
        {
            return;
        }

        _current = bundles;
        watch();
        SourceEvents.Raise(Replaced, this, _logger);
        var described = bundles.TrustDomains.Take(MaxListed).Select(
            domain => bundles.TryGet(domain, out var bundle) ? $"{domain} has {bundle}" : null);
        SourceLog.KeysTaken(_logger, bundles.TrustDomains.Length, string.Join("; ", described));
    }

    private void WithdrawIfAsked()
    {
        if (_options.WhenDenied != WhenDenied.Withdraw || _current is not { TrustDomains.IsEmpty: false })
        {
            return;
        }

        _current = JwtBundles.None;
        SourceEvents.Raise(Replaced, this, _logger);
        SourceLog.KeysWithdrawn(_logger);
    }

    private sealed class Consumer(JwtSource source) : IStreamConsumer<JWTBundlesResponse>
    {
        public bool HasTaken => source._current is not null;

        public AsyncServerStreamingCall<JWTBundlesResponse> Call(WorkloadApiChannel channel, CancellationToken cancellationToken) =>
            channel.FetchJwtBundles(cancellationToken);

        public UpdateRefusal? Take(JWTBundlesResponse message, Action watch) => source.Take(message, watch);

        /// <summary>Keys have no dates by which one could tell; pings find a dead connection.</summary>
        public TimeSpan UntilOverdue() => Timeout.InfiniteTimeSpan;

        public void OnDenied() => source.WithdrawIfAsked();
    }
}
