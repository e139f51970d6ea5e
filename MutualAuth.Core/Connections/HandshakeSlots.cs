using System.Net;
using System.Numerics;
using MutualAuth.Handshake;

namespace MutualAuth.Connections;

/// <summary>
/// Bounds how many handshakes compute at once, and how many wait to. Who has left fewer handshakes unfinished lately goes first, and
/// among equals addresses take turns; so a flood waits for honest clients, however many addresses it uses. Within one address, handshakes
/// in progress go before new ones.
/// </summary>
/// <remarks>
/// Every fourth turn goes through the ranks in rotation, so that no handshake waits for ever. Addresses that have left many unfinished never hold all
/// slots: one is kept for others. A new handshake is always admitted to the queue. When too many wait, the address with most of them in the last rank
/// loses the one that has waited longest.
/// </remarks>
internal sealed class HandshakeSlots
{
    /// <summary>An address with so many unfinished handshakes may not take the last slot.</summary>
    internal const int ManyUnfinished = 16;

    private const int RotatesEvery = 4;

    private readonly Lock _lock = new();
    private readonly Rank[] _ranks = [.. Enumerable.Range(0, RankOf(double.MaxValue) + 1).Select(_ => new Rank())];
    private readonly int _maxRunning;
    private readonly int _maxWaiting;
    private int _running;
    private int _runningOfMany;
    private int _waiting;
    private int _turns;

    internal HandshakeSlots(int maxRunning, int maxWaiting)
    {
        _maxRunning = maxRunning;
        _maxWaiting = maxWaiting;
    }

    /// <summary>Waits for a slot.</summary>
    /// <param name="attempt">The attempt that needs the slot.</param>
    /// <param name="address">The peer's address; null where there is none.</param>
    /// <param name="unfinished">How many handshakes its address left unfinished lately, this one among them.</param>
    /// <param name="isNew">Whether it has had no slot before.</param>
    /// <returns>The slot; dispose of it to release it.</returns>
    /// <exception cref="OperationCanceledException">The attempt ended while it waited.</exception>
    internal ValueTask<Slot> EnterAsync(HandshakeAttempt attempt, IPAddress? address, double unfinished, bool isNew)
    {
        Waiter? evicted = null;
        Waiter waiter;
        var rank = RankOf(unfinished);
        lock (_lock)
        {
            if (HasSlotFor(rank))
            {
                return new ValueTask<Slot>(Take(rank));
            }

            if (_waiting >= _maxWaiting)
            {
                evicted = Array.FindLast(_ranks, ranked => ranked.Count > 0)!.TakeFromLongest();
                _waiting--;
            }

            waiter = new Waiter(attempt, address ?? IPAddress.None, rank, isNew);
            _ranks[rank].Add(waiter);
            _waiting++;
        }

        evicted?.Attempt.Abort(
            new Rejection(RejectionReason.Overloaded, $"a turn before more than {_maxWaiting} handshakes waited for theirs", "none")
            {
                Hint = "If the load is honest, add servers, or raise MaxConcurrentHandshakes where processors are idle.",
            });
        return new ValueTask<Slot>(WaitAsync(waiter));
    }

    /// <summary>
    /// Takes a slot at once, also beyond the maximum: for what is there already and has nothing more to compute. Who waits goes on waiting until
    /// as many have been given back.
    /// </summary>
    internal Slot Hold()
    {
        lock (_lock)
        {
            return Take(rank: 0);
        }
    }

    private static int RankOf(double unfinished) => Math.Min(BitOperations.Log2((uint)Math.Clamp(unfinished, 1, uint.MaxValue)), 12);

    private static bool HasMany(int rank) => rank >= RankOf(ManyUnfinished);

    private bool HasSlotFor(int rank) => _running < _maxRunning && (!HasMany(rank) || _runningOfMany < Math.Max(1, _maxRunning - 1));

    private Slot Take(int rank)
    {
        _running++;
        _runningOfMany += HasMany(rank) ? 1 : 0;
        return new Slot(this, HasMany(rank));
    }

    private void GiveBack(bool ofMany)
    {
        lock (_lock)
        {
            _running--;
            _runningOfMany -= ofMany ? 1 : 0;
            while (TakeNext() is { } next)
            {
                if (next.Turn.TrySetResult(Take(next.Rank)))
                {
                    continue;
                }

                _running--;
                _runningOfMany -= HasMany(next.Rank) ? 1 : 0;
            }
        }
    }

