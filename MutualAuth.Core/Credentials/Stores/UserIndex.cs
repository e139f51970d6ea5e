using System.Numerics;
using System.Text;

namespace MutualAuth.Credentials;

/// <summary>
/// The users of a file, found in its octets: an open-addressing table of where their lines begin, and a user is made of its line when it is asked
/// for. Users whose lines are not of the usual form, or who have several, are kept as they were read.
/// </summary>
/// <remarks>
/// 400,000 users are one array of octets and one of numbers. As objects they would be two million, and the collector would stop all logins for as
/// long as it takes to move them, at each reload. Immutable once it is built; safe for use from many threads.
/// </remarks>
internal sealed class UserIndex
{
    private readonly ReadOnlyMemory<byte> _text;
    private readonly int[] _slots; // where a line begins and one more, so that zero is a free one; at least a third is free
    private readonly Dictionary<string, StoredCredential> _others = new(StringComparer.Ordinal); // they come before the table
    private int _inTable;

    /// <param name="text">The file.</param>
    /// <param name="lines">How many lines it has, at most.</param>
    internal UserIndex(ReadOnlyMemory<byte> text, int lines)
    {
        _text = text;
        _slots = new int[BitOperations.RoundUpToPowerOf2((uint)(lines + (lines / 2) + 1))];
    }

    internal static UserIndex Nobody { get; } = new(default, 0);

    /// <summary>How many users there are.</summary>
    internal int Count => _inTable + _others.Count;

    internal bool Contains(string name) => _others.ContainsKey(name) || TryFindLine(name, out _);

    internal StoredCredential? Find(string name) =>
        _others.TryGetValue(name, out var user) ? user : TryFindLine(name, out var line) ? Make(line) : null;

    /// <summary>All of them, in the order of their names.</summary>
    internal IEnumerable<StoredCredential> InOrder()
    {
        var others = Others();
        var next = 0;
        foreach (var offset in Offsets())
        {
            for (; next < others.Length && IsBefore(others[next].UserName, offset); next++)
            {
                yield return others[next];
            }

            yield return Make(LineAt(offset));
        }

        for (; next < others.Length; next++)
        {
            yield return others[next];
        }
    }

    /// <summary>Writes their lines, in the order of their names, but for those of one user, who is written as given, or left out.</summary>
    internal MemoryStream Write(string name, StoredCredential? user)
    {
        var file = new MemoryStream(_text.Length + 1024);
        // The one is among the others, whatever it was.
        StoredCredential[] others =
            [.. Others().Where(other => other.UserName != name).Concat(user is null ? [] : [user])
                .OrderBy(other => other.UserName, StringComparer.Ordinal)];
        TryFindLine(name, out var former);
        var next = 0;
        foreach (var offset in Offsets())
        {
            for (; next < others.Length && IsBefore(others[next].UserName, offset); next++)
            {
                file.Write(Encoding.UTF8.GetBytes(CredentialFile.LinesOf(others[next])));
            }

            var line = LineAt(offset);
            if (!line.Equals(former))
            {
                file.Write(line.Span);
                file.WriteByte((byte)'\n');
            }
        }

        for (; next < others.Length; next++)
        {
            file.Write(Encoding.UTF8.GetBytes(CredentialFile.LinesOf(others[next])));
        }

        return file;
    }

    /// <summary>The users who are gone or differ in another index.</summary>
    internal IEnumerable<string> ChangedIn(UserIndex after)
    {
        foreach (var user in _others.Values)
        {
            if (!user.IsLike(after.Find(user.UserName)))
            {
                yield return user.UserName;
            }
        }

        foreach (var slot in _slots)
        {
            if (slot == 0)
            {
                continue;
            }

            var line = LineAt(slot - 1);
            if (!after.HasSame(line) && Make(line) is var user && !_others.ContainsKey(user.UserName) && !user.IsLike(after.Find(user.UserName)))
            {
                yield return user.UserName;
            }
        }
    }

