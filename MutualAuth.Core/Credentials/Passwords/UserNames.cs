using System.Text;

namespace MutualAuth.Credentials;

/// <summary>The one form of a user's name.</summary>
public static class UserNames
{
    /// <summary>Brings a name into the form in which it is stored and compared: SASLprep (RFC 4013), 1 to 255 octets of UTF-8.</summary>
    /// <exception cref="ArgumentNullException"><paramref name="userName"/> is null.</exception>
    /// <exception cref="ArgumentException">
    /// It is empty, too long, or holds characters that no name may: control characters, a colon, a leading <c>#</c> or space at an end.
    /// </exception>
    public static string Prepare(string userName)
    {
        ArgumentNullException.ThrowIfNull(userName);
        return SaslPrep.TryPrepare(userName, allowUnassigned: false, out var prepared) && IsStorable(prepared)
            ? prepared
            : throw new ArgumentException(
                "Expected a user name of 1 to 255 octets without control characters, a colon, a leading # or a space at its ends (RFC 4013 §2.3); "
                    + "got another.",
                nameof(userName));
    }

    /// <summary>A peer's claimed name, prepared as a query (RFC 3454 §7); null when no user can have that name.</summary>
    internal static string? FromPeer(string userName) =>
        SaslPrep.TryPrepare(userName, allowUnassigned: true, out var prepared) && Encoding.UTF8.GetByteCount(prepared) <= SaslLimits.MaxNameLength
            ? prepared
            : null;

    /// <summary>
    /// The identity to act as, prepared as a name; null when no user can have it. Characters that SASLprep does not know are rejected,
    /// because their appearance is not known either.
    /// </summary>
    internal static string? ToIdentity(string identity) =>
        SaslPrep.TryPrepare(identity, allowUnassigned: false, out var prepared) && Encoding.UTF8.GetByteCount(prepared) <= SaslLimits.MaxNameLength
            ? prepared
            : null;

    /// <summary>The same for our own identity.</summary>
    internal static string? ToOwnIdentity(string? actAs) => actAs is null
        ? null
        : ToIdentity(actAs)
            ?? throw new ArgumentException(
                "Expected an identity of 1 to 255 octets without control characters (RFC 4013 §2.3); got another.", nameof(actAs));

    // A colon, a hash and spaces at the ends would be read otherwise in a credential file; a name that moves between stores must fit into each.
    private static bool IsStorable(string name) =>
        Encoding.UTF8.GetByteCount(name) <= SaslLimits.MaxNameLength
            && !name.Contains(':', StringComparison.Ordinal)
            && name[0] is not ('#' or ' ')
            && name[^1] != ' ';
}
