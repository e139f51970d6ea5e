using System.Net;
using System.Net.Sockets;

namespace MutualAuth.Credentials;

/// <summary>The one door to <see cref="ScramHash.Hi"/>: bounds how many derivations run, how many wait, and how many of them one address may have.</summary>
internal sealed class KeyDerivation
{
    private readonly SemaphoreSlim _running;
    private readonly int _maxWaiting;
    private readonly int _maxPerAddress;
    private readonly Lock _lock = new();
    private readonly Dictionary<IPAddress, int> _byAddress = [];
    private int _held;
    private long _calls;

    /// <param name="maxRunning">Derivations at once. Each keeps one core busy.</param>
    /// <param name="maxWaiting">Derivations that wait for their turn.</param>
    /// <param name="maxPerAddress">Derivations, running or waiting, on behalf of one address.</param>
    internal KeyDerivation(int maxRunning, int maxWaiting, int maxPerAddress)
    {
        _running = new SemaphoreSlim(maxRunning, maxRunning);
        _maxWaiting = maxRunning + maxWaiting;
        _maxPerAddress = maxPerAddress;
    }

    /// <summary>For the side that spends its own time on its own password.</summary>
    internal static KeyDerivation Unbounded { get; } = new(int.MaxValue / 2, int.MaxValue / 2, int.MaxValue);

    /// <summary>How often a key has been derived.</summary>
    internal long Calls => Interlocked.Read(ref _calls);

    /// <summary>Derives, on a thread of the pool. The result is the caller's to wipe.</summary>
    /// <returns>Null when too many run and wait already.</returns>
    /// <exception cref="OperationCanceledException"><paramref name="cancellationToken"/> ended while it waited.</exception>
    internal async ValueTask<byte[]?> HiAsync(ScramHash hash, Password password, ReadOnlyMemory<byte> salt, int iterations, IPAddress? address, CancellationToken cancellationToken)
    {
        // The last line of defence: whoever calls has judged the count already.
        ArgumentOutOfRangeException.ThrowIfGreaterThan(iterations, ScramVerifier.MaxIterations);
        var key = KeyOf(address);
        if (!TryEnter(key))
        {
            return null;
        }

        try
        {
            await _running.WaitAsync(cancellationToken).ConfigureAwait(false);
            try
            {
                Interlocked.Increment(ref _calls);
                return await Task.Run(() => hash.Hi(password.Utf8, salt.Span, iterations), CancellationToken.None).ConfigureAwait(false);
            }
            finally
            {
                _running.Release();
            }
        }
        finally
        {
            Leave(key);
        }
    }

    /// <summary>An IPv6 host has a whole /64 to itself, and counts as one.</summary>
    internal static IPAddress KeyOf(IPAddress? address)
    {
        if (address is null)
        {
            return IPAddress.None;
        }

        if (address.IsIPv4MappedToIPv6)
        {
            return address.MapToIPv4();
        }

        return address.AddressFamily == AddressFamily.InterNetworkV6 ? new IPAddress([.. address.GetAddressBytes().AsSpan(0, 8), .. new byte[8]]) : address;
    }

    private bool TryEnter(IPAddress address)
    {
        lock (_lock)
        {
            var ofAddress = _byAddress.GetValueOrDefault(address);
            if (_held >= _maxWaiting || ofAddress >= _maxPerAddress)
            {
                return false;
            }

            _held++;
            _byAddress[address] = ofAddress + 1;
            return true;
        }
    }

    private void Leave(IPAddress address)
    {
        lock (_lock)
        {
            _held--;
            if (--_byAddress[address] == 0)
            {
                _byAddress.Remove(address);
            }
        }
    }
}
