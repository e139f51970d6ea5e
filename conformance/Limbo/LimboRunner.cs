using System.Collections.Immutable;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using MutualAuth.Certificates;
using MutualAuth.Evidence;
using MutualAuth.Paths;
using MutualAuth.Revocation;
using MutualAuth.Validation;

namespace MutualAuth.Conformance.Limbo;

/// <summary>Runs a case through the library's own certificate stage, which is the only thing that decides.</summary>
public static class LimboRunner
{
    // The suite has lists of a hundred certificates and certificates with two thousand names: the budget shall refuse them, not the door.
    private static readonly CertificateLimits s_limits = new() { MaxCertificates = 256, MaxCertificateBytes = 1024 * 1024 };

    /// <summary>
    /// Judges one case. Never throws for what stands in it: a case that cannot be run is that case's failure, whatever was expected of it.
    /// </summary>
    public static LimboResult Run(LimboCase limboCase)
    {
        ArgumentNullException.ThrowIfNull(limboCase);
        try
        {
            return Try(limboCase);
        }
        catch (Exception exception)
        {
            return new LimboResult(limboCase, !limboCase.ShouldSucceed, $"runner_{exception.GetType().Name}", exception.Message);
        }
    }

    private static LimboResult Try(LimboCase limboCase)
    {
        if (TrustOf(limboCase) is not { } trust)
        {
            return new LimboResult(limboCase, Accepted: false, "no_anchor", "None of the trusted certificates can be read.");
        }

        CertificateVerdict verdict;
        try
        {
            verdict = Judge(limboCase, trust);
        }
        catch (FormatException notAName)
        {
            // A name that is no host name or mailbox cannot be dialled or asked for in the first place.
            return new LimboResult(limboCase, Accepted: false, "name_not_askable", notAName.Message);
        }

        return verdict switch
        {
            CertificateVerdict.Rejected rejected =>
                new LimboResult(limboCase, Accepted: false, rejected.Rejection.Reason.ToCode(), rejected.Rejection.ToString()),
            _ => new LimboResult(limboCase, Accepted: true, null, null),
        };
    }

    /// <summary>The rules of a case: its namespace says whose profile it belongs to, and the case may set some of them itself.</summary>
    public static ValidationProfile ProfileOf(LimboCase limboCase)
    {
        ArgumentNullException.ThrowIfNull(limboCase);
        var profile = limboCase.Namespace switch
        {
            "webpki" => ValidationProfile.WebPki,

            // Netflix's certificates come without key identifiers; these cases are about paths and names, not about form.
            "bettertls" => ValidationProfile.Rfc5280 with { Form = CertificateForm.Tolerant, Leaf = LeafRule.EndEntity },
            _ => ValidationProfile.Rfc5280,
        };
        return profile with
        {
            // No purpose asked for is no purpose required; one that is asked for may come with others, but must not be contradicted.
            Purpose = PurposeOf(limboCase),
            LeafKeyUsage = limboCase.KeyUsage.Aggregate(
                X509KeyUsageFlags.None, (usage, name) => usage | Enum.Parse<X509KeyUsageFlags>(name, ignoreCase: true)),
            MaxIntermediates = Math.Clamp(limboCase.MaxChainDepth ?? profile.MaxIntermediates, 0, 32),
        };
    }

    private static CertificateVerdict Judge(LimboCase limboCase, TrustAnchors trust)
    {
        var isServer = limboCase.ValidationKind == "SERVER";
        var evidence = new PeerEvidence(
            isServer ? PeerRole.Server : PeerRole.Client,
            [Der(limboCase.PeerCertificate), .. limboCase.UntrustedIntermediates.Select(Der)])
        {
            DialledName = isServer && limboCase.ExpectedPeerName is { } name ? ServerName.Parse(name.Value) : null,
        };
        var stage = new CertificateStage(new CertificateStageOptions
        {
            Trust = trust,
            Authorization = RuleOf(limboCase),
            Profile = ProfileOf(limboCase),
            Revocation = limboCase.Crls.Count == 0 ? null : new RevocationPolicy { Lists = ListsOf(limboCase) },
            CertificateLimits = s_limits,
        });
        return stage.Judge(evidence, limboCase.ValidationTime ?? TimeProvider.System.GetUtcNow());
    }

    private static PurposeRule PurposeOf(LimboCase limboCase) =>
        limboCase.Namespace == "webpki" ? PurposeRule.Required : PurposeRule.UnlessContradicted;

    /// <summary>A server must have the name that was dialled; a client must have each of the names that are expected of it.</summary>
    private static AuthorizationRule RuleOf(LimboCase limboCase)
    {
        if (limboCase.ValidationKind == "SERVER")
        {
            return limboCase.ExpectedPeerName is null ? Authorize.AnyTrustedPeer : Authorize.ServerName;
        }

        var names = limboCase.ExpectedPeerNames.Select(name => name.Kind switch
        {
            "DNS" => Authorize.Dns(name.Value),
            "IP" => Authorize.IPAddress(name.Value),
            "RFC822" => Authorize.Email(name.Value),
            _ => throw new InvalidDataException($"{limboCase.Id}: a name of kind {name.Kind}."),
        }).ToImmutableArray();
        return names.IsEmpty ? Authorize.AnyTrustedPeer : Authorize.AllOf(names);
    }

    /// <summary>An anchor that cannot be read cannot be loaded, and the others are the trust that is left.</summary>
    private static TrustAnchors? TrustOf(LimboCase limboCase)
    {
        var readable = limboCase.TrustedCerts.Select(Der).Where(der => Certificate.TryParse(der, out _, out _)).ToList();
        return readable.Count == 0 ? null : TrustAnchors.FromDer(readable);
    }

    /// <summary>A list that cannot be read cannot be loaded, and what it would have covered is not covered.</summary>
    private static RevocationLists ListsOf(LimboCase limboCase)
    {
        var readable = limboCase.Crls.Select(Der).Where(IsReadableList).ToList();
        return readable.Count == 0 ? RevocationLists.Empty : RevocationLists.FromDer(readable);
    }

    private static bool IsReadableList(ReadOnlyMemory<byte> der)
    {
        try
        {
            RevocationLists.FromDer(der);
            return true;
        }
        catch (MaterialException)
        {
            return false;
        }
    }

    private static ReadOnlyMemory<byte> Der(string pem)
    {
        var fields = PemEncoding.Find(pem);
        return Convert.FromBase64String(pem[fields.Base64Data]);
    }
}
