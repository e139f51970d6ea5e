using System.Net;
using System.Net.Sockets;
using System.Runtime.InteropServices;

namespace MutualAuth.Tests.Support;

/// <summary>A Kerberos of the test's own, with two realms, on a loopback port. Its files say to this process where it is.</summary>
/// <remarks>
/// The platform's library reads its files by variables of the environment, which are the process's: tests with it run one after the other.
/// </remarks>
internal sealed partial class Kdc : IAsyncDisposable
{
    internal const string Realm = "TEST.EXAMPLE";
    internal const string OtherRealm = "OTHER.EXAMPLE";
    internal const string Service = "mutualauth/server.test";
    internal const string OtherService = "mutualauth/second.test";

    private readonly string _directory = Directory.CreateTempSubdirectory("mutualauth-kdc-").FullName;
    private readonly List<RunningProgram> _running = [];
    private int _count;

    internal static async Task<Kdc> StartAsync()
    {
        string[] tools = [Find("krb5kdc"), Find("kdb5_util"), Find("kadmin.local"), Tool.Find("kinit")];
        var kdc = new Kdc();
        await kdc.MakeAsync(tools[1], tools[2]);
        await kdc.RunAsync(tools[0], shift: null);
        return kdc;
    }

    internal string Keys => Path.Combine(_directory, "server.keytab");

    /// <summary>Keys that were right before the service got new ones.</summary>
    internal string StaleKeys => Path.Combine(_directory, "stale.keytab");

    /// <summary>The table and the cache that this process uses from now on.</summary>
    internal void Use(string? keys = null, string? tickets = null, string? configuration = null)
    {
        Set("KRB5_CONFIG", configuration ?? Configuration);
        Set("KRB5_KTNAME", $"FILE:{keys ?? Keys}");
        Set("KRB5CCNAME", $"FILE:{tickets ?? Path.Combine(_directory, "none")}");
    }

    /// <summary>A cache with a user's ticket.</summary>
    internal async Task<string> TicketAsync(string principal, string? configuration = null, string? shift = null)
    {
        var cache = Path.Combine(_directory, $"tickets{++_count}");
        Use(tickets: cache, configuration: configuration);
        string[] kinit = [Tool.Find("kinit"), "-l", "1h", principal];
        string[] command = shift is null ? kinit : [.. Shifted(shift), .. kinit];
        var program = RunningProgram.Start(command[0], command[1..]);
        await program.WriteAsync("right\n");
        var ended = await EndedProgram.OfAsync(program);
        ended.ExitCode.Should().Be(0, ended.All);
        return cache;
    }

    /// <summary>One more with the same users, whose clock is wrong by so much.</summary>
    /// <returns>The configuration with which it is asked.</returns>
    internal Task<string> RunShiftedAsync(string shift) => RunAsync(Find("krb5kdc"), shift);

    internal void Freeze() => _running[0].Terminate("STOP");

    internal void Thaw() => _running[0].Terminate("CONT");

    public async ValueTask DisposeAsync()
    {
        foreach (var program in _running)
        {
            program.Terminate("KILL");
            await program.ExitCodeAsync();
            await program.DisposeAsync();
        }

        Directory.Delete(_directory, recursive: true);
    }

    private string Configuration => Path.Combine(_directory, "krb5.conf");

    private async Task MakeAsync(string database, string administration)
    {
        Use();
        Set("KRB5_KDC_PROFILE", Profile(0));
        await WriteAsync(Configuration, 1);
        await WriteProfileAsync(0, 1);
        foreach (var realm in new[] { Realm, OtherRealm })
        {
            await ToolAsync(database, "create", "-r", realm, "-s", "-P", "master");
        }

        await AddAsync(Realm, "-pw right alice");
        await AddAsync(OtherRealm, "-pw right mallory");
        foreach (var realm in new[] { Realm, OtherRealm })
        {
            await AddAsync(realm, $"-pw between krbtgt/{Realm}@{OtherRealm}");
        }

        await AddAsync(Realm, $"-randkey {Service}");
        await AddAsync(Realm, $"-randkey {OtherService}");
        await ToolAsync(administration, "-r", Realm, "-q", $"ktadd -k {StaleKeys} {Service}");
        await ToolAsync(administration, "-r", Realm, "-q", $"ktadd -k {Keys} {Service}");

        Task AddAsync(string realm, string what) => ToolAsync(administration, "-r", realm, "-q", $"addprinc {what}");
    }

