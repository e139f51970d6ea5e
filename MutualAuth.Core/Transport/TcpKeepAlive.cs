using System.Net.Sockets;

namespace MutualAuth;

/// <summary>
/// How a TCP socket finds out that its peer is gone without a word: probes of the kernel's, which cost the peer no more
/// than an answer (RFC 9293 §3.8.4).
/// </summary>
/// <remarks>
/// Immutable. With the defaults a peer that has lost its power, or its network, is noticed about two minutes after it was last heard: what then reads
/// or writes fails with an <see cref="IOException"/>.
/// </remarks>
public sealed record TcpKeepAlive
{
    /// <summary>Whether we set anything. Default: true; with false the socket stays as it is.</summary>
    public bool Enabled { get; init; } = true;

    /// <summary>How long nothing is heard before the first probe, in whole seconds, from one second to 32,767. Default: a minute.</summary>
    public TimeSpan Time { get; init; } = TimeSpan.FromMinutes(1);

    /// <summary>From one probe to the next while there is no answer, in whole seconds, from one second to 32,767. Default: 15 seconds.</summary>
    public TimeSpan Interval { get; init; } = TimeSpan.FromSeconds(15);

    /// <summary>Probes without an answer after which the connection is over, from 1 to 127. Default: 4.</summary>
    public int RetryCount { get; init; } = 4;

    internal IEnumerable<string> Problems()
    {
        foreach (var (name, duration) in new[] { (nameof(Time), Time), (nameof(Interval), Interval) })
        {
            if (duration < TimeSpan.FromSeconds(1)
                || duration > TimeSpan.FromSeconds(short.MaxValue)
                || duration.Ticks % TimeSpan.TicksPerSecond != 0)
            {
                yield return $"{nameof(TcpKeepAlive)}.{name} must be whole seconds, from 1 to {short.MaxValue}; it is {duration}.";
            }
        }

        if (RetryCount is < 1 or > sbyte.MaxValue)
        {
            yield return $"{nameof(TcpKeepAlive)}.{nameof(RetryCount)} must be 1 to {sbyte.MaxValue}; it is {RetryCount}.";
        }
    }

    /// <exception cref="SocketException">The peer has reset the connection already, on platforms that say so here.</exception>
    internal void ApplyTo(Socket socket)
    {
        if (Enabled)
        {
            socket.SetSocketOption(SocketOptionLevel.Socket, SocketOptionName.KeepAlive, true);
            socket.SetSocketOption(SocketOptionLevel.Tcp, SocketOptionName.TcpKeepAliveTime, (int)Time.TotalSeconds);
            socket.SetSocketOption(SocketOptionLevel.Tcp, SocketOptionName.TcpKeepAliveInterval, (int)Interval.TotalSeconds);
            socket.SetSocketOption(SocketOptionLevel.Tcp, SocketOptionName.TcpKeepAliveRetryCount, RetryCount);
        }
    }
}
