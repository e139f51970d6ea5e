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
    private EquatableArray<ISaslClientMechanism> _secondFactors = new([]);

    internal ClientCredentials(params ImmutableArray<ISaslClientMechanism> mechanisms) => _mechanisms = new(mechanisms);

    /// <summary>The ways to log in, the favourite first.</summary>
    public ImmutableArray<ISaslClientMechanism> Mechanisms => _mechanisms.Items;

    /// <summary>
    /// The second factors that the client has, the favourite first: used where the server asks for them, and in no case before it has proven
    /// what the first exchange makes it prove. Default: none.
    /// </summary>
    public ImmutableArray<ISaslClientMechanism> SecondFactors => _secondFactors.Items;

    /// <summary>
    /// The only mechanism to use in the first exchange, such as <c>SCRAM-SHA-512-PLUS</c>; null for the first that both sides have.
    /// </summary>
    public string? OnlyMechanism { get; init; }

    /// <summary>The same credentials, and then these second factors: one-time codes, passkeys. The server says which it wants.</summary>
    /// <param name="mechanisms">The mechanisms, the favourite first; they follow those of earlier calls.</param>
    /// <exception cref="ArgumentNullException"><paramref name="mechanisms"/> is null.</exception>
    /// <exception cref="ArgumentException"><paramref name="mechanisms"/> is empty, or holds a null.</exception>
    /// <example><code>var credentials = Login.WithPassword("alice", password).Then(oneTimeCode);</code></example>
    public ClientCredentials Then(params IEnumerable<ISaslClientMechanism> mechanisms)
    {
        ArgumentNullException.ThrowIfNull(mechanisms);
        ISaslClientMechanism[] further = [.. mechanisms];
        return further.Length == 0 || further.Contains(null)
            ? throw new ArgumentException("Expected at least one mechanism and no null.", nameof(mechanisms))
            : this with { _secondFactors = new([.. SecondFactors, .. further]) };
    }

    /// <summary>The same credentials, and this mechanism before the others.</summary>
    internal ClientCredentials Behind(ISaslClientMechanism first) =>
        new([first, .. Mechanisms]) { _secondFactors = _secondFactors, OnlyMechanism = OnlyMechanism };

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
