using System.Buffers.Binary;
using System.Text;

namespace MutualAuth.Samples;

/// <summary>The application's messages: a word and a value, after the length of both in two octets. TLS keeps no message boundaries.</summary>
internal readonly record struct Message(string Word, string Value)
{
    internal static Message Of(string word, ReadOnlyMemory<byte> octets) => new(word, Convert.ToBase64String(octets.Span));

    /// <exception cref="FormatException">The value is no Base64.</exception>
    internal byte[] ToOctets() => Convert.FromBase64String(Value);

    internal static async Task<Message?> ReadAsync(Stream stream)
    {
        var length = new byte[sizeof(ushort)];
        if (await stream.ReadAtLeastAsync(length, length.Length, throwOnEndOfStream: false) < length.Length)
        {
            return null;
        }

        var text = new byte[BinaryPrimitives.ReadUInt16BigEndian(length)];
        await stream.ReadExactlyAsync(text);
        return Encoding.UTF8.GetString(text).Split(' ', 2) is [var word, var value] ? new Message(word, value) : null;
    }

    internal async Task WriteAsync(Stream stream)
    {
        var text = Encoding.UTF8.GetBytes($"{Word} {Value}");
        var message = new byte[sizeof(ushort) + text.Length];
        BinaryPrimitives.WriteUInt16BigEndian(message, checked((ushort)text.Length));
        text.CopyTo(message, sizeof(ushort));
        await stream.WriteAsync(message);
    }
}
