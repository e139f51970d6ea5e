using System.Collections.Immutable;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using MutualAuth.Names;

namespace MutualAuth.Revocation;

/// <summary>
/// The content of a witness: for each source the lists that were in force. One line each, the last with the SHA-256 of all before it:
/// <code>
/// mutualauth revocation list witness 1
/// source KEY
/// list full|delta proven|seen NUMBER|- THIS-UPDATE NEXT-UPDATE|- DIGEST KEY-ID|- SCOPE|- ISSUER
/// below …            (a list that the one above it replaced)
/// end SHA-256
/// </code>
/// Octets are in lower-case hex, dates in ticks of UTC.
/// </summary>
internal static class WitnessBook
{
    // A line has 400 characters, more with a long name.
    internal const int MaxBytes = 4 * 1024 * 1024;

    private const string Title = "mutualauth revocation list witness 1";
    private const string None = "-";
    private const int HashLength = 64;

    internal static ImmutableSortedDictionary<string, ImmutableArray<WitnessedList>> Empty { get; } =
        ImmutableSortedDictionary.Create<string, ImmutableArray<WitnessedList>>(StringComparer.Ordinal);

    internal static byte[] Write(ImmutableSortedDictionary<string, ImmutableArray<WitnessedList>> book)
    {
        var text = new StringBuilder(Title).Append('\n');
        foreach (var (source, lists) in book)
        {
            text.Append("source ").Append(source).Append('\n');
            foreach (var list in lists)
            {
                Append(text, "list", list);
                foreach (var below in list.Reserve)
                {
                    Append(text, "below", below);
                }
            }
        }

        return Encoding.ASCII.GetBytes(text.Append("end ").Append(SumOf(text.ToString(0, text.Length - "end ".Length))).Append('\n').ToString());
    }

    /// <exception cref="FormatException">The content is not what <see cref="Write"/> writes, octet by octet.</exception>
    internal static ImmutableSortedDictionary<string, ImmutableArray<WitnessedList>> Read(byte[] content)
    {
        var text = Encoding.ASCII.GetString(content);
        var lines = text.Split('\n');
        if (lines is not [Title, .., var end, ""] || end != "end " + SumOf(text[..^(end.Length + 1)]))
        {
            throw new FormatException("its checksum is wrong, or it is of another kind");
        }

        var book = Empty.ToBuilder();
        var source = "";
        foreach (var line in lines[1..^2])
        {
            var fields = line.Split(' ');
            if (fields is ["source", { Length: HashLength } key])
            {
                book.Add(source = key, []);
            }
            else
            {
                var lists = book.TryGetValue(source, out var before) ? before : throw Malformed();
                book[source] = fields is ["list", ..] ? lists.Add(Parse(fields))
                    : fields is ["below", ..] && lists.Length > 0 ? lists.SetItem(lists.Length - 1, With(lists[^1], Parse(fields)))
                    : throw Malformed();
            }
        }

        return book.ToImmutable();
    }

    private static string SumOf(string text) => Convert.ToHexStringLower(SHA256.HashData(Encoding.ASCII.GetBytes(text)));

    private static void Append(StringBuilder text, string kind, WitnessedList list)
    {
        var mark = list.Mark;
        text.AppendJoin(
            ' ',
            kind,
            mark.IsDelta ? "delta" : "full",
            list.IsProven ? "proven" : "seen",
            Hex(mark.Number),
            Ticks(mark.ThisUpdate),
            mark.NextUpdate is { } next ? Ticks(next) : None,
            mark.Digest,
            Hex(mark.KeyId),
            mark.Scope.Length == 0 ? None : mark.Scope,
            Hex(mark.Issuer.RawData)).Append('\n');
    }

    private static WitnessedList With(WitnessedList list, WitnessedList below) => list with { Reserve = list.Reserve.Add(below) };

    private static WitnessedList Parse(string[] fields) =>
        fields is [
            _, "full" or "delta", "proven" or "seen", var number, var made, var next, { Length: HashLength } digest, var key, var scope, var issuer]
        && DistinguishedName.TryDecode(Octets(issuer), out var name)
            ? new(
                new ListMark
                {
                    Issuer = name,
                    KeyId = Octets(key),
                    Scope = scope == None ? "" : scope,
                    IsDelta = fields[1] == "delta",
                    Number = Octets(number),
                    ThisUpdate = Date(made),
                    NextUpdate = next == None ? null : Date(next),
                    Digest = digest,
                },
                fields[2] == "proven")
            : throw Malformed();

    private static string Hex(ReadOnlyMemory<byte> octets) => octets.IsEmpty ? None : Convert.ToHexStringLower(octets.Span);

    private static byte[] Octets(string hex) => hex == None ? [] : Convert.FromHexString(hex);

    private static string Ticks(DateTimeOffset date) => date.UtcTicks.ToString(CultureInfo.InvariantCulture);

    private static DateTimeOffset Date(string ticks) =>
        long.TryParse(ticks, NumberStyles.None, CultureInfo.InvariantCulture, out var value) && value <= DateTimeOffset.MaxValue.UtcTicks
            ? new DateTimeOffset(value, TimeSpan.Zero)
            : throw Malformed();

    private static FormatException Malformed() => new("a line of it cannot be read");
}
