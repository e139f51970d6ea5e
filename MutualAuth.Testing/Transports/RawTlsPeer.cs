using System.Buffers.Binary;

namespace MutualAuth.Testing.Transports;

/// <summary>A peer that you script octet by octet: it sends what you say, and hands you the records that come back.</summary>
/// <remarks>It does no cryptography and knows no protocol state. It does not own the stream.</remarks>
public sealed class RawTlsPeer
{
    private readonly Stream _stream;

    /// <summary>Speaks over <paramref name="stream"/>, such as an end of a <see cref="DuplexPair"/> or a socket's stream.</summary>
    /// <exception cref="ArgumentNullException"><paramref name="stream"/> is null.</exception>
    public RawTlsPeer(Stream stream)
    {
        ArgumentNullException.ThrowIfNull(stream);
        _stream = stream;
    }

    /// <summary>Sends octets as they are.</summary>
    public ValueTask SendAsync(ReadOnlyMemory<byte> octets, CancellationToken cancellationToken = default) =>
        _stream.WriteAsync(octets, cancellationToken);

    /// <summary>Sends one record.</summary>
    public ValueTask SendAsync(TlsRecord record, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(record);
        return _stream.WriteAsync(record.ToArray(), cancellationToken);
    }

    /// <summary>Sends a RawClientHello.</summary>
    /// <param name="hello">The hello.</param>
    /// <param name="recordSize">The most octets per record.</param>
    /// <param name="cancellationToken">Your wish to stop.</param>
    /// <exception cref="ArgumentNullException"><paramref name="hello"/> is null.</exception>
    public ValueTask SendAsync(RawClientHello hello, int recordSize = 16384, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(hello);
        return _stream.WriteAsync(hello.ToArray(recordSize), cancellationToken);
    }

    /// <summary>Reads one record; null at the end of the stream, also in the middle of a record.</summary>
    public async ValueTask<TlsRecord?> ReadRecordAsync(CancellationToken cancellationToken = default)
    {
        var header = new byte[5];
        if (await _stream.ReadAtLeastAsync(header, header.Length, throwOnEndOfStream: false, cancellationToken).ConfigureAwait(false) < header.Length)
        {
            return null;
        }

        var payload = new byte[BinaryPrimitives.ReadUInt16BigEndian(header.AsSpan(3))];
        if (await _stream.ReadAtLeastAsync(payload, payload.Length, throwOnEndOfStream: false, cancellationToken).ConfigureAwait(false)
            < payload.Length)
        {
            return null;
        }

        return new TlsRecord((TlsContentType)header[0], payload, BinaryPrimitives.ReadUInt16BigEndian(header.AsSpan(1)));
    }

    /// <summary>Reads records until the far end ends or breaks the connection.</summary>
    /// <returns>What came before that; an unencrypted alert is seen among it.</returns>
    public async Task<IReadOnlyList<TlsRecord>> ReadToEndAsync(CancellationToken cancellationToken = default)
    {
        var records = new List<TlsRecord>();
        try
        {
            while (await ReadRecordAsync(cancellationToken).ConfigureAwait(false) is { } record)
            {
                records.Add(record);
            }
        }
        catch (IOException)
        {
            // A reset ends the conversation as an orderly end does.
        }

        return records;
    }
}
