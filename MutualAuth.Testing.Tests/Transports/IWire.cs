using System.Net;
using System.Net.Sockets;
using MutualAuth.Testing.Transports;

namespace MutualAuth.Testing.Tests.Transports;

/// <summary>A connection with both ends at hand, to play the same scene on a socket and on a <see cref="DuplexPair"/>.</summary>
internal interface IWire : IDisposable
{
    Stream Near { get; }

    Stream Far { get; }

    /// <summary>The near end says that it has sent all.</summary>
    void ShutdownNear();

    /// <summary>The far end says that it has sent all.</summary>
    void ShutdownFar();

    /// <summary>The connection breaks off; both streams stay as they are.</summary>
    void Reset();

    /// <summary>Waits until the near end has this many octets to read.</summary>
    void UntilArrived(int octets);

    /// <summary>Waits until the near end has seen the far end's end.</summary>
    void UntilEnded();

    /// <summary>Waits until the near end has seen a reset.</summary>
    void UntilReset();
}

/// <summary>Two sockets over loopback.</summary>
internal sealed class SocketWire : IWire
{
    private static readonly TimeSpan s_deadline = TimeSpan.FromSeconds(10);
    private readonly NetworkStream _near;
    private readonly NetworkStream _far;

    internal SocketWire()
    {
        using var listener = NewSocket();
        listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        listener.Listen(1);
        var near = NewSocket();
        near.Connect(listener.LocalEndPoint!);
        _near = new NetworkStream(near, ownsSocket: true);
        _far = new NetworkStream(listener.Accept(), ownsSocket: true);
    }

    public Stream Near => _near;

    public Stream Far => _far;

    public void ShutdownNear() => _near.Socket.Shutdown(SocketShutdown.Send);

    public void ShutdownFar() => _far.Socket.Shutdown(SocketShutdown.Send);

    public void Reset() => _far.Socket.Close(0); // a stream of its own would say goodbye first

    public void UntilArrived(int octets) => SpinWait.SpinUntil(() => _near.Socket.Available >= octets, s_deadline).Should().BeTrue();

    public void UntilEnded() => _near.Socket.Poll(s_deadline, SelectMode.SelectRead).Should().BeTrue();

    public void UntilReset() => _near.Socket.Poll(s_deadline, SelectMode.SelectError).Should().BeTrue();

    public void Dispose()
    {
        _near.Dispose();
        _far.Dispose();
    }

    private static Socket NewSocket() => new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
}

/// <summary>The pair in memory, where nothing takes time.</summary>
internal sealed class MemoryWire(int capacity = 256 * 1024) : IWire
{
    private readonly DuplexPair _pair = new(capacity: capacity);

    public Stream Near => _pair.Client;

    public Stream Far => _pair.Server;

    public void ShutdownNear() => _pair.Client.ShutdownWrite();

    public void ShutdownFar() => _pair.Server.ShutdownWrite();

    public void Reset() => _pair.Reset();

    public void UntilArrived(int octets)
    {
    }

    public void UntilEnded()
    {
    }

    public void UntilReset()
    {
    }

    public void Dispose() => _pair.Dispose();
}
