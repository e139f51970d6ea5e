using System.Buffers.Text;
using System.Text;
using MutualAuth.Asn1;
using MutualAuth.Errors;

namespace MutualAuth.Certificates;

/// <summary>Reads the blocks of PEM text (RFC 7468) one after the other. A block that is cut or broken is an error and never skipped.</summary>
/// <remarks>
/// The text around the blocks is ignored, byte order marks included; it may be missing, so that files may be joined without a line break.
/// The blocks may be indented, have lines of any length and any line ends, and have headers (RFC 1421).
/// </remarks>
internal ref struct PemReader
{
    private const int MaxLabel = 64;

    // Shorter blocks are copied, so that none of them keeps a long file in memory.
    private const int DecodedInPlaceFrom = 1 << 20;

    private readonly byte[]? _owned;
    private readonly string _source;
    private readonly MaterialProblem _problem;
    private ReadOnlySpan<byte> _rest;

    /// <param name="text">The text, in UTF-8.</param>
    /// <param name="source">Its origin, for the messages, at the beginning of a sentence.</param>
    /// <param name="problem">The kind of problem that a broken block is.</param>
    /// <exception cref="MaterialException">The text is UTF-16.</exception>
    internal PemReader(ReadOnlySpan<byte> text, string source, MaterialProblem problem = MaterialProblem.NoCertificate)
    {
        _rest = text;
        _problem = problem;
        _source = source;
        if (text.StartsWith(Encoding.Unicode.Preamble) || text.StartsWith(Encoding.BigEndianUnicode.Preamble))
        {
            throw new MaterialException($"{source} is text in UTF-16. Save it as UTF-8 or ASCII.") { Problem = MaterialProblem.Unreadable };
        }
    }

    private PemReader(byte[] owned, string source, MaterialProblem problem)
        : this(owned.AsSpan(), source, problem) => _owned = owned;

    /// <summary>
    /// A reader that takes the text over: a long block is decoded where it stands, so that its contents take no memory beside the text.
    /// </summary>
    /// <inheritdoc cref="PemReader(ReadOnlySpan{byte}, string, MaterialProblem)"/>
    internal static PemReader Overwriting(byte[] text, string source, MaterialProblem problem) => new(text, source, problem);

    private static ReadOnlySpan<byte> Begin => "-----BEGIN "u8;

    private static ReadOnlySpan<byte> End => "-----END "u8;

    private static ReadOnlySpan<byte> Dashes => "-----"u8;

    /// <summary>How many blocks have been read.</summary>
    internal int Count { get; private set; }

    /// <summary>Reads the next block; false at the end.</summary>
    /// <exception cref="MaterialException">A block is cut or broken; the message says which.</exception>
    internal bool TryRead(out PemBlock block)
    {
        block = default;
        var begin = _rest.IndexOf(Begin);
        if ((begin < 0 ? _rest : _rest[..begin]).IndexOf(End) >= 0)
        {
            throw Broken("its BEGIN line is missing");
        }

        if (begin < 0)
        {
            return !EndsInTheMiddleOfALine(_rest) ? false : throw Broken("the file ends in the middle of its BEGIN line");
        }

        _rest = _rest[(begin + Begin.Length)..];
        var label = ReadLabel("BEGIN");
        var end = _rest.IndexOf(End);
        if (end < 0 || _rest[..end].IndexOf(Begin) >= 0)
        {
            throw Broken("its END line is missing");
        }

        var body = _rest[..end];
        _rest = _rest[(end + End.Length)..];
        if (ReadLabel("END") is var closing && closing != label)
        {
            throw Broken($"it begins as {SafeText.Quote(label)} and ends as {SafeText.Quote(closing)}");
        }

        var headers = TakeHeaders(ref body);
        var contents = Decode(body);
        Count++;
        block = new PemBlock(Count, label, headers, contents);
        return true;
    }

    /// <summary>The problem with the block that comes next.</summary>
    internal readonly MaterialException Broken(string what) => Broken(Count + 1, what);

    /// <summary>The problem with one block.</summary>
    internal readonly MaterialException Broken(int number, string what) =>
        new($"{_source}: PEM block {number} is broken: {what}. Export it again.") { Problem = _problem };

    private string ReadLabel(string line)
    {
        var length = _rest[..Math.Min(_rest.Length, MaxLabel + Dashes.Length)].IndexOf(Dashes);
        if (length < 0 || _rest[..length].ContainsAnyExceptInRange((byte)' ', (byte)'~'))
        {
            throw Broken($"its {line} line is cut or damaged");
        }

        var label = Encoding.ASCII.GetString(_rest[..length]);
        _rest = _rest[(length + Dashes.Length)..];
        return label;
    }

    /// <summary>Headers are lines with a colon, which Base64 has not; an empty line ends them.</summary>
    private readonly string TakeHeaders(ref ReadOnlySpan<byte> body)
    {
        if (body.IndexOf((byte)':') < 0)
        {
            return string.Empty;
        }

        var text = body.TrimStart("\r\n"u8);
        for (var rest = text; rest.IndexOf((byte)'\n') is >= 0 and var length; rest = rest[(length + 1)..])
        {
            if (rest[..length].Trim(" \t\r"u8).IsEmpty)
            {
                body = rest[(length + 1)..];
                return Encoding.UTF8.GetString(text[..(text.Length - rest.Length)]);
            }
        }

        throw Broken("no empty line ends its headers");
    }

    private readonly ReadOnlyMemory<byte> Decode(ReadOnlySpan<byte> body)
    {
        if (_owned is not null && body.Length >= DecodedInPlaceFrom)
        {
            return DecodeInPlace(_owned, body);
        }

        if (!Base64.IsValid(body, out var length))
        {
            throw Broken("its lines are not Base64");
        }

        if (length == 0)
        {
            throw Broken("it is empty");
        }

        var contents = new byte[length];
        return Base64.DecodeFromUtf8(body, contents, out _, out var written) == System.Buffers.OperationStatus.Done && written == length
            ? contents
            : throw Broken("its lines are not Base64");
    }

    private readonly ReadOnlyMemory<byte> DecodeInPlace(byte[] text, ReadOnlySpan<byte> body)
    {
        _ = text.AsSpan().Overlaps(body, out var start);
        return InPlaceBase64.TryDecode(text.AsSpan(start, body.Length), out var length) && length > 0
            ? text.AsMemory(start, length)
            : throw Broken("its lines are not Base64");
    }

    /// <summary>What is cut between two blocks cannot be told from what is whole; what is cut in a BEGIN line can.</summary>
    private static bool EndsInTheMiddleOfALine(ReadOnlySpan<byte> text)
    {
        var line = text[(text.LastIndexOf((byte)'\n') + 1)..].TrimStart(" \t"u8);
        return !line.IsEmpty && Begin.StartsWith(line);
    }
}
