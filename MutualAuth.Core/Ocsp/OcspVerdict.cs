using MutualAuth.Revocation;

namespace MutualAuth.Ocsp;

/// <summary>What came of asking about a certificate: a status that was proven, or why there is none.</summary>
/// <param name="Status">The status; null when no answer could be relied on.</param>
/// <param name="Revocation">Since when and why it is revoked.</param>
/// <param name="Until">Until when the answer may be used again; null for this once.</param>
/// <param name="ThisUpdate">When the status was known to be right.</param>
/// <param name="Flaw">Why no answer could be relied on, in words.</param>
internal sealed record OcspVerdict(OcspStatus? Status, RevokedEntry Revocation, DateTimeOffset? Until, DateTimeOffset ThisUpdate, string? Flaw)
{
    internal static OcspVerdict None(string flaw) => new(null, default, null, default, flaw);
}
