using MutualAuth.Credentials;

namespace MutualAuth.Directories;

/// <summary>Logging in with a Kerberos ticket: SASL GSSAPI (RFC 4752), without a security layer, since TLS is one.</summary>
/// <remarks>
/// The platform's library does the work: on Linux MIT's, <c>libgssapi_krb5.so.2</c>. It reads <c>KRB5_CONFIG</c>, the server's keys
/// from <c>KRB5_KTNAME</c>, the client's tickets from <c>KRB5CCNAME</c>. On Linux .NET has no way to check a channel binding at the server, so the
/// login is not bound: the holder of any certificate that the client accepts can pass its messages on to a server for which the ticket is. With
/// <see cref="ChannelBindingPolicy.Required"/> it is therefore not offered.
/// </remarks>
public static class Kerberos
{
    internal const string Mechanism = "GSSAPI";

    /// <summary>The server's side: users with a ticket for one of the keys in the server's key table.</summary>
    /// <exception cref="ArgumentNullException"><paramref name="options"/> is null.</exception>
    /// <exception cref="ArgumentException">The options are wrong; the message lists every problem.</exception>
    /// <example><code>var kerberos = Kerberos.Tickets(new KerberosServerOptions { Realms = ["EXAMPLE.COM"] });</code></example>
    public static ISaslServerMechanism Tickets(KerberosServerOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        string[] problems = [.. options.Problems()];
        return problems.Length == 0 ? new GssapiServer(options) : throw new ArgumentException(string.Join(' ', problems), nameof(options));
    }

    /// <summary>The client's side: a ticket from the cache of the process's user, for one service. No password is asked for or sent.</summary>
    /// <param name="service">
    /// The service's principal without its realm, such as <c>mutualauth/server.example</c>; <c>mutualauth@server.example</c> is the same. Say it
    /// yourself: a name that the server could choose would make the ticket one for whatever it likes.
    /// </param>
    /// <param name="actAs">The user to act as, if the server grants that; null for the ticket's own.</param>
    /// <remarks>
    /// The server must prove that it holds the service's key (mutual authentication), else it is <see cref="RejectionReason.TicketRefused"/>. Without
    /// a ticket: <see cref="RejectionReason.TicketUnavailable"/>. The binding to the server's certificate is sent along
    /// (<c>tls-server-end-point</c>) for servers that check it.
    /// </remarks>
    /// <exception cref="ArgumentException"><paramref name="service"/> or <paramref name="actAs"/> is not a name.</exception>
    /// <example><code>var byTicket = clientOptions with { Credentials = Kerberos.WithTicket("mutualauth/server.example") };</code></example>
    public static ClientCredentials WithTicket(string service, string? actAs = null)
    {
        if (service is not { Length: > 2 and <= 512 } || service.IndexOfAny(['/', '@']) <= 0 || service.AsSpan().ContainsAny(' ', '\\', '\0'))
        {
            throw new ArgumentException("Expected a service and a host, such as mutualauth/server.example.", nameof(service));
        }

        return Login.With(new GssapiClient(service, actAs is null ? null : UserNames.Prepare(actAs)));
    }
}
