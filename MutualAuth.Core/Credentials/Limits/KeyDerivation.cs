using System.Net;
using MutualAuth.Collections;

namespace MutualAuth.Credentials;

/// <summary>What one key is derived from, beside the password.</summary>
internal readonly record struct DerivationInput(ScramHash Hash, ReadOnlyMemory<byte> Salt, int Iterations);

/// <summary>
/// The only caller of <see cref="ScramHash.Hi"/>: bounds how many derivations run, how many wait, and how many one address may have.
/// </summary>
/// <remarks>
/// A known login, whose user has logged in from that address before, goes before all unknown ones, and displaces the last of them when no
/// place is free: a flood of wrong passwords delays such a user by one derivation at most.
/// </remarks>
internal sealed class KeyDerivation
{
    private readonly int _maxRunning;
    private readonly int _maxWaiting;
    private readonly int _maxPerAddress;
    private readonly Lock _lock = new();
    private readonly LinkedList<TaskCompletionSource<bool>> _familiar = new();
    private readonly LinkedList<TaskCompletionSource<bool>> _strangers = new();
    private readonly Dictionary<IPAddress, int> _strangersByAddress = [];
    private int _running;
    private long _calls;
    private long _iterations;

    /// <param name="maxRunning">Derivations at once. Each keeps one core busy.</param>
    /// <param name="maxWaiting">Derivations that wait for their turn.</param>
    /// <param name="maxPerAddress">Derivations, running or waiting, for the unknown users of one address.</param>
    internal KeyDerivation(int maxRunning, int maxWaiting, int maxPerAddress)
    {
        _maxRunning = maxRunning;
        _maxWaiting = maxWaiting;
        _maxPerAddress = maxPerAddress;
    }

    /// <summary>For the client, which spends its own time on its own password.</summary>
    internal static KeyDerivation Unbounded { get; } = new(int.MaxValue, 0, int.MaxValue);

    /// <summary>Called, with the address on whose behalf, on the thread that derives; tests hold it there.</summary>
    internal Action<IPAddress?>? BeforeDeriving { get; set; }

    /// <summary>How often a key has been derived.</summary>
    internal long Calls => Interlocked.Read(ref _calls);

    /// <summary>How many iterations have been asked for.</summary>
    internal long Iterations => Interlocked.Read(ref _iterations);

    /// <summary>How many wait for their turn.</summary>
    internal int Waiting
    {
        get
        {
            lock (_lock)
            {
                return _familiar.Count + _strangers.Count;
            }
        }
    }

    /// <summary>Derives one key. The result is the caller's to wipe.</summary>
    /// <returns>Null when too many run and wait already.</returns>
    /// <exception cref="OperationCanceledException"><paramref name="cancellationToken"/> ended while it waited.</exception>
    internal async ValueTask<byte[]?> HiAsync(
        ScramHash hash, Password password, ReadOnlyMemory<byte> salt, int iterations, IPAddress? address, bool isFamiliar,
        CancellationToken cancellationToken) =>
        (await HiAsync([new DerivationInput(hash, salt, iterations)], password, address, isFamiliar, cancellationToken).ConfigureAwait(false))?[0];

    /// <summary>Derives one key after the other, in one place, on a thread of the pool. The results are the caller's to wipe.</summary>
    /// <returns>Null when too many run and wait already.</returns>
    /// <exception cref="OperationCanceledException"><paramref name="cancellationToken"/> ended while it waited.</exception>
    internal async ValueTask<byte[][]?> HiAsync(
        DerivationInput[] inputs, Password password, IPAddress? address, bool isFamiliar, CancellationToken cancellationToken)
    {
        // The last line of defence: the caller has checked the iteration counts already.
        foreach (var input in inputs)
        {
            ArgumentOutOfRangeException.ThrowIfGreaterThan(input.Iterations, ScramVerifier.MaxIterations);
        }

        var key = isFamiliar ? null : AddressKey.Of(address);
        if (!TryCount(key))
        {
            return null;
        }

        try
        {
            if (!await EnterAsync(isFamiliar, cancellationToken).ConfigureAwait(false))
            {
                return null;
            }

            try
            {
                Interlocked.Increment(ref _calls);
                Interlocked.Add(ref _iterations, inputs.Sum(input => (long)input.Iterations));
                return await Task.Run(
                    () =>
                    {
                        BeforeDeriving?.Invoke(address);
                        return Array.ConvertAll(inputs, input => input.Hash.Hi(password.Utf8, input.Salt.Span, input.Iterations));
                    },
                    CancellationToken.None).ConfigureAwait(false);
            }
            finally
            {
                Leave();
            }
        }
        finally
        {
            Discount(key);
        }
    }

    /// <returns>False when there is no place, or it was given to a known login.</returns>
    private async ValueTask<bool> EnterAsync(bool isFamiliar, CancellationToken cancellationToken)
    {
        var turn = new TaskCompletionSource<bool>(TaskCreationOptions.RunContinuationsAsynchronously);
        TaskCompletionSource<bool>? evicted = null;
        lock (_lock)
        {
            if (_running < _maxRunning)
            {
                _running++;
                return true;
            }

            if (_familiar.Count + _strangers.Count >= _maxWaiting)
            {
                if (!isFamiliar || _strangers.Last is not { } last)
                {
                    return false;
                }

                _strangers.RemoveLast();
                evicted = last.Value;
            }

            (isFamiliar ? _familiar : _strangers).AddLast(turn);
        }

        evicted?.SetResult(false);
        try
        {
            return await turn.Task.WaitAsync(cancellationToken).ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
            bool hasLeft;
            lock (_lock)
            {
                hasLeft = _familiar.Remove(turn) || _strangers.Remove(turn);
            }

            // The turn came at the same moment: it is passed on.
            if (!hasLeft && await turn.Task.ConfigureAwait(false))
            {
                Leave();
            }

            throw;
        }
    }

    private void Leave()
    {
        TaskCompletionSource<bool> next;
        lock (_lock)
        {
            var queue = _familiar.Count > 0 ? _familiar : _strangers;
            if (queue.First is not { } first)
            {
                _running--;
                return;
            }

            queue.RemoveFirst();
            next = first.Value;
        }

        next.SetResult(true);
    }

    /// <summary>Known logins, and those without an address, are not counted: null.</summary>
    private bool TryCount(IPAddress? address)
    {
        if (address is null)
        {
            return true;
        }

        lock (_lock)
        {
            var ofAddress = _strangersByAddress.GetValueOrDefault(address);
            if (ofAddress >= _maxPerAddress)
            {
                return false;
            }

            _strangersByAddress[address] = ofAddress + 1;
            return true;
        }
    }

    private void Discount(IPAddress? address)
    {
        if (address is null)
        {
            return;
        }

        lock (_lock)
        {
            if (--_strangersByAddress[address] == 0)
            {
                _strangersByAddress.Remove(address);
            }
        }
    }
}
