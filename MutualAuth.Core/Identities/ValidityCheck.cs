using System.Globalization;
using MutualAuth.Certificates;

namespace MutualAuth.Identities;

/// <summary>Whether the certificates of an identity hold now.</summary>
internal sealed class ValidityCheck : IIdentityCheck
{
    internal static ValidityCheck Instance { get; } = new();

    public MaterialException? Examine(Identity identity, DateTimeOffset at) =>
        Examine(identity.Certificate, at, "have it renewed, and give the new one")
        ?? identity.Intermediates.Select(
            intermediate => Examine(intermediate, at, "ask its authority for the one that follows it, and give that in the chain"))
            .FirstOrDefault(problem => problem is not null);

    private static MaterialException? Examine(Certificate certificate, DateTimeOffset at, string advice)
    {
        if (at > certificate.NotAfter)
        {
            return new MaterialException($"The certificate {certificate} expired at {Format(certificate.NotAfter)}: {advice}.")
            { Problem = MaterialProblem.Expired };
        }

        return at < certificate.NotBefore
            ? new MaterialException(
                $"The certificate {certificate} is valid only from {Format(certificate.NotBefore)} on: wait until then, or set this "
                    + "machine's clock right.")
            { Problem = MaterialProblem.NotYetValid }
            : null;
    }

    private static string Format(DateTimeOffset time) => time.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture);
}
