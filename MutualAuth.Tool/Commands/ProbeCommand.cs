using System.CommandLine;
using MutualAuth.Samples;

namespace MutualAuth.Tool;

/// <summary><c>probe HOST:PORT</c>.</summary>
internal static class ProbeCommand
{
    internal static ToolCommand Create()
    {
        var address = new Argument<string>("HOST:PORT") { Description = "The server; [ADDRESS]:PORT for IPv6." };
        var serverName = new Option<string?>(
            "--server-name")
        { HelpName = "NAME", Description = "The name that its certificate must have. Default: HOST." };
        var trust = PeerFlags.Many("--trust", "FILE", "An authority to trust, in PEM.");
        var certificate = new Option<string?>("--certificate")
        { HelpName = "FILE", Description = "Our certificate: a PEM chain, our own first, or PKCS#12 (.p12, .pfx)." };
        var key = new Option<string?>("--key")
        {
            HelpName = "FILE",
            Description = "Its private key in PEM. Default: it stands in the certificate's file."
        };
        var password = new Option<string?>("--key-password-file")
        { HelpName = "FILE", Description = "A file whose first line is the password of the key or of the PKCS#12 file." };
        var lists = PeerFlags.Many("--crl", "FILE", "Revocation lists, PEM or DER. Given one, every certificate but the anchor's must be covered.");
        var pins = PeerFlags.Many("--pin", "sha256/BASE64", "A public key of which one must be on the server's verified path.");
        var protocols = PeerFlags.Many("--alpn", "NAME", "An application protocol, the favourite first.");
        var timeout = new Option<double>("--timeout")
        {
            HelpName = "SECONDS",
            DefaultValueFactory = _ => ProbeTarget.DefaultTimeout.TotalSeconds,
            Description = "How long one step may take, up to 60. Default: 5."
        };
        var quick = new Option<bool>("--quick") { Description = "Leave out which versions, suites and groups the server takes." };
        return new ToolCommand("probe", "Finds out step by step why a mutual TLS connection to a server does or does not come about.")
        {
            Details =
            [
                "It says whether the server is reached, what it speaks, which versions, suites and groups it takes, what its certificates are and "
                    + "what we think of each, whether it asks for ours and of whom, whether it confirms, and what it thinks of us. The last line "
                        + "says what to do.",
                $"The versions, suites and groups take up to {Survey.MaxConnections} short connections, one after the other, within twenty "
                    + $"seconds; the "
                    + "server's log shows them as handshakes that were not finished. --quick leaves them out.",
                "Without --trust nothing is sent but hellos; the server's last certificate is taken for trusted, and the verdict says so. With "
                    + "--trust the "
                    + "server is judged as the library would judge it, and our certificate is sent only to a server that is accepted.",
                "A server that does not confirm says nothing when it accepts a client. When it agreed on http/1.1, one HEAD request is sent, since "
                    + "web servers "
                    + "refuse clients by an answer.",
            ],
            Examples =
            [
                "mutualauth probe inventory.example:8443",
                "mutualauth probe inventory.example:8443 --trust authority.pem --certificate client.pem --key client.key",
            ],
        }.With(address, serverName, trust, certificate, key, password, lists, pins, protocols, timeout, quick).Does(async (arguments, stop) =>
        {
            var seconds = arguments.GetValue(timeout);
            if (seconds is not (> 0 and <= 60))
            {
                throw new UsageException($"--timeout wants seconds, more than 0 and up to 60, got {seconds}.");
            }

            try
            {
                var target = ProbeTarget.Parse(
                    "probe", arguments.GetRequiredValue(address), arguments.GetValue(serverName), arguments.GetRequiredValue(protocols),
                        TimeSpan.FromSeconds(seconds));
                var probe = new Probe(
                    target,
                    arguments.GetRequiredValue(trust) is { Length: > 0 } anchors ? Material.Trust(anchors) : null,
                    Material.Identity(arguments.GetValue(certificate), arguments.GetValue(key), arguments.GetValue(password)),
                    Material.Revocation(arguments.GetRequiredValue(lists)),
                    Material.Pins(arguments.GetRequiredValue(pins)),
                    Report.ToOutput(arguments));
                return await probe.RunAsync(arguments.GetValue(quick), stop);
            }
            catch (ArgumentException exception)
            {
                throw new UsageException(exception.Message);
            }
            catch (OperationCanceledException)
            {
                return CommandLine.Fail(130, "interrupted", "Stopped by a signal.");
            }
        });
    }
}
