using System.Collections.Immutable;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using MutualAuth.Handshake;
using MutualAuth.Revocation;
using MutualAuth.Trust;

namespace MutualAuth.Directories;

/// <summary>A directory whose users may log in, and how it is asked.</summary>
/// <remarks>Immutable. The constructor of <see cref="LdapVerifier"/> reports every problem at once.</remarks>
public sealed record LdapVerifierOptions
{
    /// <summary>Its servers, 1 to 16, the favourite first. One that failed is asked last for <see cref="RetryAfter"/>.</summary>
    public required ImmutableArray<LdapServer> Servers { get; init; }

    /// <summary>The authorities of the servers' certificates. A server must have the name under which it is listed.</summary>
    /// <remarks>Nothing switches that off.</remarks>
    public required ITrustSource Trust { get; init; }

    /// <summary>How the entry of a user is found.</summary>
    public required LdapUsers Users { get; init; }

    /// <summary>Revocation of the servers' certificates. Default: null, it is not checked.</summary>
    public RevocationPolicy? Revocation { get; init; }

    /// <summary>The certificate that we present to the servers. Default: <see cref="ClientIdentity.None"/>.</summary>
    public ClientIdentity Identity { get; init; } = ClientIdentity.None;

    /// <summary>
    /// How many passwords are checked at once: so many connections for searches, and as many for checks. 1 to 1,024; default 8.
    /// </summary>
    public int MaxConnections { get; init; } = 8;

    /// <summary>
    /// How many more may wait for a connection, until their client's deadline; further ones are
    /// <see cref="RejectionReason.CredentialCheckOverloaded"/>. 0 to 65,536; default 256.
    /// </summary>
    public int MaxWaiting { get; init; } = 256;

    /// <summary>
    /// The longest that connecting to a server with TLS may take, and each answer; then the next server is asked. 100 ms to 5 minutes; default 3
    /// seconds, so that a second server is asked within the ten seconds of a handshake.
    /// </summary>
    public TimeSpan Timeout { get; init; } = TimeSpan.FromSeconds(3);

    /// <summary>How long a server that failed comes last. 1 second to 1 hour; default 30 seconds.</summary>
    public TimeSpan RetryAfter { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>How long an unused connection is kept. 1 second to 1 hour; default 1 minute.</summary>
    public TimeSpan IdleTimeout { get; init; } = TimeSpan.FromMinutes(1);

    /// <summary>
    /// How long a login is good: the directory cannot be asked again without the password. More than zero, at most 30 days. Default: null, as
    /// long as the connection.
    /// </summary>
    public TimeSpan? LoginLifetime { get; init; }

    /// <summary>The clock for lifetimes and timeouts. Default: the system's.</summary>
    public TimeProvider TimeProvider { get; init; } = TimeProvider.System;

    /// <summary>Where events are logged. Default: nowhere.</summary>
    public ILoggerFactory LoggerFactory { get; init; } = NullLoggerFactory.Instance;

    internal IEnumerable<string> Problems()
    {
        if (Servers.IsDefaultOrEmpty || Servers.Length > 16)
        {
            yield return $"{nameof(Servers)} must name 1 to 16 servers.";
        }
        else
        {
            foreach (var server in Servers.Where(server => server is null || string.IsNullOrWhiteSpace(server.Host)
                || server.Port is < 1 or > 65_535 || !Enum.IsDefined(server.Tls)))
            {
                yield return $"{nameof(Servers)}: each must have a host, a port from 1 to 65,535 and a way to begin TLS; one is "
                    + $"{(server is null ? "null" : $"{Quoted.Text(server.Host)}, {server.Port}, {server.Tls}")}.";
            }
        }

        if (Trust is null || Users is null || Identity is null || TimeProvider is null || LoggerFactory is null)
        {
            yield return $"{nameof(Trust)}, {nameof(Users)}, {nameof(Identity)}, {nameof(TimeProvider)} and {nameof(LoggerFactory)} must not be "
                + "null.";
        }

        if (MaxConnections is < 1 or > 1024 || MaxWaiting is < 0 or > 65_536)
        {
            yield return $"{nameof(MaxConnections)} must be from 1 to 1,024, {nameof(MaxWaiting)} from 0 to 65,536; they are {MaxConnections} and "
                + $"{MaxWaiting}.";
        }

        if (Timeout < TimeSpan.FromMilliseconds(100) || Timeout > TimeSpan.FromMinutes(5))
        {
            yield return $"{nameof(Timeout)} must be 100 ms to 5 minutes; it is {Timeout}.";
        }

        foreach (var (name, value) in new[] { (nameof(RetryAfter), RetryAfter), (nameof(IdleTimeout), IdleTimeout) })
        {
            if (value < TimeSpan.FromSeconds(1) || value > TimeSpan.FromHours(1))
            {
                yield return $"{name} must be a second to an hour; it is {value}.";
            }
        }

        if (LoginLifetime is { } lifetime && (lifetime <= TimeSpan.Zero || lifetime > TimeSpan.FromDays(30)))
        {
            yield return $"{nameof(LoginLifetime)} must be more than nothing and at most 30 days; it is {lifetime}.";
        }
    }
}
