using System.Net;
using System.Net.Sockets;

namespace MutualAuth.Connections;

/// <summary>The socket of a listener. It deletes the path of a Unix domain socket only if it has bound that path itself.</summary>
internal sealed class ListeningSocket : IDisposable
{
    private readonly Socket _socket;

    private ListeningSocket(Socket socket)
    {
        _socket = socket;
        LocalEndPoint = socket.LocalEndPoint!;
    }

    internal EndPoint LocalEndPoint { get; }

    /// <exception cref="SocketException">The end point cannot be bound.</exception>
    internal static ListeningSocket Open(EndPoint endPoint, int backlog, bool takesOverStale)
    {
        try
        {
            return Bind(endPoint, backlog);
        }
        catch (SocketException exception)
            when (exception.SocketErrorCode == SocketError.AddressAlreadyInUse && takesOverStale && TryRemoveStale(endPoint))
        {
            return Bind(endPoint, backlog);
        }
    }

    /// <summary>Owns a socket that is bound already, and makes it listen unless it does.</summary>
    /// <exception cref="SocketException">It cannot listen; the socket remains the caller's.</exception>
    internal static ListeningSocket TakeOver(Socket socket, int backlog)
    {
        // Accepted sockets take after it, and streams need sockets that block.
        socket.Blocking = true;
        if (!Listens(socket))
        {
            socket.Listen(backlog);
        }

        return new ListeningSocket(socket);
    }

    /// <summary>What is wrong with a socket that is to be taken over; null when nothing is.</summary>
    internal static string? ObjectionTo(Socket socket)
    {
        try
        {
            return socket.SocketType != SocketType.Stream ? $"it is of type {socket.SocketType}"
                : socket.Connected ? "it is connected"
                : socket.LocalEndPoint is null or IPEndPoint { Port: 0 } ? "it is not bound"
                : null;
        }
        catch (Exception exception) when (exception is ObjectDisposedException or SocketException or InvalidOperationException)
        {
            return exception is ObjectDisposedException ? "it is closed" : exception.Message.TrimEnd('.');
        }
    }

    internal ValueTask<Socket> AcceptAsync(CancellationToken cancellationToken) => _socket.AcceptAsync(cancellationToken);

    public void Dispose() => _socket.Dispose();

    private static bool Listens(Socket socket) =>
        socket.GetSocketOption(SocketOptionLevel.Socket, SocketOptionName.AcceptConnection) is int listens && listens != 0;

    private static ListeningSocket Bind(EndPoint endPoint, int backlog)
    {
        var socket = endPoint is UnixDomainSocketEndPoint
            ? new UnixSocket()
            : new Socket(endPoint.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        try
        {
            if (endPoint is IPEndPoint { Address: var address } && address.Equals(IPAddress.IPv6Any))
            {
                socket.DualMode = true;
            }

            socket.Bind(endPoint);
            (socket as UnixSocket)?.RememberPath(endPoint);
            socket.Listen(backlog);
            return new ListeningSocket(socket);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    /// <summary>Removes a socket without a listener, which a crashed process left behind.</summary>
    private static bool TryRemoveStale(EndPoint endPoint)
    {
        if (endPoint is not UnixDomainSocketEndPoint || endPoint.ToString() is not { Length: > 0 } path || path[0] is '@' or '\0' || !IsSocket(path))
        {
            return false;
        }

        using var probe = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        try
        {
            probe.Connect(endPoint);
            return false; // it has a listener
        }
        catch (SocketException exception) when (exception.SocketErrorCode == SocketError.ConnectionRefused)
        {
            File.Delete(path);
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }

    /// <summary>The path holds a socket, which cannot be opened like a file. Anything else must not be removed.</summary>
    private static bool IsSocket(string path)
    {
        try
        {
            using var file = new FileStream(path, FileMode.Open, FileAccess.ReadWrite, FileShare.ReadWrite);
            return false;
        }
        catch (IOException exception) when (exception is not (FileNotFoundException or DirectoryNotFoundException or PathTooLongException))
        {
            return true;
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException or NotSupportedException)
        {
            return false;
        }
    }

    /// <summary>
    /// The platform's disposal deletes any file at the path, also a successor's socket; this class leaves a successor's socket in place.
    /// </summary>
    private sealed class UnixSocket() : Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified)
    {
        private string? _path;
        private (DateTime Written, DateTime Created) _mark;

        /// <summary>Call it once the socket is bound. An abstract name begins with NUL, is in no directory, and disappears with the socket.</summary>
        internal void RememberPath(EndPoint endPoint)
        {
            _path = endPoint.ToString() is { Length: > 0 } path && path[0] is not ('@' or '\0') ? Path.GetFullPath(path) : null;
            _mark = MarkOf(_path);
        }

        protected override void Dispose(bool disposing)
        {
            if (MarkOf(_path) != _mark)
            {
                SafeHandle.Dispose();
            }
            else
            {
                base.Dispose(disposing);
            }
        }

        private static (DateTime Written, DateTime Created) MarkOf(string? path) =>
            path is null ? default : (File.GetLastWriteTimeUtc(path), File.GetCreationTimeUtc(path));
    }
}
