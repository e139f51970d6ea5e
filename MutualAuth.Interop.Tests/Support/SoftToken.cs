using System.Diagnostics;

namespace MutualAuth.Tests.Support;

/// <summary>
/// A token of SoftHSM in a directory of its own: keys that nothing can take out of it, reached through the OpenSSL engine of OpenSC, or the provider.
/// </summary>
internal sealed class SoftToken
{
    private const string Pin = "2468";
    private const string Label = "mutualauth";

    private static SoftToken? s_only;

    private readonly string _utility = Tool.Find("softhsm2-util");
    private readonly string _tool = Tool.Find("pkcs11-tool");
    private readonly string _module = Tool.FindFile(
        "softhsm2", "/usr/lib/softhsm/libsofthsm2.so", "/usr/lib64/pkcs11/libsofthsm2.so", "/usr/local/lib/softhsm/libsofthsm2.so");
    private int _keys;

    private SoftToken()
    {
        Tool.FindFile(
            "libengine-pkcs11-openssl",
            "/usr/lib/x86_64-linux-gnu/engines-3/pkcs11.so",
            "/usr/lib/aarch64-linux-gnu/engines-3/pkcs11.so",
            "/usr/lib64/engines-3/pkcs11.so");
        var directory = Directory.CreateTempSubdirectory("mutualauth-token-").FullName;
        AppDomain.CurrentDomain.ProcessExit += (_, _) => Directory.Delete(directory, recursive: true);
        var configuration = Path.Combine(directory, "softhsm2.conf");
        File.WriteAllText(configuration, $"directories.tokendir = {directory}\nobjectstore.backend = file\nlog.level = ERROR\n");

        // The engine is native code, and does not see what the framework calls the environment.
        NativeEnvironment.Set("SOFTHSM2_CONF", configuration);
        NativeEnvironment.Set("PKCS11_MODULE_PATH", _module);
        NativeEnvironment.Set("PKCS11_PROVIDER_MODULE", _module);
        Run(_utility, "--init-token", "--free", "--label", Label, "--pin", Pin, "--so-pin", Pin);
    }

    /// <summary>The one of this process: the engine is loaded once, and asks its environment once.</summary>
    internal static SoftToken Open() => s_only ??= new SoftToken();

    /// <summary>Whether OpenSSL has a provider for tokens beside the engine.</summary>
    internal static bool HasProvider => Array.Exists(
        [
            "/usr/lib/x86_64-linux-gnu/ossl-modules/pkcs11.so", "/usr/lib/aarch64-linux-gnu/ossl-modules/pkcs11.so",
            "/usr/lib64/ossl-modules/pkcs11.so",
        ],
        File.Exists);

    /// <summary>Makes a key.</summary>
    /// <param name="type">As pkcs11-tool calls it, such as <c>EC:prime256v1</c> or <c>rsa:2048</c>.</param>
    /// <returns>Its URI, with the PIN, and its public key in DER.</returns>
    internal (string Uri, byte[] PublicKey) MakeKey(string type)
    {
        var id = $"{++_keys:x2}";
        Run(
            _tool,
            "--module",
            _module,
            "--token-label",
            Label,
            "--login",
            "--pin",
            Pin,
            "--keypairgen",
            "--key-type",
            type,
            "--label",
            $"key-{id}",
            "--id",
            id);
        var file = Path.GetTempFileName();
        try
        {
            Run(_tool, "--module", _module, "--token-label", Label, "--read-object", "--type", "pubkey", "--id", id, "--output-file", file);
            return (Uri(id), File.ReadAllBytes(file));
        }
        finally
        {
            File.Delete(file);
        }
    }

    /// <summary>The URI that a key of this number has, whether there is one or not.</summary>
    internal static string Uri(string id, string pin = Pin) => $"pkcs11:token={Label};id=%{id};type=private?pin-value={pin}";

    private static void Run(string program, params string[] arguments)
    {
        using var process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true, RedirectStandardError = true })!;
        var error = process.StandardError.ReadToEndAsync();
        process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        process.ExitCode.Should().Be(0, $"{program} said {error.GetAwaiter().GetResult()}");
    }
}
