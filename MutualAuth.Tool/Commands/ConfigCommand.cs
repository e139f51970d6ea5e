using System.CommandLine;
using MutualAuth.Platforms;
using MutualAuth.Samples;

namespace MutualAuth.Tool;

/// <summary><c>config openssl</c>: the configurations of what-tls-offers.</summary>
internal static class ConfigCommand
{
    internal static ToolCommand Create()
    {
        var profile = new Option<string>("--profile")
        {
            HelpName = "NAME",
            Description = "Which one. Default: default.",
            DefaultValueFactory = _ => PlatformRequirements.Default.Name,
        };
        profile.AcceptOnlyFromAmong([.. PlatformRequirements.Named.Select(requirements => requirements.Name)]);
        return new ToolCommand("config", "Prints configuration for what lies beneath.").With(
            new ToolCommand("openssl", "Prints a configuration of OpenSSL that leaves out what a policy does not permit.")
            {
                Details =
                [
                    "Write it to a file, and name the file in OPENSSL_CONF before the process starts. The profile default leaves out what strangers "
                        + "can make expensive, and is for processes whose peers know elliptic curves and authenticated encryption.",
                    "OpenSSL passes over what it does not know, without a word: see what it makes of the file with the command platform, and demand "
                        + "it from within with RequirePlatform. The profile cnsa-2.0 needs OpenSSL 3.5 or later.",
                ],
                Examples = ["mutualauth config openssl --profile fapi > /etc/mutualauth/openssl.cnf"],
            }.With(profile).Does(arguments =>
            {
                var name = arguments.GetRequiredValue(profile);
                var text = ToolResources.Read($"openssl-{name}.cnf");
                Report.ToOutput(arguments).Line(text.TrimEnd(), ("profile", name), ("configuration", text));
                return 0;
            }));
    }
}