    private async Task<string> RunAsync(string program, string? shift)
    {
        var (number, port) = (_running.Count, FreePorts.Next());
        var configuration = number == 0 ? Configuration : Path.Combine(_directory, $"krb5-{number}.conf");
        await WriteAsync(configuration, port);
        await WriteProfileAsync(number, port);
        Use(configuration: configuration);
        Set("KRB5_KDC_PROFILE", Profile(number));
        string[] kdc = [program, "-n", "-r", Realm, "-r", OtherRealm];
        string[] command = shift is null ? kdc : [.. Shifted(shift), .. kdc];
        var running = RunningProgram.Start(command[0], command[1..]);
        _running.Add(running);
        await running.ErrorLineAsync("commencing operation");
        return configuration;
    }

    private static Task WriteAsync(string path, int port) => File.WriteAllTextAsync(path, $$"""
        [libdefaults]
         default_realm = {{Realm}}
         dns_lookup_kdc = false
         dns_lookup_realm = false
         dns_canonicalize_hostname = false
         rdns = false
         qualify_shortname = ""
         udp_preference_limit = 1
        [realms]
         {{Realm}} = {
          kdc = 127.0.0.1:{{port}}
         }
         {{OtherRealm}} = {
          kdc = 127.0.0.1:{{port}}
         }
        [domain_realm]
         .test = {{Realm}}

        """);

    private Task WriteProfileAsync(int number, int port) => File.WriteAllTextAsync(Profile(number), $$"""
        [kdcdefaults]
         kdc_listen = 127.0.0.1:{{port}}
         kdc_tcp_listen = 127.0.0.1:{{port}}
        [realms]
        {{string.Concat(new[] { Realm, OtherRealm }.Select(realm => $$"""
         {{realm}} = {
          database_name = {{_directory}}/{{realm}}
          key_stash_file = {{_directory}}/{{realm}}.stash
          acl_file = {{_directory}}/acl
         }

        """))}}
        [logging]
         kdc = STDERR

        """);

    private string Profile(int number) => Path.Combine(_directory, $"kdc-{number}.conf");

    private static async Task ToolAsync(string program, params string[] arguments)
    {
        var ended = await EndedProgram.OfAsync(RunningProgram.Start(program, arguments));
        ended.ExitCode.Should().Be(0, ended.All);
    }

    // Not by the program faketime: it forks, and what it started would outlive it.
    private static string[] Shifted(string shift)
    {
        var library = Directory.EnumerateDirectories("/usr/lib").Append("/usr/lib").Append("/usr/lib64")
            .Select(directory => Path.Combine(directory, "faketime", "libfaketime.so.1"));
        return [Tool.Find("env"), $"LD_PRELOAD={Tool.FindFile("libfaketime (the package is called faketime)", [.. library])}", $"FAKETIME={shift}"];
    }

    private static string Find(string program) => File.Exists($"/usr/sbin/{program}") ? $"/usr/sbin/{program}" : Tool.Find(program);

    // .NET keeps an environment of its own: programs that it starts get that one, and a native library reads the other.
    private static void Set(string name, string value)
    {
        Environment.SetEnvironmentVariable(name, value);
        _ = SetNative(name, value, 1).Should().Be(0);
    }

    [LibraryImport("libc", EntryPoint = "setenv", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int SetNative(string name, string value, int overwrite);
}
