using MutualAuth.Asn1;

namespace MutualAuth.Revocation;

/// <summary>
/// Recognizes entries in the form that nearly every authority writes: a serial number, a UTCTime, and a reason or nothing. It accepts nothing that
/// <see cref="RevokedEntry"/> would not; what it does not recognize is read there.
/// </summary>
/// <remarks>So that a list of a million entries is read in a fraction of a second.</remarks>
internal ref struct UsualEntries
{
    private const int TimeLength = 15; // with tag and length

    private readonly ReadOnlySpan<byte> _entries;
    private ReadOnlySpan<byte> _time; // the last one that was found to be one: many are of the same moment

    internal UsualEntries(ReadOnlySpan<byte> entries) => _entries = entries;

    /// <summary>SEQUENCE { SEQUENCE { OID of the reason, OCTET STRING { ENUMERATED } } }, but for the reason itself.</summary>
    private static ReadOnlySpan<byte> Reason => [0x30, 0x0c, 0x30, 0x0a, 0x06, 0x03, 0x55, 0x1d, 0x15, 0x04, 0x03, 0x0a, 0x01];

    /// <summary>Reads the entry that begins here.</summary>
    /// <param name="offset">Where it begins.</param>
    /// <param name="length">Its length.</param>
    /// <param name="isRemoval">Whether its reason is removeFromCRL.</param>
    internal bool TryRead(int offset, out int length, out bool isRemoval)
    {
        (length, isRemoval) = (0, false);
        var rest = _entries[offset..];
        if (rest.Length < 2 || rest[0] != DerReader.Sequence || rest[1] >= 0x80 || rest.Length < rest[1] + 2)
        {
            return false;
        }

        var entry = rest.Slice(2, rest[1]);
        if (entry.Length < 3 || entry[0] != DerReader.Integer || entry[1] is 0 or >= 0x80 || entry.Length < entry[1] + 2 + TimeLength
            || !IsShortest(entry.Slice(2, entry[1])))
        {
            return false;
        }

        var time = entry.Slice(entry[1] + 2, TimeLength);
        if (!time.SequenceEqual(_time))
        {
            if (!IsTime(time))
            {
                return false;
            }

            _time = time;
        }

        var reason = entry[(entry[1] + 2 + TimeLength)..];
        if (!reason.IsEmpty)
        {
            if (reason.Length != Reason.Length + 1 || !reason.StartsWith(Reason) || reason[^1] is 7 or > 10)
            {
                return false;
            }

            isRemoval = reason[^1] == (byte)RevocationReason.RemoveFromCrl;
        }

        length = rest[1] + 2;
        return true;
    }

    private static bool IsShortest(ReadOnlySpan<byte> integer) =>
        integer.Length == 1 || !((integer[0] == 0 && integer[1] < 0x80) || (integer[0] == 0xff && integer[1] >= 0x80));

    /// <summary>Twelve digits and a Z, from 1950 to 2049 (RFC 5280 §4.1.2.5.1).</summary>
    private static bool IsTime(ReadOnlySpan<byte> time)
    {
        if (time[0] != DerReader.UtcTime || time[1] != TimeLength - 2 || time[^1] != (byte)'Z'
            || time[2..^1].ContainsAnyExceptInRange((byte)'0', (byte)'9'))
        {
            return false;
        }

        var (year, month, day) = (Two(time, 2), Two(time, 4), Two(time, 6));
        return month is >= 1 and <= 12 && day >= 1 && day <= DateTime.DaysInMonth(year < 50 ? 2000 + year : 1900 + year, month)
            && Two(time, 8) < 24 && Two(time, 10) < 60 && Two(time, 12) < 60;
    }

    private static int Two(ReadOnlySpan<byte> time, int at) => ((time[at] - '0') * 10) + time[at + 1] - '0';
}
