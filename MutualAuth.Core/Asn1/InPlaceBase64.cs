using System.Buffers;
using System.Buffers.Text;

namespace MutualAuth.Asn1;

/// <summary>Decodes Base64 with line breaks over itself, for texts so long that a copy would be felt.</summary>
internal static class InPlaceBase64
{
    // Of whole groups of four, small enough to stay in a cache, and long enough that the runtime compiles the decoder's loop well while it runs.
    private const int PieceLength = 256 * 1024;

    /// <summary>Decodes the text into its own beginning, as <see cref="Base64"/> decodes it elsewhere: spaces and line breaks do not count.</summary>
    /// <param name="text">The text; what it holds afterwards, beyond what was decoded, means nothing.</param>
    /// <param name="length">How many octets were decoded.</param>
    /// <returns>False when it is not Base64.</returns>
    internal static bool TryDecode(Span<byte> text, out int length)
    {
        var buffer = ArrayPool<byte>.Shared.Rent(PieceLength);
        var isBase64 = TryDecode(text, buffer.AsSpan(0, PieceLength), out length);
        ArrayPool<byte>.Shared.Return(buffer);
        return isBase64;
    }

    /// <summary>The same, with a place for the pieces in which it is decoded.</summary>
    /// <param name="text">The text.</param>
    /// <param name="piece">Where lines are joined: a number of octets that four divides.</param>
    /// <param name="length">How many octets were decoded.</param>
    internal static bool TryDecode(Span<byte> text, Span<byte> piece, out int length)
    {
        length = 0;
        var filled = 0;
        for (var position = 0; position < text.Length;)
        {
            // The decoder is fast where nothing but Base64 is before it, so that the lines are joined first. All that may stand between them is
            // found as a range, and then looked at: to search for its members was nine times as slow while the runtime was cold.
            var line = text[position..];
            if (line.IndexOfAnyInRange((byte)0, (byte)' ') is >= 0 and var end)
            {
                if (line[end] is not ((byte)' ' or (byte)'\t' or (byte)'\r' or (byte)'\n'))
                {
                    return false;
                }

                line = line[..end];
            }

            position += line.Length + 1;
            while (!line.IsEmpty)
            {
                if (filled == piece.Length)
                {
                    if (!TryDecodePiece(piece, text, ref length, isLast: false))
                    {
                        return false;
                    }

                    filled = 0;
                }

                var count = Math.Min(line.Length, piece.Length - filled);
                line[..count].CopyTo(piece[filled..]);
                filled += count;
                line = line[count..];
            }
        }

        return TryDecodePiece(piece[..filled], text, ref length, isLast: true);
    }

    /// <summary>What is written is shorter than what was read, so that it never overtakes.</summary>
    private static bool TryDecodePiece(ReadOnlySpan<byte> piece, Span<byte> text, ref int length, bool isLast)
    {
        var isWhole = Base64.DecodeFromUtf8(piece, text[length..], out var consumed, out var written, isLast) == OperationStatus.Done
            && consumed == piece.Length;
        length += written;
        return isWhole;
    }
}
