using MutualAuth.Samples;

namespace MutualAuth.Tool;

/// <summary><c>config openssl</c>: the configuration of what-strangers-can-spend.</summary>
internal static class ConfigCommand
{
    internal static ToolCommand Create() => new ToolCommand("config", "Prints configuration for what lies beneath.").With(
        new ToolCommand("openssl", "Prints a configuration of OpenSSL that leaves out what strangers can make expensive.")
        {
            Details =
            [
                "Write it to a file, and name the file in OPENSSL_CONF before the process starts. It is for processes whose peers know elliptic "
                    + "curves and authenticated encryption. What it buys stands in docs/security/what-strangers-can-spend.md.",
            ],
            Examples = ["mutualauth config openssl > /etc/mutualauth/openssl.cnf"],
        }.Does(arguments =>
        {
            var text = ToolResources.Read("openssl-strict.cnf");
            Report.ToOutput(arguments).Line(text.TrimEnd(), ("configuration", text));
            return 0;
        }));
}
