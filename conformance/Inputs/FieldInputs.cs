using System.Security.Cryptography;
using MutualAuth.Certificates;
using MutualAuth.Evidence;
using MutualAuth.Paths;
using MutualAuth.Revocation;
using MutualAuth.Validation;

namespace MutualAuth.Conformance.Inputs;

/// <summary>A certificate from the field or from an attacker, and what is right about it.</summary>
/// <param name="File">The file in <c>data/inputs</c>, without its extension.</param>
/// <param name="Anchor">The file of the one trust anchor.</param>
/// <param name="Oddity">What is odd about it.</param>
/// <param name="Reason">Why it must be rejected; null where it must be accepted.</param>
/// <param name="Name">What it must be called, or claim to be called; null where that does not matter, as long as it can be printed.</param>
/// <param name="Hint">Words that the hint of the rejection must have, so that it can be followed; null where that does not matter.</param>
public sealed record FieldInput(string File, string Anchor, string Oddity, RejectionReason? Reason, string? Name, IReadOnlyList<string>? Hint = null);

/// <summary>What the certificate stage said of one.</summary>
/// <param name="Reason">Why it was rejected; null when it was accepted.</param>
/// <param name="Name">What it is called, or claims to be called.</param>
/// <param name="Detail">The rejection in words.</param>
/// <param name="Hint">What to do about it.</param>
public sealed record FieldOutcome(RejectionReason? Reason, string? Name, string? Detail, string? Hint = null);

/// <summary>Small inputs with one oddity each, all of them clients, judged by the default profile at the end of 2026.</summary>
public static class FieldInputs
{
    private static readonly DateTimeOffset s_at = new(2026, 12, 1, 0, 0, 0, TimeSpan.Zero);

    /// <summary>Where the files are.</summary>
    public static string Folder => Path.Combine(AppContext.BaseDirectory, "data", "inputs");

    /// <summary>All of them.</summary>
    public static IReadOnlyList<FieldInput> All { get; } =
    [
        new("00-good", "00-root", "nothing", null, "client.example"),
        new("01-critical-false-written", "00-root", "critical FALSE is written out", null, "client.example"),
        new("02-bc-false-written", "00-root", "cA FALSE is written out", null, "client.example"),
        new("03-ku-trailing-zeros", "00-root", "the key usage has trailing zero bits", null, "client.example"),
        new("14-gentime-before-2050", "00-root", "both dates are GeneralizedTime before 2050", null, "client.example"),
        new("06-serverauth-only", "00-root", "a public authority's certificate of 2026", RejectionReason.WrongUsage, "client.example",
            ["extendedKeyUsage", "clientAuth", "authority of your own"]),
        new("07-upn-only", "00-root", "the only name is a user principal name", null, "upn:1234567890@mil"),
        new("15-idevid-no-expiry", "00-root", "a hardware module name, and no expiry", null, "subject:serialNumber=SN12345,O=Device%20Maker"),
        new("22-ms-template-ntds", "00-root", "what directory services of Microsoft add", null, "client.example"),
        new(
            "29-empty-subject-dirname",
            "00-root",
            "an empty subject, and a directory name as the only other",
            null,
            "sha256:1CECD2136DA2E98F034DC8C786D617FF90BEA47053BE05579E0AC2F1D65B481A"),
        new("13-ed25519", "00-root", "an Ed25519 key, which is not weak", RejectionReason.AlgorithmNotSupported, "client.example"),
        new("20-denied-leaf", "20-root", "the first of two twins", null, "leaf.example"),
        new("20-denied-leaf-twin", "20-root", "the second, with the same contents and another signature", null, "leaf.example"),
        new("21-dns-name-user-colon-alice", "20-root", "the dNSName is user:alice", null, "subject:CN=x"),
        new("22-dns-name-that-is-a-spiffe-id", "20-root", "the dNSName is a SPIFFE ID", null, "subject:CN=x"),
        new(
            "23-oid-of-65-arcs-in-the-subject",
            "00-root",
            "an attribute type of more than 64 arcs, and an issuer whom nobody knows",
            RejectionReason.UnknownAuthority,
            null),
    ];

    /// <summary>Reads one.</summary>
    public static Certificate Read(string file)
    {
        var pem = File.ReadAllText(Path.Combine(Folder, file + ".pem"));
        return Certificate.Parse(Der(pem));
    }

    /// <summary>Judges one as recorded evidence.</summary>
    /// <param name="input">Which.</param>
    /// <param name="denyList">A deny list beside; null for none.</param>
    /// <param name="profile">The profile; null for the default.</param>
    public static FieldOutcome Judge(FieldInput input, DenyList? denyList = null, ValidationProfile? profile = null)
    {
        ArgumentNullException.ThrowIfNull(input);
        var stage = new CertificateStage(new CertificateStageOptions
        {
            Trust = TrustAnchors.FromDer(Read(input.Anchor).RawData),
            Authorization = Authorize.AnyTrustedPeer,
            DenyList = denyList,
            Profile = profile ?? ValidationProfile.MutualTls,
        });
        return stage.Judge(new PeerEvidence(PeerRole.Client, [Der(File.ReadAllText(Path.Combine(Folder, input.File + ".pem")))]), s_at) switch
        {
            CertificateVerdict.Accepted accepted => new FieldOutcome(null, accepted.Peer.Name, null),
            CertificateVerdict.Rejected rejected =>
                new FieldOutcome(rejected.Rejection.Reason, rejected.ClaimedName, rejected.Rejection.ToString(), rejected.Rejection.Hint),
            var verdict => throw new InvalidOperationException($"A verdict of type {verdict.GetType().Name}."),
        };
    }

    private static ReadOnlyMemory<byte> Der(string pem) => Convert.FromBase64String(pem[PemEncoding.Find(pem).Base64Data]);
}
