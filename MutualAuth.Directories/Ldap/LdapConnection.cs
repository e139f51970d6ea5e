using System.Net.Sockets;
using System.Security.Cryptography;

namespace MutualAuth.Directories;

/// <summary>One connection to a directory server, over TLS, with one operation at a time. After a failure it is of no more use.</summary>
internal sealed class LdapConnection : IAsyncDisposable
{
    /// <summary>An entry is asked for one attribute only.</summary>
    private const int MaxMessageLength = 65_536;

    private const int MaxEntries = 16;

    private readonly MutualTlsConnection _connection;
    private readonly TimeSpan _timeout;
    private readonly TimeProvider _time;
    private int _lastId = 1;

    private LdapConnection(LdapServer server, MutualTlsConnection connection, TimeSpan timeout, TimeProvider time)
    {
        Server = server;
        _connection = connection;
        _timeout = timeout;
        _time = time;
        LastUse = time.GetTimestamp();
    }

    internal LdapServer Server { get; }

    internal long LastUse { get; private set; }

    internal bool IsEnding => _connection.NoLongerValid.IsCancellationRequested || _connection.DrainRequested.IsCancellationRequested;

    /// <exception cref="LdapFailure">It was not reached in time, or TLS failed, or its certificate is not accepted.</exception>
    internal static Task<LdapConnection> ConnectAsync(
        LdapServer server, MutualTlsClient client, TimeSpan timeout, TimeProvider time, CancellationToken cancellationToken) =>
        WithinAsync(
            async bounded => new LdapConnection(
                server,
                server.Tls == LdapTls.AtOnce
                    ? await client.ConnectAsync(server.Host, server.Port, bounded).ConfigureAwait(false)
                    : await StartTlsAsync(server, client, bounded).ConfigureAwait(false),
                timeout,
                time),
            timeout,
            time,
            cancellationToken);

    /// <summary>Proves a name and a password. The connection is from then on that of the name, until the next bind.</summary>
    internal Task<LdapResult> BindAsync(string name, byte[] password, CancellationToken cancellationToken)
    {
        if (name.Length == 0 || password.Length == 0)
        {
            // RFC 4513 §5.1.1 and §5.1.2: both would be a success that proves nothing.
            throw new InvalidOperationException("A bind without a name or a password proves nothing.");
        }

        var id = ++_lastId;
        return WithinAsync(
            async bounded =>
            {
                var request = LdapMessages.Bind(id, name, password);
                try
                {
                    await _connection.Stream.WriteAsync(request, bounded).ConfigureAwait(false);
                }
                finally
                {
                    CryptographicOperations.ZeroMemory(request);
                }

                var (kind, content, rest) = LdapMessages.Open(await ReadAsync(_connection.Stream, bounded).ConfigureAwait(false), id);
                LastUse = _time.GetTimestamp();
                return kind == LdapMessages.BindResponse
                    ? LdapMessages.ReadResult(content, rest)
                    : throw new LdapFailure("It answered a bind with something else.");
            },
            _timeout,
            _time,
            cancellationToken);
    }

    /// <summary>The entries with this value, or the one of this name. Referrals are not followed.</summary>
    internal Task<(LdapResult Result, List<LdapEntry> Entries)> SearchAsync(
        string baseName, string attribute, string? value, string? objectClass, CancellationToken cancellationToken)
    {
        var id = ++_lastId;
        return WithinAsync(
            async bounded =>
            {
                var seconds = Math.Max(1, (int)_timeout.TotalSeconds);
                var request = LdapMessages.Search(id, baseName, attribute, value, objectClass, seconds);
                await _connection.Stream.WriteAsync(request, bounded).ConfigureAwait(false);
                var entries = new List<LdapEntry>();
                for (var count = 0; count < MaxEntries; count++)
                {
                    var (kind, content, rest) = LdapMessages.Open(await ReadAsync(_connection.Stream, bounded).ConfigureAwait(false), id);
                    LastUse = _time.GetTimestamp();
                    switch (kind)
                    {
                        case LdapMessages.SearchResultEntry:
                            entries.Add(LdapMessages.ReadEntry(content, attribute));
                            break;
                        case LdapMessages.SearchResultReference:
                            break;
                        case LdapMessages.SearchResultDone:
                            return (LdapMessages.ReadResult(content, rest), entries);
                        default:
                            throw new LdapFailure("It answered a search with something else.");
                    }
                }

                throw new LdapFailure($"It sent more than {MaxEntries} messages for one search.");
            },
            _timeout,
            _time,
            cancellationToken);
    }

    internal void Abort() => _connection.Abort();

    public ValueTask DisposeAsync() => _connection.DisposeAsync();

    private static async Task<MutualTlsConnection> StartTlsAsync(LdapServer server, MutualTlsClient client, CancellationToken cancellationToken)
    {
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            await socket.ConnectAsync(server.Host, server.Port, cancellationToken).ConfigureAwait(false);
            using var stream = new NetworkStream(socket, ownsSocket: false);
            await stream.WriteAsync(LdapMessages.StartTls(1), cancellationToken).ConfigureAwait(false);

            // Exactly one message is read: whatever has been put behind it meets TLS, and fails there.
            var (kind, content, rest) = LdapMessages.Open(await ReadAsync(stream, cancellationToken).ConfigureAwait(false), 1);
            if (kind != LdapMessages.ExtendedResponse || LdapMessages.ReadResult(content, rest).Code != LdapResult.Success)
            {
                throw new LdapFailure("It refuses StartTLS, and gets nothing without.");
            }

            return await client.UpgradeAsync(socket, server.Host, cancellationToken).ConfigureAwait(false);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    /// <summary>One message, whose length is looked at before it is read.</summary>
    private static async ValueTask<byte[]> ReadAsync(Stream stream, CancellationToken cancellationToken)
    {
        var head = new byte[6];
        await stream.ReadExactlyAsync(head.AsMemory(0, 2), cancellationToken).ConfigureAwait(false);
        var more = head[1] < 0x80 ? 0 : head[1] - 0x80;
        if (head[0] != 0x30 || more is < 0 or > 4 || head[1] == 0x80)
        {
            throw new LdapFailure("It does not speak LDAP.");
        }

        await stream.ReadExactlyAsync(head.AsMemory(2, more), cancellationToken).ConfigureAwait(false);
        long length = more == 0 ? head[1] : 0;
        for (var index = 0; index < more; index++)
        {
            length = (length << 8) | head[2 + index];
        }

        if (length > MaxMessageLength)
        {
            throw new LdapFailure($"It sent a message of more than {MaxMessageLength} octets.");
        }

        var message = new byte[2 + more + length];
        head.AsSpan(0, 2 + more).CopyTo(message);
        await stream.ReadExactlyAsync(message.AsMemory(2 + more), cancellationToken).ConfigureAwait(false);
        return message;
    }

    private static async Task<T> WithinAsync<T>(
        Func<CancellationToken, Task<T>> work, TimeSpan timeout, TimeProvider time, CancellationToken cancellationToken)
    {
        using var timer = new CancellationTokenSource(timeout, time);
        using var both = CancellationTokenSource.CreateLinkedTokenSource(timer.Token, cancellationToken);
        try
        {
            return await work(both.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            throw new LdapFailure($"It did not answer within {timeout}.");
        }
        catch (HandshakeException exception)
        {
            throw new LdapFailure($"{exception.Reason.ToCode()}: {exception.Rejection}", exception);
        }
        catch (Exception exception) when (exception is IOException or SocketException or ObjectDisposedException)
        {
            throw new LdapFailure($"The connection failed, {exception.GetType().Name}.", exception);
        }
    }
}
