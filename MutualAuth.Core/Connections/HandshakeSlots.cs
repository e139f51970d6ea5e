using System.Net;
using MutualAuth.Errors;
using MutualAuth.Handshake;

namespace MutualAuth.Connections;

/// <summary>
/// Bounds how many handshakes compute at once, and how many wait to. Addresses take turns, so that a flood from one of them makes another wait for one step
/// of the flood's and no more; and a handshake that is under way goes before a new one, since something was spent on it already.
/// </summary>
/// <remarks>A newcomer is always let in to wait. When too many wait, the address with most of them loses the one that has waited longest.</remarks>
internal sealed class HandshakeSlots
{
    private readonly Lock _lock = new();
    private readonly Queues _underWay = new();
    private readonly Queues _new = new();
    private readonly int _maxWaiting;
    private int _free;

    internal HandshakeSlots(int maxRunning, int maxWaiting)
    {
        _free = maxRunning;
        _maxWaiting = maxWaiting;
    }

    /// <summary>Waits for a slot; <see cref="Leave"/> gives it back.</summary>
    /// <exception cref="OperationCanceledException">The attempt ended while it waited.</exception>
    internal ValueTask EnterAsync(HandshakeAttempt attempt, IPAddress? address, bool isNew)
    {
        Waiter? evicted = null;
        Waiter waiter;
        lock (_lock)
        {
            if (_free > 0)
            {
                _free--;
                return default;
            }

            if (_underWay.Count + _new.Count >= _maxWaiting)
            {
                evicted = (_new.Count > 0 ? _new : _underWay).TakeFromLongest();
            }

            waiter = new Waiter(attempt, address ?? IPAddress.None, isNew ? _new : _underWay);
            waiter.Queues.Add(waiter);
        }

        evicted?.Attempt.Abort(new Rejection(RejectionReason.Overloaded, $"a turn before more than {_maxWaiting} handshakes waited for theirs", "none")
        {
            Hint = "If the load is honest, add servers, or raise MaxConcurrentHandshakes where processors are idle.",
        });
        return new ValueTask(WaitAsync(waiter));
    }

    /// <summary>Gives the slot to whoever's turn it is.</summary>
    internal void Leave()
    {
        lock (_lock)
        {
            while ((_underWay.TakeNext() ?? _new.TakeNext()) is { } next)
            {
                if (next.Turn.TrySetResult())
                {
                    return;
                }
            }

            _free++;
        }
    }

    private async Task WaitAsync(Waiter waiter)
    {
        var token = waiter.Attempt.Token;
        using (token.UnsafeRegister(static (state, cancelled) => ((Waiter)state!).Turn.TrySetCanceled(cancelled), waiter))
        {
            try
            {
                await waiter.Turn.Task.ConfigureAwait(false);
            }
            catch (OperationCanceledException)
            {
                lock (_lock)
                {
                    waiter.Queues.Remove(waiter);
                }

                throw;
            }
        }
    }

    private sealed class Waiter(HandshakeAttempt attempt, IPAddress address, Queues queues)
    {
        internal HandshakeAttempt Attempt => attempt;

        internal IPAddress Address => address;

        internal Queues Queues => queues;

        internal TaskCompletionSource Turn { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
    }

    /// <summary>A queue for each address, which take turns. The owner's lock guards it.</summary>
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

        internal void Remove(Waiter waiter)
        {
            if (_byAddress.TryGetValue(waiter.Address, out var queue) && queue.Value.Remove(waiter))
            {
                Discount(queue, waiter);
            }
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