    /// <summary>Adds a line that <see cref="UserLine"/> recognizes.</summary>
    /// <returns>False when its user has a line already.</returns>
    internal bool TryAddLine(int offset)
    {
        var name = UserLine.NameOf(LineAt(offset).Span);
        var slot = SlotOf(name);
        if (_slots[slot] != 0 || (_others.Count > 0 && _others.ContainsKey(Encoding.ASCII.GetString(name))))
        {
            return false;
        }

        _slots[slot] = offset + 1;
        _inTable++;
        return true;
    }

    /// <summary>Adds a user as it was read, or puts it in the place of one.</summary>
    internal void Put(StoredCredential user)
    {
        if (!_others.ContainsKey(user.UserName) && TryFindLine(user.UserName, out _))
        {
            _inTable--; // its line stays in the table, where it is not looked up any more
        }

        _others[user.UserName] = user;
    }

    private StoredCredential[] Others() => [.. _others.Values.OrderBy(user => user.UserName, StringComparer.Ordinal)];

    private int[] Offsets()
    {
        var offsets = _slots.Where(slot => slot != 0).Select(slot => slot - 1)
            .Where(offset => _others.Count == 0 || !_others.ContainsKey(Encoding.ASCII.GetString(NameAt(offset)))).ToArray();
        Array.Sort(offsets); // as they stand, which is nearly always the order of their names
        if (!IsInOrder(offsets))
        {
            Array.Sort(offsets, (one, other) => NameAt(one).SequenceCompareTo(NameAt(other)));
        }

        return offsets;
    }

    private bool IsInOrder(int[] offsets)
    {
        for (var i = 1; i < offsets.Length; i++)
        {
            if (NameAt(offsets[i - 1]).SequenceCompareTo(NameAt(offsets[i])) > 0)
            {
                return false;
            }
        }

        return true;
    }

    // Names in the table are ASCII, for which the order of octets is that of characters.
    private bool IsBefore(string name, int offset) => string.CompareOrdinal(name, Encoding.ASCII.GetString(NameAt(offset))) < 0;

    private bool HasSame(ReadOnlyMemory<byte> line)
    {
        var name = UserLine.NameOf(line.Span);
        var slot = _slots[SlotOf(name)];
        return slot != 0
            && LineAt(slot - 1).Span.SequenceEqual(line.Span)
            && (_others.Count == 0 || !_others.ContainsKey(Encoding.ASCII.GetString(name)));
    }

    private bool TryFindLine(string name, out ReadOnlyMemory<byte> line)
    {
        line = default;
        Span<byte> octets = stackalloc byte[SaslLimits.MaxNameLength];
        if (name.Length == 0 || !Encoding.UTF8.TryGetBytes(name, octets, out var length))
        {
            return false;
        }

        var slot = _slots[SlotOf(octets[..length])];
        line = slot == 0 ? default : LineAt(slot - 1);
        return slot != 0;
    }

    /// <summary>The slot that holds the user, or the free one where it belongs.</summary>
    private int SlotOf(ReadOnlySpan<byte> name)
    {
        // The seed is new in each process, so that names that collide cannot be chosen.
        var hash = default(HashCode);
        hash.AddBytes(name);
        var slot = hash.ToHashCode() & (_slots.Length - 1);
        while (_slots[slot] != 0 && !NameAt(_slots[slot] - 1).SequenceEqual(name))
        {
            slot = (slot + 1) & (_slots.Length - 1);
        }

        return slot;
    }

    private ReadOnlySpan<byte> NameAt(int offset) => UserLine.NameOf(_text.Span[offset..]);

    private ReadOnlyMemory<byte> LineAt(int offset)
    {
        var rest = _text[offset..];
        var length = rest.Span.IndexOf((byte)'\n');
        var line = length < 0 ? rest : rest[..length];
        return line.Span.EndsWith("\r"u8) ? line[..^1] : line;
    }

    private static StoredCredential Make(ReadOnlyMemory<byte> line) => CredentialFile.ReadUser(Encoding.ASCII.GetString(line.Span))
        ?? throw new InvalidOperationException("A line that was a user's is none any more.");
}
