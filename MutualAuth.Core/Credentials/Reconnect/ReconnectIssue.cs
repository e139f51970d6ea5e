namespace MutualAuth.Credentials;

/// <summary>What became of the wish to issue a reconnect credential: octets for the client, or the reason why there are none.</summary>
/// <remarks>Immutable but for <see cref="Octets"/>, which belong to the caller.</remarks>
public sealed class ReconnectIssue
{
    private ReconnectIssue()
    {
    }

    /// <summary>
    /// What the application sends to the client, on this connection and nowhere else; null when there is a <see cref="Rejection"/>. They hold a
    /// secret: wipe them when they are sent, and log them never.
    /// </summary>
    public byte[]? Octets { get; private init; }

    /// <summary>When the credential is over; null when there is none.</summary>
    public DateTimeOffset? NotAfter { get; private init; }

    /// <summary>Why none was issued; null when one was. It is not for the client.</summary>
    public Rejection? Rejection { get; private init; }

    internal static ReconnectIssue Of(byte[] octets, DateTimeOffset notAfter) => new() { Octets = octets, NotAfter = notAfter };

    internal static ReconnectIssue Refused(Rejection rejection) => new() { Rejection = rejection };
}
