using System.CommandLine;
using MutualAuth.Certificates;
using MutualAuth.Names;
using MutualAuth.Samples;

namespace MutualAuth.Tool;

/// <summary><c>pin FILE</c> and <c>pin HOST:PORT</c>.</summary>
internal static class PinCommand
{
    internal static ToolCommand Create()
    {
        var source = new Argument<string>("FILE|HOST:PORT") { Description = "Certificates in PEM or DER, or a server to ask." };
        var serverName = new Option<string?>("--server-name") { HelpName = "NAME", Description = "The name to ask a server for. Default: HOST." };
        var protocols = PeerFlags.Many("--alpn", "NAME", "An application protocol to offer to a server.");
        return new ToolCommand("pin", "Prints the pins of public keys: sha256/BASE64 of each.")
        {
            Details =
            [
                "A server's certificates are read and not judged: compare the pin with one that you get in another way, before you rely on it.",
            ],
            Examples = ["mutualauth pin server.pem", "mutualauth pin inventory.example:8443"],
        }.With(source, serverName, protocols).Does(async (arguments, stop) =>
        {
            var text = arguments.GetRequiredValue(source);
            IReadOnlyList<ReadOnlyMemory<byte>> certificates;
            if (File.Exists(text))
            {
                certificates = Material.Certificates(text);
            }
            else if (text.LastIndexOf(':') <= 0)
            {
                throw new UsageException($"There is no file {text}; a server is given as HOST:PORT.");
            }
            else
            {
                var target = ProbeTarget.Parse(
                    "pin", text, arguments.GetValue(serverName), arguments.GetRequiredValue(protocols), ProbeTarget.DefaultTimeout);
                try
                {
                    certificates = (await Look.AtAsync(target, stop)).Certificates;
                }
                catch (ProbeException exception)
                {
                    return CommandLine.Fail(exception.ExitCode, exception.Code, exception.Message);
                }

                CommandLine.Note("read from the server, and not judged.");
            }

            var report = Report.ToOutput(arguments);
            foreach (var der in certificates)
            {
                if (!Certificate.TryParse(der, out var certificate, out var problem))
                {
                    return CommandLine.Fail(CommandLine.UsageExitCode, problem!.Reason.ToCode(), problem.ToString());
                }

                var pin = SpkiPin.OfSubjectPublicKeyInfo(certificate.SubjectPublicKeyInfo.Span).ToString();
                report.Line($"{pin} {certificate.Subject}", ("pin", pin), ("subject", certificate.Subject.ToString()),
                    ("sha256", certificate.Thumbprint));
            }

            return 0;
        });
    }
}
