using System.CommandLine;
using System.Globalization;
using MutualAuth.Evidence;
using MutualAuth.Samples;
using MutualAuth.Validation;

namespace MutualAuth.Tool;

/// <summary><c>verify FILE</c>: the verdict of the library's certificate stage, without a network.</summary>
internal static class VerifyCommand
{
    internal static ToolCommand Create()
    {
        var file = new Argument<string>("FILE") { Description = "What a peer shows: its certificate first, then its intermediates. PEM or DER." };
        var trust = PeerFlags.Many("--trust", "FILE", "An authority to trust, in PEM.");
        var role = new Option<string>("--role") { Required = true, Description = "What the peer would be." };
        role.AcceptOnlyFromAmong("client", "server");
        var lists = PeerFlags.Many("--crl", "FILE", "Revocation lists, PEM or DER. Given one, every certificate but the anchor's must be covered.");
        var pins = PeerFlags.Many("--pin", "sha256/BASE64", "A public key of which one must be on the verified path.");
        var at = new Option<string?>("--at")
        { HelpName = "TIME", Description = "The time to judge for, such as 2026-01-31 or 2026-01-31T12:00:00Z. Default: now." };
        var rules = new PeerRules();
        return new ToolCommand("verify", "Judges a file of certificates as a handshake would, and says why.")
        {
            Details =
            [
                "The verdict is that of the certificate stage that judges every handshake: path, revocation, pins, names and rules. Nothing is "
                    + "fetched.",
                "It ends with 0 when the peer would be accepted and with 10 when it would be rejected.",
            ],
            Examples =
            [
                "mutualauth verify server.pem --trust authority.pem --role server --name inventory.example",
                "mutualauth verify client.pem --trust authority.pem --role client --allow-dns client.test --crl authority.crl --json",
            ],
        }.With([file, trust, role, .. rules.All, lists, pins, at]).Does(arguments =>
        {
            if (arguments.GetRequiredValue(trust) is not { Length: > 0 } anchors)
            {
                throw new UsageException("Say whom to trust: --trust FILE.");
            }

            CertificateVerdict verdict;
            PeerEvidence evidence;
            var time = TimeOf(arguments.GetValue(at));
            try
            {
                evidence = new PeerEvidence(
                    arguments.GetRequiredValue(role) == "client" ? PeerRole.Client : PeerRole.Server,
                        Material.Certificates(arguments.GetRequiredValue(file)))
                { DialledName = rules.Name(arguments) };
                verdict = new CertificateStage(new CertificateStageOptions
                {
                    Trust = Material.Trust(anchors),
                    Authorization = rules.Rule(arguments),
                    Profile = rules.Profile(arguments),
                    Revocation = Material.Revocation(arguments.GetRequiredValue(lists)),
                    Pins = Material.Pins(arguments.GetRequiredValue(pins)),
                }).Judge(evidence, time);
            }
            catch (Exception exception) when (exception is FormatException or ArgumentException)
            {
                throw new UsageException(exception.Message);
            }

            return Tell(Report.ToOutput(arguments), evidence, verdict, time);
        });
    }

    private static int Tell(Report report, PeerEvidence evidence, CertificateVerdict verdict, DateTimeOffset time)
    {
        if (verdict is CertificateVerdict.Accepted { Peer: var peer })
        {
            string[] path = [.. peer.Path.Select(certificate => certificate.Subject.ToString())];
            report.Line(
                $"accepted name={peer.Name}\n  path      {string.Join("\n            ", path)}\n  until     "
                    + $"{peer.Path.Min(certificate => certificate.NotAfter):yyyy-MM-dd HH:mm:ss}Z, the first certificate of the path that expires",
                ("verdict", "accepted"),
                ("name", peer.Name.ToString()),
                ("spiffe_id", peer.SpiffeId?.ToString()),
                ("path", path),
                ("valid_until", peer.Path.Min(certificate => certificate.NotAfter)),
                ("at", time));
            return 0;
        }

        var rejected = (CertificateVerdict.Rejected)verdict;
        var rejection = rejected.Rejection;
        var entry = Explanations.Of(rejection.Reason);
        report.Line(
            $"rejected reason={rejection.Reason.ToCode()} name={rejected.ClaimedName ?? "-"}\n  expected  {rejection.Expected}\n  presented "
                + $"{rejection.Presented}\n"
                + $"  at        {rejection.Element ?? "the peer as a whole"}, {rejection.Rule ?? "no published rule"}\n  do        "
                    + $"{rejection.Hint ?? entry?.Cure}",
            ("verdict", "rejected"),
            ("reason", rejection.Reason.ToCode()),
            ("name", rejected.ClaimedName),
            ("expected", rejection.Expected),
            ("presented", rejection.Presented),
            ("element", rejection.Element),
            ("rule", rejection.Rule),
            ("hint", rejection.Hint ?? entry?.Cure),
            ("certificates", evidence.Certificates.Length),
            ("at", time));
        return CommandLine.Fail(HandshakeExit.PeerRejected, rejection.Reason.ToCode(), rejection.ToString());
    }

    private static DateTimeOffset TimeOf(string? text) =>
        text is null ? TimeProvider.System.GetUtcNow()
        : DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal | DateTimeStyles.AdjustToUniversal,
            out var time) ? time
        : throw new UsageException($"--at: '{text}' is no time, such as 2026-01-31T12:00:00Z.");
}
