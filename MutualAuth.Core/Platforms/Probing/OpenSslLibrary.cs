using System.Collections.Immutable;
using System.Runtime.InteropServices;
using System.Security.Cryptography;

namespace MutualAuth.Platforms;

/// <summary>
/// Asks the OpenSSL that the framework has loaded into this process which it is, which providers are active, and whether its algorithms are held to
/// FIPS. No other copy is loaded: where the one cannot be found, nothing is known.
/// </summary>
internal static class OpenSslLibrary
{
    private const string FipsProvider = "fips";

    // A provider that has encodings and keys on disk, and no algorithm of its own.
    private const string BaseProvider = "base";

    /// <summary>What it says; a name that is null, or an answer that is unknown, where it says nothing.</summary>
    internal sealed record Facts(string? Version, ImmutableArray<string> Providers, PlatformAnswer Fips)
    {
        /// <summary>The providers are known, and none has an algorithm: such as where a FIPS module is configured that is not there.</summary>
        internal bool HasNoAlgorithms => Fips != PlatformAnswer.Unknown && Providers.All(provider => provider == BaseProvider);
    }

    /// <summary>Never throws.</summary>
    internal static Facts Read()
    {
        var nothing = new Facts(null, [], PlatformAnswer.Unknown);
        try
        {
            return OperatingSystem.IsLinux() && Find() is { } path && NativeLibrary.TryLoad(path, out var library) ? Ask(library) : nothing;
        }
        catch (Exception)
        {
            return nothing;
        }
    }

    /// <summary>Whether the algorithms are held to those of a FIPS provider.</summary>
    /// <param name="providers">The names of those that are active.</param>
    /// <param name="isDemanded">Whether <c>fips=yes</c> is among the default properties, so that no other provider's algorithms are taken.</param>
    internal static PlatformAnswer FipsOf(IReadOnlyCollection<string> providers, bool isDemanded) =>
        providers.Contains(FipsProvider) && (isDemanded || providers.All(provider => provider is FipsProvider or BaseProvider))
            ? PlatformAnswer.Yes
            : PlatformAnswer.No;

    private static Facts Ask(nint library)
    {
        var version = NativeLibrary.TryGetExport(library, "OpenSSL_version", out var address)
            ? Marshal.PtrToStringUTF8(Marshal.GetDelegateForFunctionPointer<GetText>(address)(0))
            : null;
        if (!NativeLibrary.TryGetExport(library, "OSSL_PROVIDER_do_all", out var doAll)
            || !NativeLibrary.TryGetExport(library, "OSSL_PROVIDER_get0_name", out var nameOf)
            || !NativeLibrary.TryGetExport(library, "EVP_default_properties_is_fips_enabled", out var isFips))
        {
            return new Facts(version, [], PlatformAnswer.Unknown); // before 3.0
        }

        var names = ImmutableArray.CreateBuilder<string>();
        var getName = Marshal.GetDelegateForFunctionPointer<GetName>(nameOf);
        ForEach remember = (provider, _) =>
        {
            names.Add(Marshal.PtrToStringUTF8(getName(provider)) ?? string.Empty);
            return 1;
        };
        var isWhole = Marshal.GetDelegateForFunctionPointer<DoAll>(doAll)(0, remember, 0) == 1;
        GC.KeepAlive(remember);
        var isDemanded = Marshal.GetDelegateForFunctionPointer<IsFips>(isFips)(0) == 1;
        var providers = names.DrainToImmutable();
        return new Facts(version, providers, isWhole ? FipsOf(providers, isDemanded) : PlatformAnswer.Unknown);
    }

    /// <summary>The file of the one libcrypto in this process; null where there is none, or several.</summary>
    private static string? Find()
    {
        try
        {
            SHA256.HashData([]); // by then the framework has loaded it
        }
        catch (CryptographicException)
        {
            // Loaded, and without any algorithm: where a FIPS module is configured that is not there.
        }

        var paths = new HashSet<string>(StringComparer.Ordinal);
        foreach (var line in File.ReadLines("/proc/self/maps"))
        {
            var path = line.IndexOf('/', StringComparison.Ordinal) is >= 0 and var at ? line[at..] : string.Empty;
            if (Path.GetFileName(path).StartsWith("libcrypto.so", StringComparison.Ordinal))
            {
                paths.Add(path);
            }
        }

        return paths.Count == 1 ? paths.Single() : null;
    }

    [UnmanagedFunctionPointer(CallingConvention.Cdecl)]
    private delegate nint GetText(int which);

    [UnmanagedFunctionPointer(CallingConvention.Cdecl)]
    private delegate nint GetName(nint provider);

    [UnmanagedFunctionPointer(CallingConvention.Cdecl)]
    private delegate int ForEach(nint provider, nint data);

    [UnmanagedFunctionPointer(CallingConvention.Cdecl)]
    private delegate int DoAll(nint context, ForEach each, nint data);

    [UnmanagedFunctionPointer(CallingConvention.Cdecl)]
    private delegate int IsFips(nint context);
}
