using System.Collections.Immutable;
using System.Net.Security;
using System.Security.Authentication;
using MutualAuth.Collections;
using MutualAuth.Evidence;

namespace MutualAuth.Platforms;

/// <summary>What of the options of a connection the platform is told: versions and suites. The rest is the platform's own.</summary>
internal sealed record TlsChoice
{
    private readonly EquatableArray<TlsCipherSuite> _suites;

    private TlsChoice(SslProtocols versions, ImmutableArray<TlsCipherSuite> suites)
    {
        Versions = versions;
        _suites = new(suites);
    }

    /// <summary>What the library asks for where nothing is set.</summary>
    internal static TlsChoice Default { get; } = Of(TlsVersion.Tls12, TlsVersion.Tls13, []);

    internal SslProtocols Versions { get; }

    internal ImmutableArray<TlsCipherSuite> Suites => _suites.Items;

    /// <summary>The versions for which suites are left: one without any must not be offered, or the TLS engine fails on itself.</summary>
    internal static (TlsVersion Lowest, TlsVersion Highest) VersionsWith(
        ImmutableArray<TlsCipherSuite> suites, TlsVersion lowest, TlsVersion highest) => suites.IsEmpty
        ? (lowest, highest)
        : (suites.All(IsOfTls13) ? TlsVersion.Tls13 : lowest, suites.Any(IsOfTls13) ? highest : TlsVersion.Tls12);

    // RFC 8446 §B.4: 0x13xx.
    internal static bool IsOfTls13(TlsCipherSuite suite) => (ushort)suite >> 8 == 0x13;

    /// <summary>As connections have it whose options say this.</summary>
    internal static TlsChoice Of(TlsVersion lowest, TlsVersion highest, ImmutableArray<TlsCipherSuite> suites)
    {
        var versions = VersionsWith(suites, lowest, highest);
        return new TlsChoice(versions.Lowest.UpTo(versions.Highest), suites);
    }

    internal CipherSuitesPolicy? ToPolicy() => Suites.IsEmpty
        ? null
        : OperatingSystem.IsWindows() || OperatingSystem.IsAndroid()
        ? throw new PlatformNotSupportedException("Suites cannot be chosen here.")
        : new CipherSuitesPolicy(Suites);
}
