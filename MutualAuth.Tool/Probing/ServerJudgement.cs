using System.Collections.Immutable;
using MutualAuth.Certificates;
using MutualAuth.Evidence;
using MutualAuth.Pinning;
using MutualAuth.Revocation;
using MutualAuth.Validation;

namespace MutualAuth.Tool;

/// <summary>What our certificate stage says of a server, and of which of its certificates.</summary>
/// <param name="Certificates">Each as it reads; null for one that cannot be read.</param>
/// <param name="Rejection">Why it is rejected; null when it is accepted.</param>
/// <param name="At">Which certificate the rejection is about.</param>
/// <param name="Assumed">The certificate that was taken for trusted, as no authority was given; null where one was.</param>
internal sealed record ServerJudgement(ImmutableArray<Certificate?> Certificates, Rejection? Rejection, int At, Certificate? Assumed)
{
    internal static ServerJudgement Of(
        Look look, ProbeTarget target, TrustAnchors? trust, RevocationPolicy? revocation, PinSet? pins, TimeProvider clock)
    {
        ImmutableArray<Certificate?> certificates =
            [.. look.Certificates.Select(der => Certificate.TryParse(der, out var certificate, out _) ? certificate : null)];
        var assumed = trust is null ? certificates[^1] : null;
        var stage = new CertificateStage(new CertificateStageOptions
        {
            Trust = trust ?? (assumed is null ? TrustAnchors.None : TrustAnchors.FromDer(assumed.RawData)),
            Authorization = Authorize.ServerName,
            Revocation = revocation,
            Pins = pins,
        });
        var verdict = stage.Judge(new PeerEvidence(PeerRole.Server, look.Certificates) { DialledName = target.Name }, clock.GetUtcNow());
        var rejection = (verdict as CertificateVerdict.Rejected)?.Rejection;
        return new ServerJudgement(certificates, rejection, rejection is null ? -1 : IndexOf(certificates, rejection), assumed);
    }

    /// <summary>The stage names what it judged: the leaf, an intermediate by its subject, or a place in the list.</summary>
    private static int IndexOf(ImmutableArray<Certificate?> certificates, Rejection rejection)
    {
        var element = rejection.Element ?? string.Empty;
        for (var i = 1; i < certificates.Length; i++)
        {
            if (element.StartsWith($"certificate {i + 1} of", StringComparison.Ordinal)
                || (certificates[i] is { } certificate && element.Contains(certificate.Subject.ToString(), StringComparison.Ordinal)))
            {
                return i;
            }
        }

        return 0;
    }
}
