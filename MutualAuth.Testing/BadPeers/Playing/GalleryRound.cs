using System.Diagnostics;
using System.Globalization;
using System.Numerics;
using System.Security.Authentication;

namespace MutualAuth.Testing.BadPeers;

/// <summary>Plays the bad peers one by one, each between visits of its good neighbour, and keeps what was seen.</summary>
internal sealed class GalleryRound(
    TestAuthority authority,
    PeerRole role,
    GalleryRunOptions options,
    Func<string, TestCertificate?, CancellationToken, Task<Sighting>> play,
    CancellationToken cancellationToken)
{
    /// <summary>How long what was told to stop may take to come back.</summary>
    private static readonly TimeSpan s_grace = TimeSpan.FromSeconds(0.5);

    private static readonly TimeSpan s_pause = TimeSpan.FromMilliseconds(100);

    private readonly Stopwatch _watch = Stopwatch.StartNew();

    private bool IsOver => _watch.Elapsed >= options.TotalTime;

    internal async Task<GalleryReport> RunAsync(IReadOnlyCollection<RequiredCheck> demands)
    {
        var peers = Gallery.As(role).Where(peer => demands.Contains(peer.RequiredCheck) && !options.Except.Contains(peer))
            .Where(peer => !peer.NeedsTls13 || options.Protocols.HasFlag(SslProtocols.Tls13))
            .ToList();
        var results = new List<GalleryResult>();
        string? stopped = null;
        var trap = new GalleryTrap(options.PublishedHost);
        await using (trap.ConfigureAwait(false))
        {
            foreach (var (number, peer) in peers.Index())
            {
                var result = await TryAsync(peer, trap.IssuerUri, HasOneVisitMore(number)).ConfigureAwait(false);
                results.Add(result);
                var why = !IsOver && result.Good != PeerOutcome.LetIn ? await WhyNobodyIsServedAsync().ConfigureAwait(false) : null;
                if (IsOver)
                {
                    // Also while a good peer waited: then that says nothing of the far end.
                    stopped = results.Count < peers.Count ? $"after {peer.Name}: the {Seconds(options.TotalTime)} of the whole run are over" : null;
                    break;
                }

                if (why is not null)
                {
                    stopped = $"after {peer.Name}: two good peers in a row were not served ({why})";
                    break;
                }
            }

            return new GalleryReport(results, [.. peers.Skip(results.Count)], stopped, trap.Hits, _watch.Elapsed);
        }
    }

    private static string Seconds(TimeSpan time) => time.TotalSeconds.ToString("0.###", CultureInfo.InvariantCulture) + " s";

    /// <summary>
    /// Whether the good neighbour comes once more before this peer: where the number has an odd count of ones, a sequence that has no period. Of
    /// nodes that take turns, not the same one meets every bad peer.
    /// </summary>
    private static bool HasOneVisitMore(int number) => BitOperations.PopCount((uint)number) % 2 == 1;

    private async Task<GalleryResult> TryAsync(BadPeer peer, string trap, bool withOneVisitMore)
    {
        BadPeerCase exhibit;
        try
        {
            exhibit = peer.Make(authority, role, options.Names, trap);
        }
        catch (Exception exception)
        {
            return new GalleryResult(peer, PeerOutcome.Unclear, PeerOutcome.Unclear, $"it could not be made: {exception.Message}");
        }

        using (exhibit)
        {
            var before = await PlayAsync(exhibit.DialledName, exhibit.Good).ConfigureAwait(false);
            if (withOneVisitMore && before.IsLetIn)
            {
                before = await PlayAsync(exhibit.DialledName, exhibit.Good).ConfigureAwait(false);
            }

            var bad = await PlayAsync(exhibit.DialledName, exhibit.Bad).ConfigureAwait(false);
            if (bad.ByClosing)
            {
                // A worker that has crashed and a node that is dead end so too: once more, out of step with anything that alternates.
                bad = bad.Or(await PlayAsync(exhibit.DialledName, exhibit.Bad).ConfigureAwait(false));
            }

            // A control holds when all visits were served: the first that was not is the one that counts.
            var good = before.IsLetIn ? await PlayAsync(exhibit.DialledName, exhibit.Good).ConfigureAwait(false) : before;
            if (peer.NeedsTls13 && bad.Outcome == PeerOutcome.Unclear)
            {
                bad = bad with { Detail = $"{bad.Detail}; {nameof(options.Protocols)} without TLS 1.3 leaves this peer out" };
            }

            var detail = good.IsLetIn
                ? bad.Detail
                : $"the good neighbour {(before.IsLetIn ? "after" : "before")} it: {good.Detail}; itself: {bad.Detail}";
            return new GalleryResult(peer, bad.Outcome, good.Outcome, detail)
            {
                Elapsed = bad.Elapsed,
                ProcessorTime = bad.ProcessorTime,
            };
        }
    }

    /// <summary>
    /// Null when a good peer is served. A server that starts again gets the patience to do so, and an end without an alert must happen twice here
    /// too.
    /// </summary>
    private async Task<string?> WhyNobodyIsServedAsync()
    {
        var names = new BadPeerBuilder(authority, role, options.Names, trap: null);
        using var good = names.Leaf();
        var waited = Stopwatch.StartNew();
        for (var closed = 0; ;)
        {
            var seen = await PlayAsync(names.DialledName, good).ConfigureAwait(false);
            closed = seen.ByClosing ? closed + 1 : 0;
            if (seen.IsLetIn)
            {
                return null;
            }

            var isSure = closed > 1 || seen is { Outcome: PeerOutcome.Refused, ByClosing: false };
            if (isSure || waited.Elapsed + s_pause >= options.Patience)
            {
                return seen.Detail;
            }

            await Task.Delay(s_pause, cancellationToken).ConfigureAwait(false);
        }
    }

    private async Task<Sighting> PlayAsync(string name, TestCertificate? shown)
    {
        var patience = TimeSpan.FromTicks(Math.Clamp((options.TotalTime - _watch.Elapsed).Ticks, 0, options.Patience.Ticks));
        var meter = ProcessorMeter.Read(options);
        var watch = Stopwatch.StartNew();
        var seen = await WithPatienceAsync(name, shown, patience).ConfigureAwait(false) with { Elapsed = watch.Elapsed };
        return meter?.Add(seen, options) ?? seen;
    }

    private async Task<Sighting> WithPatienceAsync(string name, TestCertificate? shown, TimeSpan patience)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limit.CancelAfter(patience);
        var token = limit.Token;
        var watch = Stopwatch.StartNew();
        var playing = Task.Run(
            async () =>
            {
                var seen = await play(name, shown, token).ConfigureAwait(false);

                // On a busy machine the timer may be as late as the far end.
                return seen.Outcome == PeerOutcome.Unclear || watch.Elapsed <= patience
                    ? seen
                    : Sighting.Unclear($"{seen.Detail}, after more than {Seconds(patience)}");
            },
            CancellationToken.None);
        if (await Task.WhenAny(playing, Task.Delay(patience + s_grace, cancellationToken)).ConfigureAwait(false) != playing)
        {
            _ = playing.ContinueWith(left => left.Exception, TaskScheduler.Default);
            cancellationToken.ThrowIfCancellationRequested();
            return Sighting.Unclear($"nothing within {Seconds(patience)}, and the call does not heed its token");
        }

        try
        {
            var seen = await playing.ConfigureAwait(false);
            cancellationToken.ThrowIfCancellationRequested();
            return seen;
        }
        catch (Exception) when (token.IsCancellationRequested && !cancellationToken.IsCancellationRequested)
        {
            return Sighting.Unclear($"nothing within {Seconds(patience)}");
        }
        catch (Exception exception) when (!cancellationToken.IsCancellationRequested)
        {
            return Sighting.Unclear($"{exception.GetType().Name}: {exception.Message}");
        }
    }
}
