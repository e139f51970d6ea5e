using System.Collections.Immutable;
using Microsoft.Extensions.Logging;
using MutualAuth.Reloading;
using MutualAuth.Telemetry;

namespace MutualAuth.Revocation;

/// <summary>
/// Revocation lists that are fetched by HTTP from addresses of the operator's, ahead of their next update, with the last good ones kept.
/// </summary>
/// <remarks>
/// <para>Fetching begins at once and goes on until the end. Until an address has given its first list, or one was kept by an earlier run,
/// certificates that the list would cover have an unknown status, and are rejected unless the policy says otherwise; so are they when the last good
/// list has expired.</para>
/// <para>A fetched list is judged as one from a file is: read strictly, never older than the last good one, its signature checked at the first path
/// that needs it, or on arrival where <see cref="RevocationFetchOptions.Issuers"/> has its issuer. Certificates in an answer are not used. Each
/// address is asked by at most one fetch at a time. Safe for use from many threads. Dispose of it to stop; the last good lists then stay.</para>
/// </remarks>
/// <example>
/// <code>
/// await using var lists = new FetchedRevocationLists(new RevocationFetchOptions { Addresses = [new Uri("http://crl.example/issuing.crl")] });
/// </code>
/// </example>
public sealed class FetchedRevocationLists : IRevocationListSource, IReloadable, IDisposable, IAsyncDisposable
{
    private readonly RevocationFetchOptions _options;
    private readonly ListHttp _http;
    private readonly SemaphoreSlim _places;
    private readonly CancellationTokenSource _stop = new();
    private readonly ImmutableArray<ListFollower> _followers;
    private readonly ILogger _logger;
    private readonly Lock _merging = new();
    private readonly Task _following;
    private volatile RevocationLists _current;
    private int _disposed;

    /// <summary>Takes what an earlier run kept, and begins to fetch.</summary>
    /// <param name="options">What, how often, and within which bounds.</param>
    /// <exception cref="ArgumentNullException"><paramref name="options"/> is null.</exception>
    /// <exception cref="ArgumentException">The options contradict themselves; the message has every problem.</exception>
    /// <exception cref="MaterialException">The directory cannot be created, or every user may write it.</exception>
    public FetchedRevocationLists(RevocationFetchOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        if (string.Join(' ', options.Problems()) is { Length: > 0 } problems)
        {
            throw new ArgumentException(problems, nameof(options));
        }

        _options = options;
        _logger = MutualAuthTelemetry.CreateLogger(options.LoggerFactory, LogArea.Reload);
        var directory = options.Directory is { } path ? new ListDirectory(path, options.MaxBytes) : null;
        _http = new ListHttp(options);
        _places = new SemaphoreSlim(options.MaxConcurrentFetches);
        _followers = [.. options.Addresses.Select(
            address => new ListFollower(address, options, _http, directory, _places, _logger, OnTaken, _stop.Token))];
        _current = Merge();
        using (ExecutionContext.SuppressFlow())
        {
            _following = Task.WhenAll(_followers.Select(BeginToFollow));
        }
    }

    /// <inheritdoc/>
    public event EventHandler? Replaced;

    /// <summary>The last good lists of every address. It never blocks and never throws.</summary>
    public RevocationLists Current => _current;

    /// <summary>What is known of each address, in the order of the options. Fit for a health check.</summary>
    public ImmutableArray<RevocationFetchStatus> Status => [.. _followers.Select(follower => follower.Status)];

    /// <summary>
    /// Asks every address now, or joins the fetch that is under way, as the first one is when the constructor returns, and waits for the answers.
    /// Await it at start where peers must not come before the lists.
    /// </summary>
    /// <param name="cancellationToken">Gives up waiting; fetching goes on.</param>
    /// <returns>Whether every address answered with a list that counts, or said that the last good one is the newest.</returns>
    /// <exception cref="OperationCanceledException"><paramref name="cancellationToken"/> ended, or this was disposed of.</exception>
    /// <exception cref="ObjectDisposedException">This was disposed of before.</exception>
    public async Task<bool> FetchAsync(CancellationToken cancellationToken = default)
    {
        ObjectDisposedException.ThrowIf(_disposed != 0, this);
        var answers = await Task.WhenAll(_followers.Select(follower => follower.Fly())).WaitAsync(cancellationToken).ConfigureAwait(false);
        return answers.All(end => end.IsGood);
    }

    /// <summary>Breaks off what is under way and fetches no more, without waiting for the end of it.</summary>
    public void Dispose()
    {
        if (Interlocked.Exchange(ref _disposed, 1) == 0)
        {
            _stop.Cancel();
            foreach (var follower in _followers)
            {
                follower.Dispose();
            }

            _http.Dispose();
        }
    }

    /// <summary>The same, and waits for the end of it.</summary>
    public async ValueTask DisposeAsync()
    {
        Dispose();
        await _following.ConfigureAwait(false);
    }

    /// <summary>The first fetch is under way when it returns, so that who asks for one joins it, however late a thread is free to go on.</summary>
    private static Task BeginToFollow(ListFollower follower)
    {
        var first = follower.Fly();
        return Task.Run(() => follower.FollowAsync(first));
    }

    private void OnTaken(ListFollower follower)
    {
        lock (_merging)
        {
            _current = Merge();
        }

        new ReloadEvents(this, "revocation lists", follower.Address, _logger).Replaced(Replaced, follower.Current.ToString());
    }

    private RevocationLists Merge() => RevocationLists.Together(_followers.Select(follower => follower.Current), _options.Issuers);
}
