using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using MutualAuth.Certificates;
using MutualAuth.Paths;
using Org.BouncyCastle.Pkix;
using Org.BouncyCastle.Security;
using Org.BouncyCastle.Utilities.Collections;
using Org.BouncyCastle.X509;
using Org.BouncyCastle.X509.Store;

namespace MutualAuth.Conformance.Differential;

/// <summary>A verdict of one implementation.</summary>
/// <param name="IsAccepted">Whether the path was accepted.</param>
/// <param name="Why">The reason, as the implementation has it.</param>
/// <param name="Detail">More of it, where there is more.</param>
public readonly record struct Opinion(bool IsAccepted, string Why, string? Detail = null);

/// <summary>Asks one implementation about many cases; null for each where the implementation is not on this machine.</summary>
public delegate IReadOnlyList<Opinion?> AskAll(IReadOnlyList<GeneratedCase> cases);

/// <summary>Ours and the others, each asked about the same case in the same role: a TLS client, no revocation.</summary>
public static class Validators
{
    /// <summary>The other implementations by name, each asked about many cases at once; one that is not on this machine has no opinion.</summary>
    public static IReadOnlyList<(string Name, AskAll Ask)> Others { get; } =
    [
        ("openssl", OpenSslLibrary.AskAll),
        ("Go", GoProgram.AskAll),
        ("X509Chain", cases => [.. cases.Select(generated => (Opinion?)Platform(generated))]),
        ("BouncyCastle", cases => [.. cases.Select(generated => (Opinion?)BouncyCastle(generated))]),
    ];

    /// <summary>This library, with its default profile.</summary>
    public static Opinion Ours(GeneratedCase generated)
    {
        ArgumentNullException.ThrowIfNull(generated);
        if (!Certificate.TryParse(generated.Leaf, out var leaf, out var malformed))
        {
            return new Opinion(false, malformed.Reason.ToCode());
        }

        var result = Validate(generated, leaf);
        return new Opinion(result.Rejection is null, result.Rejection?.Reason.ToCode() ?? "accepted", result.Rejection?.ToString());
    }

    /// <summary>The same case with nothing sent but the intermediates of the path that we found.</summary>
    public static GeneratedCase OnlyOurPath(GeneratedCase generated)
    {
        ArgumentNullException.ThrowIfNull(generated);
        return generated with
        { Others = [.. Validate(generated, Certificate.Parse(generated.Leaf)).Path[1..^1].Select(certificate => certificate.RawData)] };
    }

    /// <summary>Whether two authorities of a case bear the same name.</summary>
    public static bool HasNamesakes(GeneratedCase generated)
    {
        ArgumentNullException.ThrowIfNull(generated);
        var subjects = generated.Others.Append(generated.Root).Select(der => Certificate.Parse(der).Subject).ToList();
        return subjects.Distinct().Count() < subjects.Count;
    }

    /// <summary>X509Chain of the platform.</summary>
    public static Opinion Platform(GeneratedCase generated)
    {
        ArgumentNullException.ThrowIfNull(generated);
        try
        {
            using var leaf = X509CertificateLoader.LoadCertificate(generated.Leaf.Span);
            using var chain = new X509Chain();
            chain.ChainPolicy.TrustMode = X509ChainTrustMode.CustomRootTrust;
            chain.ChainPolicy.CustomTrustStore.Add(X509CertificateLoader.LoadCertificate(generated.Root.Span));
            generated.Others.ToList().ForEach(der => chain.ChainPolicy.ExtraStore.Add(X509CertificateLoader.LoadCertificate(der.Span)));
            chain.ChainPolicy.RevocationMode = X509RevocationMode.NoCheck;
            chain.ChainPolicy.DisableCertificateDownloads = true;
            chain.ChainPolicy.VerificationTime = generated.At.UtcDateTime;
            chain.ChainPolicy.ApplicationPolicy.Add(new Oid("1.3.6.1.5.5.7.3.2"));
            var isAccepted = chain.Build(leaf);
            return new Opinion(
                isAccepted, isAccepted ? "accepted" : string.Join('+', chain.ChainStatus.Select(status => status.Status).Distinct().Order()));
        }
        catch (CryptographicException exception)
        {
            return new Opinion(false, exception.GetType().Name);
        }
    }

    /// <summary>BouncyCastle's PkixCertPathBuilder, which knows no purposes.</summary>
    public static Opinion BouncyCastle(GeneratedCase generated)
    {
        ArgumentNullException.ThrowIfNull(generated);
        try
        {
            var parser = new X509CertificateParser();
            var leaf = parser.ReadCertificate(generated.Leaf.ToArray());
            var all = generated.Others.Select(der => parser.ReadCertificate(der.ToArray())).Append(leaf).ToList();
            var anchors = new HashSet<TrustAnchor> { new(parser.ReadCertificate(generated.Root.ToArray()), null) };
            var parameters = new PkixBuilderParameters(anchors, new X509CertStoreSelector { Certificate = leaf })
            {
                IsRevocationEnabled = false,
                Date = generated.At.UtcDateTime,
            };
            parameters.AddStoreCert(CollectionUtilities.CreateStore(all));
            new PkixCertPathBuilder().Build(parameters);
            return new Opinion(true, "accepted");
        }
        catch (Exception exception) when (exception is GeneralSecurityException
            or ArgumentException
            or InvalidOperationException
            or IOException
            or InvalidCastException
            or FormatException
            or NullReferenceException)
        {
            return new Opinion(false, exception.GetType().Name);
        }
    }

    private static PathResult Validate(GeneratedCase generated, Certificate leaf)
    {
        var presented =
            generated.Others.Select(der => Certificate.TryParse(der, out var certificate, out _) ? certificate : null).OfType<Certificate>().ToList();
        return new PathValidator().Validate(leaf, presented, TrustAnchors.FromDer(generated.Root), PeerRole.Client, generated.At);
    }
}
