using MutualAuth.Directories;

namespace MutualAuth.Snippets;

/// <summary>docs/how-to/directories.md, and the README of the package.</summary>
internal static class Directories
{
    internal static async Task PackageAsync(MutualTlsServerOptions serverOptions, Password servicePassword)
    {
        // snippet
        await using var directory = new LdapVerifier(new LdapVerifierOptions
        {
            Servers = [new LdapServer("ldap-1.example"), new LdapServer("ldap-2.example")],
            Trust = TrustAnchors.FromPemFiles("directory-authority.pem"),
            Users = LdapUsers.BySearch("ou=people,dc=example,dc=com", "cn=gateway,dc=example,dc=com", servicePassword),
        });
        var byPassword = serverOptions with { Credentials = Require.CertificateAndUser(SaslServer.PasswordsInPlain(directory)) };
        var byTicket = serverOptions with
        {
            Credentials = Require.CertificateAndUser(Kerberos.Tickets(new KerberosServerOptions { Realms = ["EXAMPLE.COM"] })),
        };
        // end
    }

    internal static void Ldap(MutualTlsServerOptions serverOptions, ILoggerFactory loggers)
    {
        // snippet
        var servicePassword = Password.FromFile("gateway.password");            // must live as long as the verifier
        var directory = new LdapVerifier(new LdapVerifierOptions
        {
            Servers =
            [
                new LdapServer("ldap-1.example"),                               // port 636, TLS at once
                new LdapServer("ldap-2.example", 389, LdapTls.StartTls),
            ],
            Trust = TrustAnchors.FromPemFiles("directory-authority.pem"),
            Users = LdapUsers.BySearch("ou=people,dc=example,dc=com", "cn=gateway,dc=example,dc=com", servicePassword),
            LoginLifetime = TimeSpan.FromHours(8),
            LoggerFactory = loggers,
        });
        var gateway = serverOptions with { Credentials = Require.CertificateAndUser(SaslServer.PasswordsInPlain(directory)) };
        // end
    }

    internal static void LdapClient(MutualTlsClientOptions clientOptions, Password typed)
    {
        // snippet
        var byPassword = clientOptions with { Credentials = Login.DangerouslyWithPasswordInPlain("alice", typed) };
        // end
    }

    internal static void Tickets(MutualTlsServerOptions serverOptions, MutualTlsClientOptions clientOptions)
    {
        // snippet
        var kerberos = Kerberos.Tickets(new KerberosServerOptions
        {
            Realms = ["EXAMPLE.COM"],
            UserOf = principal => principal.Name.Contains('/') ? null : principal.ToString(),   // no alice/admin here
        });
        var server = serverOptions with { Credentials = Require.CertificateAndUser(kerberos) };
        var client = clientOptions with { Credentials = Kerberos.WithTicket("mutualauth/server.example") };
        // end
    }
}
