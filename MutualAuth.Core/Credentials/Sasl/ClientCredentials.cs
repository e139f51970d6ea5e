using System.Collections.Immutable;
using MutualAuth.Collections;

namespace MutualAuth.Credentials;

/// <summary>The credentials of a client. <see cref="Login"/> creates them.</summary>
/// <remarks>
/// Immutable and safe to share. Nothing is sent before the server's certificate has been accepted, and a server that does not ask for
/// credentials is rejected: it may not be the server that knows the user.
/// </remarks>
public sealed record ClientCredentials
{
    private readonly EquatableArray<ISaslClientMechanism> _mechanisms;

    internal ClientCredentials(params ImmutableArray<ISaslClientMechanism> mechanisms) => _mechanisms = new(mechanisms);

    /// <summary>The ways to log in, the favourite first.</summary>
    public ImmutableArray<ISaslClientMechanism> Mechanisms => _mechanisms.Items;

    /// <summary>The only mechanism to use, such as <c>SCRAM-SHA-512-PLUS</c>; null for the first that both sides have.</summary>
    public string? OnlyMechanism { get; init; }

    internal IEnumerable<string> Problems()
    {
        if (Mechanisms.IsDefaultOrEmpty || Mechanisms.Any(mechanism => mechanism is null))
        {
            yield return "Credentials without a mechanism cannot log in.";
        }

        if (OnlyMechanism is not null && !SaslLimits.IsMechanismName(OnlyMechanism))
        {
            yield return $"'{OnlyMechanism}' is not the name of a SASL mechanism.";
        }
    }
}
