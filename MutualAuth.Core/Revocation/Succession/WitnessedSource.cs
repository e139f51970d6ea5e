using System.Collections.Frozen;
using System.Collections.Immutable;

namespace MutualAuth.Revocation;

/// <summary>What a witness remembers of one source of lists, and how it comes to remember more.</summary>
/// <remarks>
/// What a path proves or refutes is written in the background, for judging does no I/O; a write that failed is tried again every ten seconds until
/// the source is disposed of. Other programs may write lists of the same source: theirs stay, unless ours take their place.
/// </remarks>
internal sealed class WitnessedSource : IDisposable
{
    private static readonly TimeSpan s_pause = TimeSpan.FromSeconds(10);

    private readonly RevocationListWitness _witness;
    private readonly string _key;
    private readonly TimeProvider _clock;
    private readonly Lock _turn = new();
    private ImmutableArray<Standing> _standings;
    private FrozenSet<string> _written;
    private MaterialException? _flaw;
    private ITimer? _retry;
    private int _isQueued;
    private bool _isDisposed;

    /// <exception cref="MaterialException">The witness cannot be read.</exception>
    internal WitnessedSource(RevocationListWitness witness, string key, TimeProvider clock)
    {
        (_witness, _key, _clock) = (witness, key, clock);
        var book = witness.Read();
        var own = book.GetValueOrDefault(key, []);
        _standings = [.. own.Select(list => new Standing(list, null))];
        _written = Digests(own);
        Marks = [.. own.Select(list => list.Mark)];
        MarksOfOtherSources = [.. book.Where(source => source.Key != key).SelectMany(source => source.Value).Select(list => list.Mark)];
    }

    /// <summary>The lists of this source in earlier runs.</summary>
    internal ImmutableArray<ListMark> Marks { get; }

    /// <summary>The lists of all other sources in earlier runs.</summary>
    internal ImmutableArray<ListMark> MarksOfOtherSources { get; }

    /// <summary>The witness, for a message.</summary>
    internal string Witness => _witness.Path;

    /// <summary>Called when a write in the background failed, and with null when it was made up for.</summary>
    internal Action<MaterialException?>? Unrecorded { get; set; }

    /// <summary>Remembers lists that were admitted. Returns why that failed, null when it did not.</summary>
    internal MaterialException? Remember(RevocationLists lists)
    {
        lock (_turn)
        {
            var before = _standings;
            _standings = [.. lists.Lists.Select(list => StandingOf(list, lists, before))];
        }

        foreach (var list in lists.Lists)
        {
            list.TellWhenJudged(WriteSoon);
        }

        return Write();
    }

    /// <summary>
    /// Tries no failed write again. The lists may be used on, and what a path says of them from now on is written once, as far as it can be.
    /// </summary>
    public void Dispose()
    {
        lock (_turn)
        {
            _isDisposed = true;
            _retry?.Dispose();
            _retry = null;
        }
    }

    private static Standing StandingOf(RevocationList list, RevocationLists all, ImmutableArray<Standing> before)
    {
        var same = before.FirstOrDefault(standing => standing.Witnessed.Mark.Digest == list.Mark.Digest);
        if (same?.IsProven == true)
        {
            // A path of an earlier run has verified these very octets. Another key of that name in a path does not undo that.
            list.Prove();
        }

        ImmutableArray<WitnessedList> reserve = list.IsProven ? []
            : same is not null ? same.Witnessed.Reserve
            : [.. before.Where(old => Replaces(list, old.Witnessed.Mark, all)).SelectMany(old => old.AsReserve).DistinctBy(old => old.Mark.Digest)];
        return new Standing(new WitnessedList(list.Mark, list.IsProven, reserve), list);
    }

    private static bool Replaces(RevocationList list, ListMark old, RevocationLists all) =>
        list.Mark.Issuer.Equals(old.Issuer)
        && list.Mark.IsOfTheKindOf(old)
        && (list.Mark.NamesTheKeyOf(old) || !all.Naming(old.Issuer).Any(other => other.Mark.TakesThePlaceOf(old)));

    private void WriteSoon()
    {
        if (Interlocked.Exchange(ref _isQueued, 1) == 0)
        {
            _witness.Queue(() =>
            {
                Volatile.Write(ref _isQueued, 0);
                WriteInBackground();
            });
        }
    }

    private void Retry()
    {
        lock (_turn)
        {
            if (_retry is null)
            {
                return; // written, or disposed of, as the timer rang
            }
        }

        WriteInBackground();
    }

    private void WriteInBackground()
    {
        MaterialException? before;
        lock (_turn)
        {
            before = _flaw;
        }

        var now = Write();
        if ((before is null) != (now is null))
        {
            Unrecorded?.Invoke(now);
        }
    }

    private MaterialException? Write()
    {
        lock (_turn)
        {
            ImmutableArray<WitnessedList> ours = [.. _standings.SelectMany(standing => standing.ToRemember())];
            try
            {
                _witness.Write(book => book.SetItem(_key, Together(ours, book.GetValueOrDefault(_key, []))));
                _written = Digests(ours);
                _flaw = null;
                _retry?.Dispose();
                _retry = null;
            }
            catch (MaterialException problem)
            {
                _flaw = problem;
                _retry ??= _isDisposed ? null
                    : _clock.CreateTimer(static source => ((WitnessedSource)source!).Retry(), this, s_pause, s_pause);
            }

            return _flaw;
        }
    }

    /// <summary>Ours, and what another program has written meanwhile and we have not replaced.</summary>
    private ImmutableArray<WitnessedList> Together(ImmutableArray<WitnessedList> ours, ImmutableArray<WitnessedList> theirs)
    {
        var proven = theirs.Where(list => list.IsProven).Select(list => list.Mark.Digest).ToHashSet();
        return
        [
            .. ours.Select(list => proven.Contains(list.Mark.Digest) ? new WitnessedList(list.Mark, true) : list),
            .. theirs.Where(list => !_written.Contains(list.Mark.Digest) && !ours.Any(our => Covers(our.Mark, list.Mark))),
        ];
    }

    private static bool Covers(ListMark ours, ListMark theirs) =>
        ours.Digest == theirs.Digest || (ours.TakesThePlaceOf(theirs) && ours.BehindWhat(theirs) is null);

    private static FrozenSet<string> Digests(IEnumerable<WitnessedList> lists) =>
        lists.SelectMany(list => list.All).Select(list => list.Mark.Digest).ToFrozenSet();

    /// <summary>A list that is in force, or was in the run before.</summary>
    private sealed record Standing(WitnessedList Witnessed, RevocationList? List)
    {
        internal bool IsProven => Witnessed.IsProven || List?.IsProven == true;

        internal ImmutableArray<WitnessedList> AsReserve =>
            !IsProven && List?.IsRefuted == true ? Witnessed.Reserve : (Witnessed with { IsProven = IsProven }).AsReserve;

        /// <summary>A list that turned out to be forged is not remembered; what it replaced is.</summary>
        internal ImmutableArray<WitnessedList> ToRemember() =>
            IsProven ? [new(Witnessed.Mark, true)] : List?.IsRefuted == true ? Witnessed.Reserve : [Witnessed];
    }
}