    /// <summary>The next waiting handshake that may run.</summary>
    private Waiter? TakeNext()
    {
        if (_waiting == 0)
        {
            return null;
        }

        var first = _turns % RotatesEvery == RotatesEvery - 1 ? _turns / RotatesEvery % _ranks.Length : 0;
        for (var step = 0; step < _ranks.Length; step++)
        {
            var rank = (first + step) % _ranks.Length;
            if (_ranks[rank].Count > 0 && HasSlotFor(rank))
            {
                _turns = (_turns + 1) & int.MaxValue;
                _waiting--;
                return _ranks[rank].TakeNext();
            }
        }

        return null;
    }

    private async Task<Slot> WaitAsync(Waiter waiter)
    {
        var token = waiter.Attempt.Token;
        using (token.UnsafeRegister(static (state, cancelled) => ((Waiter)state!).Turn.TrySetCanceled(cancelled), waiter))
        {
            try
            {
                return await waiter.Turn.Task.ConfigureAwait(false);
            }
            catch (OperationCanceledException)
            {
                lock (_lock)
                {
                    _waiting -= _ranks[waiter.Rank].Remove(waiter) ? 1 : 0;
                }

                throw;
            }
        }
    }

    /// <summary>A turn to compute.</summary>
    internal readonly struct Slot(HandshakeSlots slots, bool ofMany)
    {
        internal void GiveBack() => slots.GiveBack(ofMany);
    }

    private sealed class Waiter(HandshakeAttempt attempt, IPAddress address, int rank, bool isNew)
    {
        internal HandshakeAttempt Attempt => attempt;

        internal IPAddress Address => address;

        internal int Rank => rank;

        internal bool IsNew => isNew;

        internal TaskCompletionSource<Slot> Turn { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
    }

    /// <summary>Those whose addresses left about as many handshakes unfinished. The owner's lock guards it.</summary>
    private sealed class Rank
    {
        private readonly Queues _underWay = new();
        private readonly Queues _new = new();

        internal int Count => _underWay.Count + _new.Count;

        internal void Add(Waiter waiter) => QueuesOf(waiter).Add(waiter);

        internal bool Remove(Waiter waiter) => QueuesOf(waiter).Remove(waiter);

        internal Waiter? TakeNext() => _underWay.TakeNext() ?? _new.TakeNext();

        internal Waiter? TakeFromLongest() => (_new.Count > 0 ? _new : _underWay).TakeFromLongest();

        private Queues QueuesOf(Waiter waiter) => waiter.IsNew ? _new : _underWay;
    }

    /// <summary>A queue for each address, which take turns.</summary>
    private sealed class Queues
    {
        private readonly LinkedList<LinkedList<Waiter>> _turns = new();
        private readonly Dictionary<IPAddress, LinkedListNode<LinkedList<Waiter>>> _byAddress = [];

        internal int Count { get; private set; }

        internal void Add(Waiter waiter)
        {
            if (!_byAddress.TryGetValue(waiter.Address, out var queue))
            {
                _byAddress.Add(waiter.Address, queue = _turns.AddLast(new LinkedList<Waiter>()));
            }

            queue.Value.AddLast(waiter);
            Count++;
        }

        /// <summary>The oldest of the address whose turn it is, which goes to the end.</summary>
        internal Waiter? TakeNext()
        {
            if (_turns.First is not { } queue)
            {
                return null;
            }

            _turns.RemoveFirst();
            _turns.AddLast(queue);
            return TakeFirst(queue);
        }

        internal Waiter? TakeFromLongest()
        {
            LinkedListNode<LinkedList<Waiter>>? longest = null;
            for (var queue = _turns.First; queue is not null; queue = queue.Next)
            {
                longest = longest is null || queue.Value.Count > longest.Value.Count ? queue : longest;
            }

            return longest is null ? null : TakeFirst(longest);
        }

        internal bool Remove(Waiter waiter)
        {
            if (!_byAddress.TryGetValue(waiter.Address, out var queue) || !queue.Value.Remove(waiter))
            {
                return false;
            }

            Discount(queue, waiter);
            return true;
        }

        private Waiter TakeFirst(LinkedListNode<LinkedList<Waiter>> queue)
        {
            var waiter = queue.Value.First!.Value;
            queue.Value.RemoveFirst();
            Discount(queue, waiter);
            return waiter;
        }

        private void Discount(LinkedListNode<LinkedList<Waiter>> queue, Waiter waiter)
        {
            Count--;
            if (queue.Value.Count == 0)
            {
                _turns.Remove(queue);
                _byAddress.Remove(waiter.Address);
            }
        }
    }
}
