using System.CommandLine;
using MutualAuth.Evidence;
using MutualAuth.Platforms;
using MutualAuth.Samples;

namespace MutualAuth.Tool;

/// <summary><c>platform</c>: what TLS really offers and answers here.</summary>
internal static class PlatformCommand
{
    /// <summary>The platform is more, or less, than was required.</summary>
    internal const int NotMet = 15;

    internal static ToolCommand Create()
    {
        var required = new Option<string?>("--require") { HelpName = "NAME", Description = "Fail where the platform does not meet this." };
        required.AcceptOnlyFromAmong([.. PlatformRequirements.Named.Select(requirements => requirements.Name)]);
        var minimum = new Option<string>("--min-tls")
        {
            HelpName = "1.2|1.3",
            Description = "The lowest version that is offered and answered, as MinimumTlsVersion says it. Default: what --require demands, else 1.2.",
        };
        minimum.AcceptOnlyFromAmong("1.2", "1.3");
        var fips = new Option<bool>("--require-fips") { Description = "Fail unless OpenSSL's algorithms come from a FIPS provider alone." };
        return new ToolCommand("platform", "Reads out what TLS really offers and answers in a process that is started like this one.")
        {
            Details =
            [
                "Nothing is taken from a setting: the hello of a client is read, and a server is asked in memory until it has refused. No peer is "
                    + "contacted.",
                "It is the platform of this command, with the OPENSSL_CONF that it was started with. A program of yours that has the same runtime, "
                    + "libraries and environment has the same; PlatformReport.ReadAsync and RequirePlatform look from within.",
            ],
            Examples =
            [
                "mutualauth platform",
                "mutualauth platform --require fapi --require-fips",
            ],
        }.With(required, minimum, fips).Does(async (arguments, stop) =>
        {
            var named = PlatformRequirements.Named.FirstOrDefault(requirements => requirements.Name == arguments.GetValue(required));
            var lowest = arguments.GetValue(minimum) switch
            {
                "1.2" => TlsVersion.Tls12,
                "1.3" => TlsVersion.Tls13,
                _ => named?.MinimumTlsVersion ?? TlsVersion.Tls12,
            };
            var platform = await PlatformReport.ReadAsync(lowest, [], stop);
            var report = Report.ToOutput(arguments);
            Tell(report, platform);
            if (named is null && !arguments.GetValue(fips))
            {
                return 0;
            }

            var requirements = (named ?? new PlatformRequirements { Name = "fips" }) with { Fips = arguments.GetValue(fips) };
            var excesses = platform.Examine(requirements);
            foreach (var excess in excesses)
            {
                report.Step("not met", Mood.Bad, excess.ToString(), ("kind", excess.Kind), ("role", excess.Role?.ToString().ToLowerInvariant()),
                    ("expected", excess.Expected), ("found", excess.Found), ("remedy", excess.Remedy));
            }

            if (!excesses.IsEmpty)
            {
                return CommandLine.Fail(NotMet, "platform_not_met", $"The platform does not meet {requirements.Name}.");
            }

            report.Step("met", Mood.Good, $"The platform meets {requirements.Name}.", ("requirements", requirements.Name));
            return 0;
        });
    }

    private static void Tell(Report report, PlatformReport platform)
    {
        var configuration = Environment.GetEnvironmentVariable("OPENSSL_CONF");
        report.Step("platform", Mood.Plain, $"{platform.Runtime}, {platform.OpenSsl ?? "no OpenSSL that can be asked"}",
            ("runtime", platform.Runtime), ("openssl", platform.OpenSsl), ("configuration", configuration));
        report.Step("configuration", Mood.Plain, configuration is null ? "OPENSSL_CONF is not set" : $"OPENSSL_CONF is {configuration}",
            ("path", configuration));
        report.Step("providers", Mood.Plain, $"{Words(platform.Providers)}; FIPS alone: {Word(platform.Fips)}",
            ("providers", platform.Providers), ("fips", Word(platform.Fips)));
        report.Step("key logging", platform.KeyLogging == PlatformAnswer.No ? Mood.Good : Mood.Bad, Word(platform.KeyLogging),
            ("on", Word(platform.KeyLogging)));
        var client = platform.Client;
        Tell(report, "client", client);
        report.Step("client", Mood.Plain, $"key shares: {Words(client.KeyShares.Select(group => group.ToText()))}",
            ("key_shares", client.KeyShares.Select(group => group.ToText())));
        report.Step("client", Mood.Plain, $"takes sessions: {(client.TakesTickets ? "yes" : "no")}; application protocols of the platform: "
            + Words(client.ApplicationProtocols),
            ("takes_sessions", client.TakesTickets), ("psk_modes", client.PskModes.Select(mode => $"{mode}")),
            ("application_protocols", client.ApplicationProtocols));
        var server = platform.Server;
        Tell(report, "server", server);
        report.Step("server", Mood.Plain, $"signs with: {Words(server.OwnSignatureSchemes.Select(scheme => scheme.ToText()))}",
            ("own_signatures", server.OwnSignatureSchemes.Select(scheme => scheme.ToText())));
        report.Step("server", Mood.Plain, $"gives sessions: {Word(server.GivesSessions)}", ("gives_sessions", Word(server.GivesSessions)));
    }

    private static void Tell(Report report, string side, TlsCapabilities has)
    {
        if (has.Problem is { } problem)
        {
            report.Step(side, Mood.Bad, $"not known: {problem}", ("problem", problem));
        }

        Line("versions", "versions", has.Versions.Select(NameOf));
        Line("cipher suites", "cipher_suites", has.CipherSuites.Select(suite => suite.ToString()));
        Line("groups", "groups", has.KeyExchangeGroups.Select(group => group.ToText()));
        Line("signatures of the peer", "signatures", has.SignatureSchemes.Select(scheme => scheme.ToText()));

        void Line(string words, string name, IEnumerable<string> values) =>
            report.Step(side, Mood.Plain, $"{words}: {Words(values)}", (name, values));
    }

    private static string NameOf(int version) => version is >= 0x0301 and <= 0x0304 ? $"TLS 1.{version - 0x0301}" : $"0x{version:x4}";

    private static string Word(PlatformAnswer answer) => answer.ToString().ToLowerInvariant();

    private static string Words(IEnumerable<string> values) => values.Any() ? string.Join(", ", values) : "none";
}
