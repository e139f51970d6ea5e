using System.Collections.Immutable;

namespace MutualAuth.Directories;

/// <summary>Which Kerberos users a server accepts.</summary>
/// <remarks>Immutable. <see cref="Kerberos.Tickets"/> reports every problem at once.</remarks>
public sealed record KerberosServerOptions
{
    /// <summary>
    /// The realms whose users are accepted, as they are written. A ticket of another realm is <see cref="RejectionReason.RealmNotAccepted"/>,
    /// although our own KDC may trust that realm.
    /// </summary>
    public required ImmutableArray<string> Realms { get; init; }

    /// <summary>
    /// The user's name of a principal, or null when it has none here. Must be pure and quick; an exception rejects the client. Default: null, the
    /// whole principal, <c>alice@EXAMPLE.COM</c>. A function that drops the realm makes the users of one name in two realms one user.
    /// </summary>
    public Func<KerberosPrincipal, string?>? UserOf { get; init; }

    /// <summary>
    /// How long a login is good. The platform does not say when a ticket ends, so set the lifetime that your KDC gives. More than zero, at most 30
    /// days; default 10 hours.
    /// </summary>
    public TimeSpan LoginLifetime { get; init; } = TimeSpan.FromHours(10);

    /// <summary>The clock for the lifetime. Default: the system's; the tickets themselves are judged by the system's in any case.</summary>
    public TimeProvider TimeProvider { get; init; } = TimeProvider.System;

    internal IEnumerable<string> Problems()
    {
        if (Realms.IsDefaultOrEmpty || Realms.Any(realm => string.IsNullOrWhiteSpace(realm) || realm.AsSpan().ContainsAny('@', '\\')))
        {
            yield return $"{nameof(Realms)} must name the accepted realms, without @.";
        }

        if (LoginLifetime <= TimeSpan.Zero || LoginLifetime > TimeSpan.FromDays(30))
        {
            yield return $"{nameof(LoginLifetime)} must be more than nothing and at most 30 days; it is {LoginLifetime}.";
        }

        if (TimeProvider is null)
        {
            yield return $"{nameof(TimeProvider)} must not be null.";
        }
    }
}
