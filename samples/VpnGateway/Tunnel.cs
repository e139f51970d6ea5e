using System.Buffers.Binary;
using System.Net;

namespace MutualAuth.Samples;

/// <summary>Carries packets between a TUN device and a connection: two octets of length, then the packet.</summary>
/// <param name="device">The device.</param>
/// <param name="connection">The connection.</param>
/// <param name="peerAddress">The only source address that the peer may use; null: any.</param>
/// <param name="dropped">Told of each packet that has another one.</param>
internal sealed class Tunnel(Stream device, MutualTlsConnection connection, IPAddress? peerAddress, Action<IPAddress> dropped)
{
    private const int LongestPacket = 1500;
    private const int ShortestHeader = 20;
    private const int SourceAt = 12;

    /// <summary>Until the connection or the device is gone.</summary>
    internal async Task RunAsync()
    {
        // Reading from a device has no end but that of the device, and takes a thread.
        new Thread(SendAll) { IsBackground = true }.Start();
        try
        {
            await ReceiveAllAsync();
        }
        catch (IOException)
        {
            // The peer has gone, or the library has ended the connection.
        }
    }

    /// <summary>The octets of a packet as they are on the connection.</summary>
    internal static byte[] Framed(ReadOnlySpan<byte> packet)
    {
        var frame = new byte[2 + packet.Length];
        BinaryPrimitives.WriteUInt16BigEndian(frame, (ushort)packet.Length);
        packet.CopyTo(frame.AsSpan(2));
        return frame;
    }

    private void SendAll()
    {
        var packet = new byte[LongestPacket];
        try
        {
            while (device.Read(packet) is > 0 and var length)
            {
                if (packet[0] >> 4 == 4)
                {
                    connection.Stream.Write(Framed(packet.AsSpan(0, length)));
                }
            }
        }
        catch (Exception exception) when (exception is IOException or ObjectDisposedException)
        {
            // The device is gone, or the connection is.
        }
    }

    private async Task ReceiveAllAsync()
    {
        var frame = new byte[2 + LongestPacket];
        while (await connection.Stream.ReadAtLeastAsync(frame.AsMemory(0, 2), 2, throwOnEndOfStream: false) == 2)
        {
            var length = BinaryPrimitives.ReadUInt16BigEndian(frame);
            if (length is < ShortestHeader or > LongestPacket)
            {
                return; // not what was agreed on
            }

            var packet = frame.AsMemory(2, length);
            await connection.Stream.ReadExactlyAsync(packet);
            var source = new IPAddress(packet.Span.Slice(SourceAt, 4));
            if (peerAddress is null || source.Equals(peerAddress))
            {
                device.Write(packet.Span);
            }
            else
            {
                dropped(source);
            }
        }
    }
}
