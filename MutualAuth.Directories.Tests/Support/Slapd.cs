using System.Globalization;
using System.Net;
using System.Net.Sockets;
using MutualAuth.Credentials;
using MutualAuth.Directories;
using MutualAuth.Testing;

namespace MutualAuth.Tests.Support;

/// <summary>An OpenLDAP of the test's own, on two loopback ports: TLS at once, and plain text with StartTLS.</summary>
internal sealed class Slapd : IAsyncDisposable
{
    internal const string Users = "ou=people,dc=example,dc=com";
    internal const string Account = "cn=gateway,dc=example,dc=com";
    internal const string AccountPassword = "the gateway's own";

    private readonly string _directory;
    private readonly string _program;
    private RunningProgram? _running;

    private Slapd(string directory, string program)
    {
        _directory = directory;
        _program = program;
    }

    internal int TlsPort { get; } = FreePorts.Next();

    internal int PlainPort { get; } = FreePorts.Next();

    /// <summary>Everything that it said of its connections.</summary>
    internal string Said => string.Join('\n', _running!.Errors);

    internal LdapServer Server => new("localhost", TlsPort);

    /// <summary>Makes a directory with users, and starts the server.</summary>
    internal static async Task<Slapd> StartAsync(TestCertificate certificate, bool withStartTls = true)
    {
        var program = File.Exists("/usr/sbin/slapd") ? "/usr/sbin/slapd" : Tool.Find("slapd");
        var modules = Array.Find(["/usr/lib/ldap", "/usr/lib64/openldap", "/usr/lib/openldap"], Directory.Exists)
            ?? throw Tool.Missing("The modules of slapd are not on this machine.");
        var schemas = Array.Find(["/etc/ldap/schema", "/etc/openldap/schema"], Directory.Exists)
            ?? throw Tool.Missing("The schemas of slapd are not on this machine.");
        var slapd = new Slapd(Directory.CreateTempSubdirectory("mutualauth-slapd-").FullName, program);
        var (chain, key) = certificate.WriteTo(slapd._directory, "server");
        Directory.CreateDirectory(Path.Combine(slapd._directory, "data"));
        await File.WriteAllTextAsync(slapd.Configuration, $"""
            include {schemas}/core.schema
            include {schemas}/cosine.schema
            include {schemas}/inetorgperson.schema
            modulepath {modules}
            moduleload back_mdb
            moduleload ppolicy
            pidfile {slapd._directory}/pid
            allow bind_anon_cred
            {(withStartTls ? $"TLSCertificateFile {chain}\nTLSCertificateKeyFile {key}\nTLSCACertificateFile {chain}" : "# no TLS")}
            database mdb
            suffix "dc=example,dc=com"
            directory {slapd._directory}/data
            index uid eq
            overlay ppolicy
            ppolicy_default "cn=default,dc=example,dc=com"
            ppolicy_use_lockout
            access to attrs=userPassword by anonymous auth by * none
            access to * by dn.exact="{Account}" read by self read by * none

            """);
        var entries = Path.Combine(slapd._directory, "entries.ldif");
        await File.WriteAllTextAsync(entries, Entries());
        var added = await EndedProgram.OfAsync(RunningProgram.Start(program, "-T", "add", "-f", slapd.Configuration, "-l", entries));
        added.ExitCode.Should().Be(0, added.All);
        slapd._hasTls = withStartTls;
        await slapd.StartAgainAsync();
        return slapd;
    }

    private bool _hasTls;

    private string Configuration => Path.Combine(_directory, "slapd.conf");

    internal async Task StartAgainAsync()
    {
        var addresses = _hasTls ? $"ldaps://localhost:{TlsPort} ldap://localhost:{PlainPort}" : $"ldap://localhost:{PlainPort}";
        _running = RunningProgram.Start(_program, "-f", Configuration, "-h", addresses, "-d", "256");
        await _running.ErrorLineAsync("slapd starting");
        await ListeningAsync(PlainPort);
        if (_hasTls)
        {
            await ListeningAsync(TlsPort);
        }
    }

    internal async Task StopAsync()
    {
        _running!.Terminate();
        await _running.ExitCodeAsync();
        await _running.DisposeAsync();
        _running = null;
    }

    internal void Freeze() => _running!.Terminate("STOP");

    internal void Thaw() => _running!.Terminate("CONT");

    public async ValueTask DisposeAsync()
    {
        if (_running is not null)
        {
            Thaw();
            await StopAsync();
        }

        Directory.Delete(_directory, recursive: true);
    }

    /// <summary>It listens a moment after it has said that it starts.</summary>
    private static async Task ListeningAsync(int port)
    {
        using var deadline = new CancellationTokenSource(RunningProgram.Deadline);
        while (true)
        {
            using var socket = new Socket(SocketType.Stream, ProtocolType.Tcp);
            try
            {
                await socket.ConnectAsync("localhost", port, deadline.Token);
                return;
            }
            catch (SocketException)
            {
                await Task.Delay(10, deadline.Token);
            }
        }
    }

    internal static LdapUsers BySearch(string password = AccountPassword) => LdapUsers.BySearch(Users, Account, Password.From(password));

    private static string Entries()
    {
        var text = new System.Text.StringBuilder($"""
            dn: dc=example,dc=com
            objectClass: domain
            dc: example

            dn: ou=people,dc=example,dc=com
            objectClass: organizationalUnit
            ou: people

            dn: ou=other,{Users}
            objectClass: organizationalUnit
            ou: other

            dn: {Account}
            objectClass: organizationalRole
            objectClass: simpleSecurityObject
            cn: gateway
            userPassword: {AccountPassword}

            dn: cn=default,dc=example,dc=com
            objectClass: organizationalRole
            objectClass: pwdPolicy
            cn: default
            pwdAttribute: userPassword
            pwdLockout: TRUE
            pwdMustChange: TRUE
            pwdMaxFailure: 50
            pwdMaxAge: 315360000


            """);
        Add("alice", "right");
        Add("bob", "right");
        Add("locked", "right", "pwdAccountLockedTime: 000001010000Z");
        Add("expired", "right", "pwdChangedTime: 20000101000000Z");
        Add("reset", "right", "pwdReset: TRUE");
        Add("twin", "right");
        Add("twin", "right", place: "ou=other,");
        Add("a*", "star");
        Add("smith, john", "comma");
        for (var number = 0; number < 200; number++)
        {
            Add(string.Create(CultureInfo.InvariantCulture, $"user{number}"), "right");
        }

        return text.ToString();

        void Add(string uid, string password, string? more = null, string place = "") => text.Append(CultureInfo.InvariantCulture, $"""
            dn: uid={uid.Replace(",", "\\2C", StringComparison.Ordinal)},{place}{Users}
            objectClass: inetOrgPerson
            uid: {uid}
            cn: {uid}
            sn: {uid}
            userPassword: {password}
            {more ?? "description: -"}


            """);
    }
}
