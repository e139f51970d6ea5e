using System.Diagnostics.CodeAnalysis;
using MutualAuth.Asn1;
using MutualAuth.Certificates;
using MutualAuth.Errors;
using MutualAuth.Names;
using MutualAuth.Paths;

namespace MutualAuth.Trust;

/// <summary>
/// The rules for a certificate whose own key is the trust anchor: an end-entity certificate, signed by that key, that claims one name and
/// nothing else.
/// </summary>
/// <remarks>
/// The key is stored under one name, so the certificate must not carry a second name that an authorization rule could match: neither
/// another alternative name nor anything else in its subject. Names have one spelling; otherwise two keys could be stored for the same
/// peer.
/// </remarks>
internal static class SelfSignedPeer
{
    private const string Rule = "RFC 5280 §6.1.1 (d): the trust anchor is the peer's name and key";

    internal static bool IsName(string text) => IsDnsName(text) || SpiffeId.TryParse(text, out _) || IsMailbox(text);

    /// <summary>What is wrong with the certificate; null when it is acceptable, and then it has a name.</summary>
    internal static Rejection? Examine(in PathSearch search, out string? name)
    {
        var leaf = search.Leaf;
        name = null;
        if (!leaf.IsSelfIssued)
        {
            return Reject(
                leaf,
                RejectionReason.UnknownAuthority,
                "a certificate that the peer has signed itself",
                $"one that {SafeText.Quote(leaf.Issuer.ToString())} has issued",
                "Authorities are not trusted here, only keys that are known.");
        }

        if (leaf.IsCertificateAuthority)
        {
            return Reject(
                leaf,
                RejectionReason.CertificateAuthorityAsLeaf,
                "an end entity's certificate",
                "one of a certification authority",
                "Create the certificate again with basicConstraints CA:FALSE.");
        }

        if (new CertificateRules(leaf, search.Validator.Profile, search.Role, search.At).Examine(leaf, PathPosition.Leaf) is { } broken)
        {
            return broken;
        }

        if (!TryGetName(leaf, out name))
        {
            return Reject(
                leaf,
                RejectionReason.ProfileViolated,
                "exactly one alternative name, a DNS name in lower case, a SPIFFE ID or an e-mail address, and the subject CN=NAME with the same one",
                Describe(leaf),
                "Create the certificate again with one name; no authority has verified its other content.");
        }

        return leaf.PublicKey.Verify(leaf.Scheme, leaf.Signed.Span, leaf.Signature.Span)
            ? search.Revocation?.Check([leaf, leaf], 0, pool: null, search.At)
            : Reject(leaf, RejectionReason.SignatureInvalid, "a signature by the key in the certificate", "one that does not verify with it", null);
    }

    /// <summary>The one name of the certificate.</summary>
    internal static bool TryGetName(Certificate leaf, [NotNullWhen(true)] out string? name)
    {
        name = null;
        if (leaf.Extensions.SubjectNames is not [var only])
        {
            return false;
        }

        if (only.Mailbox is { } mailbox)
        {
            // The common name repeats the address as it is printed, and the certificate may not spell its domain otherwise.
            var text = mailbox.ToString();
            name = PresentedMailbox(only) == text && IsCommonName(leaf.Subject, text) ? PeerName.Email(mailbox).ToString() : null;
        }
        else if (only.Form is GeneralNameForm.Dns or GeneralNameForm.Uri && IsCommonName(leaf.Subject, only.Text)
            && (only.Form == GeneralNameForm.Dns ? IsDnsName(only.Text) : SpiffeId.TryParse(only.Text, out _)))
        {
            name = only.Text;
        }

        return name is not null;
    }

    private static string PresentedMailbox(GeneralName name) => name.Form == GeneralNameForm.Email ? name.Text : name.Other!.Text;

    private static bool IsMailbox(string text) =>
        PeerName.TryParse(text, out var name) && name.Kind == PeerNameKind.Email && name.ToString() == text;

    private static bool IsDnsName(string text) => DnsName.TryParse(text, out var name) && name.ToString() == text;

    private static bool IsCommonName(DistinguishedName subject, string name) =>
        subject.Rdns is [{ Attributes: [var only] }] && only.Type.Span.SequenceEqual(Oids.CommonName) && only.Text == name;

    private static string Describe(Certificate leaf)
    {
        var names = leaf.Extensions.SubjectNames;
        var alternative = names switch
        {
            [] => "no alternative name",
            [{ Form: GeneralNameForm.Dns or GeneralNameForm.Uri or GeneralNameForm.Email } only] => $"{only.Form} {SafeText.Quote(only.Text)}",
            [var only] => $"an alternative name of the form {only.Form}",
            _ => $"{names.Length} alternative names",
        };
        return $"{alternative}, subject {SafeText.Quote(leaf.Subject.ToString())}";
    }

    private static Rejection Reject(Certificate leaf, RejectionReason reason, string expected, string presented, string? hint) =>
        PathRejection.Make(reason, leaf, PathPosition.Leaf, Rule, expected, presented, hint);
}
