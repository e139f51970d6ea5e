using Grpc.Core;
using Microsoft.Extensions.Logging;
using MutualAuth.Reloading;
using MutualAuth.Revocation;
using MutualAuth.Spiffe.Protocol;
using MutualAuth.Spiffe.Updates;
using MutualAuth.Trust;

namespace MutualAuth.Spiffe;

/// <summary>An identity and the trust that belongs with it, from the SPIFFE Workload API, renewed for as long as the source lives.</summary>
/// <remarks>
/// <para>Give <see cref="Identity"/> and <see cref="Trust"/> to a server or a client, and keep one source for the whole process. Each new handshake
/// uses what was last taken; an update that does not check leaves everything as it was, and says so in the log.</para>
/// <para>When the API is out of reach, gives an odd answer, goes dead, or owes a renewal at half of the identity's lifetime, the source leaves it and
/// tries again without end, and the last good identity stays in force. When that expires meanwhile, peers reject us by its dates, and nothing else
/// has to notice. Bundles have no dates of their own and go on to count.</para>
/// <para>Safe for concurrent use.</para>
/// </remarks>
public sealed class X509Source : IReloadable, IAsyncDisposable
{
    // Timers of the framework run for 49 days at most.
    private static readonly TimeSpan s_longestTimer = TimeSpan.FromDays(40);

    private readonly X509SourceOptions _options;
    private readonly ILogger _logger;
    private readonly UpdateReader _reader;
    private readonly WorkloadApiFollower<X509SVIDResponse> _follower;
    private readonly View _identity;
    private readonly View _trust;
    private readonly View _revocationLists;
    private readonly HeldLoggers _listLoggers;
    private readonly ITimer _expiry;
    private volatile X509Snapshot? _current;
    private ReplaceableRevocationLists? _lists;
    private int _disposed;

