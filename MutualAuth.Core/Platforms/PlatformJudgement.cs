using System.Collections.Immutable;
using MutualAuth.Errors;
using MutualAuth.Evidence;

namespace MutualAuth.Platforms;

/// <summary>Compares a platform with what is required of it. What is not known is not met.</summary>
internal static class PlatformJudgement
{
    /// <summary>In what a platform does not meet it.</summary>
    internal static IEnumerable<PlatformExcess> ExcessesOf(PlatformRequirements required, PlatformReport report, PeerRole? role)
    {
        TlsCapabilities[] sides = role switch
        {
            PeerRole.Client => [report.Client],
            PeerRole.Server => [report.Server],
            _ => [report.Client, report.Server],
        };
        foreach (var excess in sides.SelectMany(side => ExcessesOf(required, report, side)))
        {
            yield return excess;
        }

        if (required.Fips && report.Fips != PlatformAnswer.Yes)
        {
            yield return new PlatformExcess(
                PlatformExcessKind.Fips, null, "the algorithms of a FIPS provider alone",
                "Install the module, and activate it with fips and base as the only providers, or default_properties = fips=yes, in the "
                    + "configuration that OPENSSL_CONF names.",
                report.Fips == PlatformAnswer.Unknown
                    ? ["an OpenSSL whose providers cannot be told"]
                    : report.Providers.Select(provider => $"the provider {provider}"));
        }

        if (!required.DangerousAllowKeyLogging && report.KeyLogging != PlatformAnswer.No)
        {
            yield return new PlatformExcess(
                PlatformExcessKind.KeyLogging, null, "no file of keys",
                $"Start the process without {KeyLog.Variable}, and without the switch {KeyLog.Switch}.",
                report.KeyLogging == PlatformAnswer.Yes
                    ? "one that holds the keys of every connection"
                    : "one of which it cannot be told who writes to it");
        }
    }

    private static IEnumerable<PlatformExcess> ExcessesOf(PlatformRequirements required, PlatformReport report, TlsCapabilities side)
    {
        if (side.Problem is { } problem)
        {
            yield return new PlatformExcess(
                PlatformExcessKind.Unknown, side.Role, "a platform that can be read", "Run where it can be, or require nothing.", problem);
        }

        var lowest = required.MinimumTlsVersion == TlsVersion.Tls13 ? 0x0304 : 0x0303;
        var advice = Advice(required.Name, report);
        foreach (var excess in new[]
        {
            Compare(
                PlatformExcessKind.Version, side.Role, $"TLS {required.MinimumTlsVersion.ToText()} or later", side.Versions,
                version => version >= lowest,
                NameOf, $"Set MinimumTlsVersion, which the framework puts in the place of MinProtocol."),
            Compare(
                PlatformExcessKind.CipherSuite, side.Role, $"the cipher suites of {required.Name}", side.CipherSuites, Within(required.CipherSuites),
                suite => suite.ToString(), $"Set CipherSuites, or CipherString and Ciphersuites in OpenSSL's configuration. {advice}"),
            Compare(
                PlatformExcessKind.KeyExchangeGroup, side.Role, $"the groups of {required.Name}", side.KeyExchangeGroups,
                Within(required.KeyExchangeGroups),
                group => group.ToText(), $"Set Groups in OpenSSL's configuration. {advice}"),
            Compare(
                PlatformExcessKind.SignatureScheme, side.Role, $"the signatures of {required.Name}", SchemesOf(side),
                Within(required.SignatureSchemes),
                scheme => scheme.ToText(), $"Set SignatureAlgorithms in OpenSSL's configuration. {advice}"),
        }.SelectMany(found => found))
        {
            yield return excess;
        }

        if (required.NoSessions && side is ServerCapabilities { GivesSessions: not PlatformAnswer.No } server)
        {
            yield return new PlatformExcess(
                PlatformExcessKind.Sessions, side.Role, "no sessions",
                $"Set NumTickets = 0 and Options = -SessionTicket in OpenSSL's configuration. {advice}",
                server.GivesSessions == PlatformAnswer.Yes ? "sessions that can be resumed" : "a platform of which it cannot be told");
        }
        else if (required.NoSessions && side is ClientCapabilities { TakesTickets: true })
        {
            yield return new PlatformExcess(
                PlatformExcessKind.Sessions, side.Role, "no sessions", $"Set Options = -SessionTicket in OpenSSL's configuration. {advice}",
                "a hello that asks for tickets");
        }
    }

    private static Func<T, bool> Within<T>(ImmutableArray<T> permitted) => value => permitted.IsEmpty || permitted.Contains(value);

    private static IEnumerable<TlsSignatureScheme> SchemesOf(TlsCapabilities side) =>
        side is ServerCapabilities server ? server.SignatureSchemes.Union(server.OwnSignatureSchemes) : side.SignatureSchemes;

    /// <summary>What is beyond it; and, where nothing that is permitted is left, that.</summary>
    private static IEnumerable<PlatformExcess> Compare<T>(
        PlatformExcessKind kind, PeerRole role, string expected, IEnumerable<T> found, Func<T, bool> isPermitted, Func<T, string> name, string remedy)
    {
        T[] beyond = [.. found.Where(value => !isPermitted(value))];
        if (beyond.Length > 0)
        {
            yield return new PlatformExcess(kind, role, expected, remedy, beyond.Select(name));
        }

        if (!found.Any(isPermitted))
        {
            yield return new PlatformExcess(PlatformExcessKind.NothingPermitted, role, expected, remedy, "none of them");
        }
    }

    private static string Advice(string name, PlatformReport report)
    {
        var configuration = Environment.GetEnvironmentVariable("OPENSSL_CONF");
        var profile = PlatformRequirements.Named.Any(named => named.Name == name)
            ? $" (mutualauth config openssl --profile {name} prints one)"
            : string.Empty;
        return string.IsNullOrEmpty(configuration)
            ? $"OPENSSL_CONF must name it before the process starts{profile}."
            : $"OPENSSL_CONF names {SafeText.Quote(configuration)}{profile}; where that says so already, {report.OpenSsl ?? "this platform"} "
                + "does not know one of the values, and has passed over the whole line without a word.";
    }

    /// <summary>As people write it: TLS 1.2, and the number of what has no name.</summary>
    internal static string NameOf(int version) => version is >= 0x0301 and <= 0x0304 ? $"TLS 1.{version - 0x0301}" : $"0x{version:x4}";
}
