using System.Diagnostics;

namespace MutualAuth.Tests.Support;

/// <summary>
/// A software TPM (swtpm) in a directory of its own. It talks to one program at a time, and OpenSSL's provider keeps talking: make all keys before
/// the first is opened, and open the keys of two owners in two of them.
/// </summary>
internal sealed class SoftTpm : IDisposable
{
    private const uint FirstHandle = 0x81000007;

    private readonly string _directory;
    private readonly string _connection;
    private readonly Process _process;
    private uint _keys;
    private bool? _signsForTls;

    private SoftTpm(string directory, Process process)
    {
        _directory = directory;
        _process = process;
        _connection = $"swtpm:path={Path.Combine(directory, "tpm")}";
    }

    /// <summary>
    /// Whether the provider signs what TLS has it sign. Release 1.1 of tpm2-openssl, which Debian 12 has, hands out a key without its private part as
    /// if it were whole; OpenSSL then signs without the TPM, which fails. From 1.3, which Debian 13 has, it gets a no, and asks the TPM.
    /// </summary>
    internal bool SignsForTls => _signsForTls ??= ProviderVersion() >= new Version(1, 2);

    internal static SoftTpm Start()
    {
        var program = Tool.Find("swtpm");
        Tool.Find("tpm2_createprimary");
        Tool.FindFile(
            "tpm2-openssl",
            "/usr/lib/x86_64-linux-gnu/ossl-modules/tpm2.so",
            "/usr/lib/aarch64-linux-gnu/ossl-modules/tpm2.so",
            "/usr/lib64/ossl-modules/tpm2.so");
        Tool.FindFile(
            "libtss2-tcti-swtpm0",
            "/usr/lib/x86_64-linux-gnu/libtss2-tcti-swtpm.so.0",
            "/usr/lib/aarch64-linux-gnu/libtss2-tcti-swtpm.so.0",
            "/usr/lib64/libtss2-tcti-swtpm.so.0");
        var directory = Directory.CreateTempSubdirectory("mutualauth-tpm-").FullName;
        var socket = Path.Combine(directory, "tpm");
        string[] arguments =
        [
            "socket", "--tpm2", "--tpmstate", $"dir={directory}", "--server", $"type=unixio,path={socket}",
            "--ctrl", $"type=unixio,path={socket}.ctrl", "--flags", "not-need-init,startup-clear",
        ];
        var tpm = new SoftTpm(directory, Process.Start(new ProcessStartInfo(program, arguments))!);
        SpinWait.SpinUntil(() => File.Exists(socket) && File.Exists(socket + ".ctrl"), RunningProgram.Deadline)
            .Should().BeTrue("swtpm makes its sockets at once");
        return tpm;
    }

    /// <summary>Makes a key that stays.</summary>
    /// <param name="type">As the tools call it, such as <c>ecc256</c> or <c>rsa2048</c>.</param>
    /// <returns>Its URI, and its public key in DER.</returns>
    internal (string Uri, byte[] PublicKey) MakeKey(string type)
    {
        var handle = $"0x{FirstHandle + _keys++:x}";
        Run("tpm2_createprimary", "-Q", "-C", "o", "-G", "ecc", "-c", Of("primary"));
        Run("tpm2_create", "-Q", "-C", Of("primary"), "-G", type, "-u", Of("public"), "-r", Of("private"));
        Run("tpm2_flushcontext", "-t");
        Run("tpm2_load", "-Q", "-C", Of("primary"), "-u", Of("public"), "-r", Of("private"), "-c", Of("key"));
        Run("tpm2_evictcontrol", "-Q", "-C", "o", "-c", Of("key"), handle);
        Run("tpm2_flushcontext", "-t");
        Run("tpm2_readpublic", "-Q", "-c", handle, "-f", "der", "-o", Of("key.der"));
        return ($"handle:{handle}", File.ReadAllBytes(Of("key.der")));
    }

    /// <summary>The provider of this process opens its next keys here.</summary>
    internal void Choose() => NativeEnvironment.Set("TPM2OPENSSL_TCTI", _connection);

    public void Dispose()
    {
        _process.Kill();
        _process.WaitForExit();
        _process.Dispose();
        Directory.Delete(_directory, recursive: true);
    }

    // Asked before any key is open: the TPM talks to one program at a time.
    private Version ProviderVersion()
    {
        var listed = Run("openssl", "list", "-providers", "-provider", "tpm2").Split('\n').Select(line => line.Trim());
        return Version.Parse(listed.SkipWhile(line => line != "tpm2").First(line => line.StartsWith("version: ", StringComparison.Ordinal))[9..]);
    }

    private string Of(string name) => Path.Combine(_directory, name);

    private string Run(string program, params string[] arguments)
    {
        var start = new ProcessStartInfo(Tool.Find(program), arguments) { RedirectStandardOutput = true, RedirectStandardError = true };
        start.Environment["TPM2TOOLS_TCTI"] = _connection;
        start.Environment["TPM2OPENSSL_TCTI"] = _connection;
        using var process = Process.Start(start)!;
        var error = process.StandardError.ReadToEndAsync();
        var output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        process.ExitCode.Should().Be(0, $"{program} said {error.GetAwaiter().GetResult()}");
        return output;
    }
}
