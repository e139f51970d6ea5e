using System.Diagnostics;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using MutualAuth.Testing;

namespace MutualAuth.Samples;

/// <summary>
/// A PKCS#11 token with the gate's key, which is generated in the token. Here it is SoftHSM's, which is software: it keeps the key in a directory of
/// ours, and only keeps up the interface. With the module of a real one the module's path, the token's name and the PIN differ.
/// </summary>
internal sealed partial class Pkcs11Token : IDisposable
{
    private const string Label = "gate";
    private const string Access = "Access:";
    private const string Module = "/usr/lib/softhsm/libsofthsm2.so";
    private const string Needed = "Install softhsm2, opensc and libengine-pkcs11-openssl, or start with --key-in-memory to see the rest.";

    private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("mutualauth-token-");
    private readonly string _pin = RandomNumberGenerator.GetString("0123456789", 8);

    /// <exception cref="InvalidOperationException">This machine has no such token.</exception>
    internal Pkcs11Token()
    {
        var configuration = Path.Combine(_directory.FullName, "softhsm2.conf");
        Directory.CreateDirectory(Path.Combine(_directory.FullName, "tokens"));
        File.WriteAllText(configuration, $"directories.tokendir = {_directory.FullName}/tokens\nlog.level = ERROR\n");

        // The engine is a C library and reads the process's own environment, which the framework's copy of it does not reach.
        _ = SetEnvironmentVariable("SOFTHSM2_CONF", configuration, 1);
        _ = SetEnvironmentVariable("PKCS11_MODULE_PATH", Module, 1);
        Environment.SetEnvironmentVariable("SOFTHSM2_CONF", configuration);

        Run("softhsm2-util", "--init-token", "--free", "--label", Label, "--so-pin", _pin, "--pin", _pin);
        Run(
            "pkcs11-tool",
            "--module",
            Module,
            "--token-label",
            Label,
            "--login",
            "--pin",
            _pin,
            "--keypairgen",
            "--key-type",
            "EC:secp384r1",
            "--label",
            Label,
            "--id",
            "01");
    }

    /// <summary>Lets the authority certify the token's key, and makes an identity of both. The PIN opens the token; the key stays in it.</summary>
    internal Identity IssueTo(TestAuthority authority, Func<CertificateSpec, CertificateSpec> spec)
    {
        using var key = OpenKey(_pin);
        using var certificate = X509CertificateLoader.LoadCertificate(
            authority.Issue(blank => spec(blank) with { RawPublicKey = key.ExportSubjectPublicKeyInfo() }).RawCertificate.Span);
        return Identity.From(certificate.CopyWithPrivateKey(key));
    }

    /// <summary>What the token says of the key: whether it has ever been, or can be, outside.</summary>
    internal string KeyAccess => Run(
        "pkcs11-tool", "--module", Module, "--token-label", Label, "--login", "--pin", _pin, "--list-objects", "--type", "privkey")
        .Split('\n')
        .Select(line => line.Trim())
        .Single(line => line.StartsWith(Access, StringComparison.Ordinal))[Access.Length..]
        .TrimStart();

    internal static bool OpensWith(string pin)
    {
        try
        {
            OpenKey(pin).Dispose();
            return true;
        }
        catch (CryptographicException)
        {
            return false;
        }
    }

    public void Dispose() => _directory.Delete(recursive: true);

    private static ECDsaOpenSsl OpenKey(string pin)
    {
        if (OperatingSystem.IsWindows() || OperatingSystem.IsMacOS())
        {
            throw new InvalidOperationException("A token behind OpenSSL's engine is Linux's way. " + Needed);
        }

        using var handle = SafeEvpPKeyHandle.OpenPrivateKeyFromEngine("pkcs11", $"pkcs11:token={Label};object={Label};type=private;pin-value={pin}");
        return new ECDsaOpenSsl(handle);
    }

    private static string Run(string program, params string[] arguments)
    {
        try
        {
            using var process =
                Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true, RedirectStandardError = true })!;
            var said = process.StandardError.ReadToEndAsync();
            var output = process.StandardOutput.ReadToEnd();
            process.WaitForExit();
            return process.ExitCode == 0
                ? output
                : throw new InvalidOperationException($"{program} ended with {process.ExitCode}: {said.Result} {Needed}");
        }
        catch (System.ComponentModel.Win32Exception exception)
        {
            throw new InvalidOperationException($"{program} is not on this machine. {Needed}", exception);
        }
    }

    [LibraryImport("libc", EntryPoint = "setenv", StringMarshalling = StringMarshalling.Utf8)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int SetEnvironmentVariable(string name, string value, int overwrite);
}
