using MutualAuth.Callbacks;

namespace MutualAuth.Snippets;

/// <summary>docs/how-to/judge-in-other-libraries.md and docs/how-to/shadow-mode.md</summary>
internal static class JudgeInOtherLibraries
{
    internal static void Make(ILoggerFactory loggers)
    {
        // snippet
        var stage = new CertificateStage(new CertificateStageOptions
        {
            Trust = TrustAnchors.FromPemFiles("authority.pem"),
            Authorization = Authorize.ServerName,
            Revocation = new RevocationPolicy { Lists = RevocationLists.FromFiles("root.crl", "issuing.crl") },
            LoggerFactory = loggers,
        });
        var callbacks = new ValidationCallbacks(stage, new ValidationCallbackOptions
        {
            Name = "orders database",                                            // in each event, and a tag of the metric
            OnJudged = judged => Audit(judged.Peer?.Name, judged.Rejection?.Reason),
        });
        var judge = callbacks.ForServer("db.example");                           // a RemoteCertificateValidationCallback
        // end
        _ = judge;

        static void Audit(string? peer, RejectionReason? reason) => Console.WriteLine($"{peer} {reason}");
    }

    internal static void Shadow(ValidationCallbacks callbacks, SslClientAuthenticationOptions tls)
    {
        // snippet
        var today = tls.RemoteCertificateValidationCallback
            ?? ((_, _, _, errors) => errors == SslPolicyErrors.None);            // what a stream without a callback does
        tls.RemoteCertificateValidationCallback = callbacks.ShadowForServer(today, "db.example");
        // end
    }

    internal static void Switch(ValidationCallbacks callbacks, SslClientAuthenticationOptions tls)
    {
        // snippet
        tls.RemoteCertificateValidationCallback = callbacks.ForServer("db.example");
        // end
    }
}