    private X509Source(X509SourceOptions options, WorkloadApiAddress address)
    {
        _options = options;
        _logger = SourceLog.Create(options.LoggerFactory);
        _listLoggers = new HeldLoggers(options.LoggerFactory);
        _reader = new UpdateReader(options);
        _follower = new WorkloadApiFollower<X509SVIDResponse>(
            new FollowerOptions(
                address,
                "X.509-SVID",
                options.FirstUpdateTimeout,
                new Backoff(options.RetryDelay, options.MaxRetryDelay),
                options.KeepAlive,
                options.Limits.MaxMessageBytes,
                options.TimeProvider,
                _logger),
            new Consumer(this));
        using (ExecutionContext.SuppressFlow())
        {
            _expiry = options.TimeProvider.CreateTimer(static source => ((X509Source)source!).WatchExpiry(mayHaveExpired: true), this,
                Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        }

        _identity = new View(this);
        _trust = new View(this);
        _revocationLists = new View(this);
    }

    /// <summary>Raised after anything of <see cref="Current"/> has been replaced. Handlers return quickly; what they throw is logged.</summary>
    public event EventHandler? Replaced;

    /// <summary>What is in force now. Read it once where parts of it must belong together.</summary>
    public X509Snapshot Current => _current!;

    /// <summary>The identity of <see cref="Current"/>. It says when it is replaced (<see cref="IReloadable"/>).</summary>
    public IIdentitySource Identity => _identity;

    /// <summary>
    /// The bundles of <see cref="Current"/>: each trust domain's authorities vouch for that domain alone. They say when they are replaced
    /// (<see cref="IReloadable"/>).
    /// </summary>
    public ISpiffeBundleSource Trust => _trust;

    /// <summary>
    /// The revocation lists of <see cref="Current"/>. They never go back: an update with an older list, or without the lists of an issuer,
    /// keeps the last good ones. They raise an event when they are replaced (<see cref="IReloadable"/>). Use them only if the API sends
    /// some: SPIRE does not, and a policy without lists rejects every peer.
    /// </summary>
    public IRevocationListSource RevocationLists => _revocationLists;

    /// <summary>
    /// Ends when the source follows no longer: well after <see cref="DisposeAsync"/>, and with a <see cref="WorkloadApiException"/> when no
    /// update was ever good and a new attempt would be of no use.
    /// </summary>
    public Task Completion => _follower.Completion;

    /// <summary>Connects, and waits for the first update that checks.</summary>
    /// <param name="options">Null for the defaults: the address in the environment, and the first identity.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <returns>The source, which the caller disposes of.</returns>
    /// <exception cref="ArgumentException">The options contradict themselves; the message lists every problem.</exception>
    /// <exception cref="FormatException">The environment holds something else than an address.</exception>
    /// <exception cref="WorkloadApiException">
    /// There was no good update within <see cref="X509SourceOptions.FirstUpdateTimeout"/>; the message says why and what to do.
    /// </exception>
    /// <exception cref="OperationCanceledException"><paramref name="cancellationToken"/> ended.</exception>
    public static async Task<X509Source> ConnectAsync(X509SourceOptions? options = null, CancellationToken cancellationToken = default)
    {
        options ??= new X509SourceOptions();
        var problems = string.Join(' ', options.Problems());
        if (problems.Length > 0)
        {
            throw new ArgumentException(problems, nameof(options));
        }

        var address = options.Address ?? WorkloadApiAddress.FromEnvironment() ?? throw WorkloadApiException.NoAddress();
        var source = new X509Source(options, address);
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

    /// <summary>Ends the stream. What is in force stays usable until it expires.</summary>
    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _disposed, 1) == 0)
        {
            await _follower.DisposeAsync().ConfigureAwait(false);
            await _expiry.DisposeAsync().ConfigureAwait(false);
        }
    }

    /// <summary>
    /// How long the identity in force may go without a renewal: until half of its lifetime is over, and then until half of what is left is.
    /// </summary>
    private TimeSpan UntilOverdue()
    {
        if (_current is not { } current)
        {
            return Timeout.InfiniteTimeSpan;
        }

        var (certificate, now) = (current.Identity.Certificate, _options.TimeProvider.GetUtcNow());
        var untilHalf = certificate.NotBefore + ((certificate.NotAfter - certificate.NotBefore) / 2) - now;
        var wait = untilHalf > TimeSpan.Zero ? untilHalf : (certificate.NotAfter - now) / 2;
        var shortest = untilHalf > TimeSpan.Zero ? TimeSpan.FromMilliseconds(1) : _options.MaxRetryDelay;
        return wait < shortest ? shortest : wait < s_longestTimer ? wait : s_longestTimer;
    }

    private UpdateRefusal? Take(X509SVIDResponse message, Action watch)
    {
        var before = _current;
        var update = _reader.Read(message, before, _options.TimeProvider.GetUtcNow());
        if (update.Refusal is { } refusal)
        {
            if (refusal.Reason is UpdateRefusalReason.NoIdentity or UpdateRefusalReason.IdentityNotFound)
            {
                WithdrawIfAsked();
            }

            return refusal;
        }

        foreach (var (trustDomain, left) in update.Federated)
        {
            SourceLog.FederatedBundleRefused(_logger, trustDomain, left.Reason, left.Detail);
        }

        // Of the lists it is told once the whole update is in force.
        _listLoggers.Hold();
        try
        {
            Put(HoldLists(update.Snapshot!, before), before, watch);
        }
        finally
        {
            _listLoggers.LetGo();
        }

        return null;
    }

    /// <summary>
    /// Lists never go back: where those of an update do, the last good ones stay, and event 1401 says so. The rest is taken all the same: an old list
    /// must not keep an identity from being renewed.
    /// </summary>
    private X509Snapshot HoldLists(X509Snapshot after, X509Snapshot? before)
    {
        if (before is null || _lists is null)
        {
            _lists = new ReplaceableRevocationLists(after.RevocationLists, _listLoggers, _options.TimeProvider);
            return after;
        }

        if (ReferenceEquals(after.RevocationLists, before.RevocationLists))
        {
            return after;
        }

        try
        {
            _lists.Replace(after.RevocationLists);
            return after;
        }
        catch (MaterialException)
        {
            return after.WithListsOf(before);
        }
    }

    private void Put(X509Snapshot after, X509Snapshot? before, Action watch)
    {
        var isNewIdentity = !ReferenceEquals(after.Identity, before?.Identity);
        var isNewTrust = !ReferenceEquals(after.Bundles, before?.Bundles);
        var areNewLists = !ReferenceEquals(after.RevocationLists, before?.RevocationLists);
        if (!isNewIdentity && !isNewTrust && !areNewLists)
        {
            return;
        }

        _current = after;
        WatchExpiry(mayHaveExpired: false);
        watch();
        _listLoggers.LetGo();
        Raise(isNewIdentity ? _identity.Handlers : null, _identity);
        Raise(isNewTrust ? _trust.Handlers : null, _trust);
        Raise(areNewLists ? _revocationLists.Handlers : null, _revocationLists);
        Raise(Replaced, this);
        SourceLog.UpdateTaken(_logger, after.SpiffeId, after.Identity.Certificate.NotAfter, after.Bundles.TrustDomains.Length);
    }

    private void Raise(EventHandler? handlers, object sender) => SourceEvents.Raise(handlers, sender, _logger);

    private void WithdrawIfAsked()
    {
        if (_options.WhenDenied != WhenDenied.Withdraw || _current is not { } before || before.Bundles.TrustDomains.IsEmpty)
        {
            return;
        }

        _current = before.Trusting(SpiffeBundles.None);
        Raise(_trust.Handlers, _trust);
        Raise(Replaced, this);
        SourceLog.Withdrawn(_logger, before.SpiffeId);
    }

    /// <summary>Sets the timer for the identity in force, and says when its time has come.</summary>
    private void WatchExpiry(bool mayHaveExpired)
    {
        if (_current is not { } current)
        {
            return;
        }

        var notAfter = current.Identity.Certificate.NotAfter;
        var left = notAfter - _options.TimeProvider.GetUtcNow();
        if (left >= TimeSpan.Zero)
        {
            // The last second of validity is part of it.
            var due = left + TimeSpan.FromSeconds(1);
            _expiry.Change(due < s_longestTimer ? due : s_longestTimer, Timeout.InfiniteTimeSpan);
        }
        else if (mayHaveExpired)
        {
            SourceLog.IdentityExpired(_logger, current.SpiffeId, notAfter);
        }
    }

    private sealed class Consumer(X509Source source) : IStreamConsumer<X509SVIDResponse>
    {
        public bool HasTaken => source._current is not null;

        public AsyncServerStreamingCall<X509SVIDResponse> Call(WorkloadApiChannel channel, CancellationToken cancellationToken) =>
            channel.FetchX509Svid(cancellationToken);

        public UpdateRefusal? Take(X509SVIDResponse message, Action watch) => source.Take(message, watch);

        public TimeSpan UntilOverdue() => source.UntilOverdue();

        public void OnDenied() => source.WithdrawIfAsked();
    }

    /// <summary>
    /// One part of the source, with an event of its own: who judges connections again for a new bundle need not do it for a new identity.
    /// </summary>
    private sealed class View(X509Source source) : IIdentitySource, ISpiffeBundleSource, IRevocationListSource, IReloadable
    {
        public event EventHandler? Replaced;

        internal EventHandler? Handlers => Replaced;

        Identity IIdentitySource.Current => source.Current.Identity;

        SpiffeBundles ISpiffeBundleSource.Current => source.Current.Bundles;

        RevocationLists IRevocationListSource.Current => source.Current.RevocationLists;
    }
}
