using System.Buffers;
using System.Buffers.Text;

namespace MutualAuth.Asn1;

/// <summary>Decodes Base64 with line breaks over itself, for texts so long that a copy would be felt.</summary>
internal static class InPlaceBase64
{
    // Of whole groups of four, and small enough to stay in the first cache.
    private const int PieceLength = 16 * 1024;

    private static readonly SearchValues<byte> s_space = SearchValues.Create(" \t\r\n"u8);

    /// <summary>Decodes the text into its own beginning, as <see cref="Base64"/> decodes it elsewhere: spaces and line breaks do not count.</summary>
    /// <param name="text">The text; what it holds afterwards, beyond what was decoded, means nothing.</param>
    /// <param name="length">How many octets were decoded.</param>
    /// <returns>False when it is not Base64.</returns>
    internal static bool TryDecode(Span<byte> text, out int length)
    {
        length = 0;
        Span<byte> piece = stackalloc byte[PieceLength];
        var filled = 0;
        for (var position = 0; position < text.Length;)
        {
            // The decoder is fast where nothing but Base64 is before it, so that the lines are joined first.
            var line = text[position..];
            line = line.IndexOfAny(s_space) is >= 0 and var end ? line[..end] : line;
            position += line.Length + 1;
            while (!line.IsEmpty)
            {
                if (filled == PieceLength)
                {
                    if (!TryDecode(piece, text, ref length, isLast: false))
                    {
                        return false;
                    }

                    filled = 0;
                }

                var count = Math.Min(line.Length, PieceLength - filled);
                line[..count].CopyTo(piece[filled..]);
                filled += count;
                line = line[count..];
            }
        }

        return TryDecode(piece[..filled], text, ref length, isLast: true);
    }

    /// <summary>What is written is shorter than what was read, so that it never overtakes.</summary>
    private static bool TryDecode(ReadOnlySpan<byte> piece, Span<byte> text, ref int length, bool isLast)
    {
        var isWhole = Base64.DecodeFromUtf8(piece, text[length..], out var consumed, out var written, isLast) == OperationStatus.Done
            && consumed == piece.Length;
        length += written;
        return isWhole;
    }
}
