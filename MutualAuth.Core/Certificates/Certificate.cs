using System.Collections.Immutable;
using System.Diagnostics.CodeAnalysis;
using System.Formats.Asn1;
using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using MutualAuth.Asn1;
using MutualAuth.Errors;
using MutualAuth.Names;

namespace MutualAuth.Certificates;

/// <summary>An X.509 certificate (RFC 5280 §4), read strictly and without the platform's parser.</summary>
/// <remarks>
/// An encoding that is not strict DER but has one meaning only is accepted (an encoded default value, trailing zero bits in a usage, either
/// type of time, an empty list, an unordered set); <see cref="Paths.ValidationProfile.Form"/> decides whether the certificate is rejected
/// for it. Reading checks the grammar and nothing else: a parsed certificate is not yet trusted, current or meant for any purpose. Equality
/// is that of the encodings. Immutable and safe to share; it holds no handle and needs no disposal.
/// </remarks>
public sealed class Certificate : IEquatable<Certificate>
{
    private ImmutableArray<string> _dnsNames;
    private ImmutableArray<string> _uris;
    private ImmutableArray<string> _emailAddresses;
    private ImmutableArray<IPAddress> _addresses;
    private ImmutableArray<string> _principals;
    private ImmutableArray<OtherName> _otherNames;
    private ImmutableArray<ServiceName> _serviceNames;
    private ImmutableArray<EmailAddress> _mailboxes;
    private string? _thumbprint;
    private string? _keyDigest;

    internal Certificate(CertificateFields fields)
    {
        RawData = fields.RawData;
        Version = fields.Version;
        Serial = fields.Serial;
        Signed = fields.Signed;
        SignatureAlgorithm = fields.SignatureAlgorithm;
        Scheme = fields.Scheme;
        Signature = fields.Signature;
        Issuer = fields.Issuer;
        Subject = fields.Subject;
        NotBefore = fields.NotBefore;
        NotAfter = fields.NotAfter;
        PublicKey = fields.PublicKey;
        Extensions = fields.Extensions;
        Slip = fields.Slip;
        IsSelfIssued = Subject.Equals(Issuer);
    }

    /// <summary>The whole encoding, in DER.</summary>
    public ReadOnlyMemory<byte> RawData { get; }

    /// <summary>The subject of the certificate; empty when its names are all in the subject alternative name.</summary>
    public DistinguishedName Subject { get; }

    /// <summary>The issuer of the certificate.</summary>
    public DistinguishedName Issuer { get; private set; }

    /// <summary>The serial number as upper-case hex of its DER contents octets.</summary>
    public string SerialNumber => Convert.ToHexString(Serial.Span);

    /// <summary>The first moment of validity, inclusive (RFC 5280 §4.1.2.5).</summary>
    public DateTimeOffset NotBefore { get; }

    /// <summary>The last second of validity, inclusive.</summary>
    public DateTimeOffset NotAfter { get; }

    /// <summary>The DNS names of the subject alternative name, as presented and in order, including wildcards and malformed names.</summary>
    public ImmutableArray<string> DnsNames => Names(ref _dnsNames, GeneralNameForm.Dns);

    /// <summary>The URIs of the subject alternative name, as presented and in order.</summary>
    public ImmutableArray<string> Uris => Names(ref _uris, GeneralNameForm.Uri);

    /// <summary>The e-mail addresses (rfc822Name) of the subject alternative name, as presented and in order.</summary>
    public ImmutableArray<string> EmailAddresses => Names(ref _emailAddresses, GeneralNameForm.Email);

    /// <summary>The IP addresses of the subject alternative name, in order.</summary>
    public ImmutableArray<IPAddress> IPAddresses
    {
        get
        {
            if (_addresses.IsDefault)
            {
                var addresses = Extensions.SubjectNames.Where(name => name.Form == GeneralNameForm.IPAddress).Select(
                    name => new IPAddress(name.Value.Span));
                ImmutableInterlocked.InterlockedInitialize(ref _addresses, [.. addresses]);
            }

            return _addresses;
        }
    }

    /// <summary>The user principal names (the otherName 1.3.6.1.4.1.311.20.2.3) of the subject alternative name, as presented and in order.</summary>
    public ImmutableArray<string> UserPrincipalNames
    {
        get
        {
            if (_principals.IsDefault)
            {
                ImmutableInterlocked.InterlockedInitialize(ref _principals,
                    [.. Extensions.SubjectNames.Select(name => name.UserPrincipalName).OfType<string>()]);
            }

            return _principals;
        }
    }

    /// <summary>
    /// The names of types of their own (otherName) of the subject alternative name, in order, user principal names among them.
    /// </summary>
    public ImmutableArray<OtherName> OtherNames
    {
        get
        {
            if (_otherNames.IsDefault)
            {
                ImmutableInterlocked.InterlockedInitialize(
                    ref _otherNames, [.. Extensions.SubjectNames.Select(name => name.Other).OfType<OtherName>()]);
            }

            return _otherNames;
        }
    }

    /// <summary>
    /// The e-mail addresses of the subject alternative name that are well formed, in order: of an rfc822Name, or of a SmtpUTF8Mailbox (RFC 9598)
    /// whose local part is beyond ASCII, as it must be there.
    /// </summary>
    public ImmutableArray<EmailAddress> Mailboxes
    {
        get
        {
            if (_mailboxes.IsDefault)
            {
                ImmutableInterlocked.InterlockedInitialize(
                    ref _mailboxes, [.. Extensions.SubjectNames.Select(name => name.Mailbox).OfType<EmailAddress>()]);
            }

            return _mailboxes;
        }
    }

    /// <summary>
    /// The services of the subject alternative name (SRVName, RFC 4985) that are well formed, in order; one with a wildcard is not.
    /// </summary>
    public ImmutableArray<ServiceName> ServiceNames
    {
        get
        {
            if (_serviceNames.IsDefault)
            {
                ImmutableInterlocked.InterlockedInitialize(
                    ref _serviceNames, [.. Extensions.SubjectNames.Select(name => name.ServiceName).OfType<ServiceName>()]);
            }

            return _serviceNames;
        }
    }

    /// <summary>
    /// The statements of a qualified certificate (RFC 3739 §3.2.6); null when it has none, and when they are malformed:
    /// <see cref="TryReadQcStatements"/> tells one from the other.
    /// </summary>
    public QcStatements? QcStatements => TryReadQcStatements(out var statements, out _) ? statements : null;

    /// <summary>Whether the basic constraints declare the subject a certification authority (RFC 5280 §4.2.1.9).</summary>
    public bool IsCertificateAuthority => Extensions.IsAuthority;

    /// <summary>How many further authorities are allowed below this one; null when there is no limit.</summary>
    public int? PathLength => Extensions.PathLength;

    /// <summary>The permitted uses of the key (RFC 5280 §4.2.1.3); null when the certificate does not state any.</summary>
    public X509KeyUsageFlags? KeyUsage => Extensions.Has(KnownExtension.KeyUsage) ? Extensions.KeyUsage : null;

    /// <summary>The purposes (RFC 5280 §4.2.1.12) as dotted identifiers, in order; empty when the certificate does not state any.</summary>
    public ImmutableArray<string> ExtendedKeyUsages => [.. Extensions.Purposes.Select(purpose => Oids.ToDotted(purpose.Span))];

    /// <summary>The subject key identifier (RFC 5280 §4.2.1.2) as upper-case hex; null when the certificate does not have one.</summary>
    public string? SubjectKeyIdentifier => Extensions.SubjectKeyId.IsEmpty ? null : Convert.ToHexString(Extensions.SubjectKeyId.Span);

    /// <summary>The public key with its algorithm, in DER: the input of a pin.</summary>
    public ReadOnlyMemory<byte> SubjectPublicKeyInfo => PublicKey.Encoding;

    /// <summary>SHA-256 of the whole encoding, as 64 upper-case hex digits.</summary>
    public string Thumbprint => _thumbprint ??= DigestOf(RawData);

    /// <summary>The version, 1, 2 or 3; the encoded number is one less.</summary>
    internal int Version { get; }

    /// <summary>The contents octets of the serial number.</summary>
    internal ReadOnlyMemory<byte> Serial { get; }

    /// <summary>The signed part of the certificate.</summary>
    internal ReadOnlyMemory<byte> Signed { get; }

    /// <summary>The AlgorithmIdentifier of the signature, in DER.</summary>
    internal ReadOnlyMemory<byte> SignatureAlgorithm { get; }

    internal SignatureScheme Scheme { get; }

    internal ReadOnlyMemory<byte> Signature { get; }

    internal PublicKeyInfo PublicKey { get; }

    internal CertificateExtensions Extensions { get; }

    /// <summary>The first deviation from strict DER that leaves the meaning unambiguous, as text; null when there is none.</summary>
    internal string? Slip { get; }

    /// <summary>Whether subject and issuer are equal; the signature is not checked here.</summary>
    internal bool IsSelfIssued { get; }

    /// <summary>Reads one certificate.</summary>
    /// <param name="der">The encoding and nothing else. It is kept, not copied: the caller must not change it afterwards.</param>
    /// <exception cref="CryptographicException">The encoding is not an X.509 certificate in DER; the message says what is wrong with it.</exception>
    public static Certificate Parse(ReadOnlyMemory<byte> der) =>
        TryParse(der, out var certificate, out var problem) ? certificate : throw new CryptographicException(problem.ToString());

    /// <summary>Reads one certificate; never throws.</summary>
    /// <param name="der">The encoding and nothing else. It is kept, not copied: the caller must not change it afterwards.</param>
    /// <param name="certificate">The certificate, if it could be read.</param>
    /// <param name="problem">The reason why it could not be read.</param>
    public static bool TryParse(
        ReadOnlyMemory<byte> der, [NotNullWhen(true)] out Certificate? certificate, [NotNullWhen(false)] out Rejection? problem) =>
        TryParse(der, "certificate", out certificate, out problem);

    /// <summary>Reads one certificate; never throws.</summary>
    /// <param name="der">The encoding and nothing else. It is kept.</param>
    /// <param name="place">What the problem calls it, such as its place in a list.</param>
    /// <param name="certificate">The certificate, if it could be read.</param>
    /// <param name="problem">The reason why it could not be read; it names the subject, if that could be read, and the digest.</param>
    internal static bool TryParse(
        ReadOnlyMemory<byte> der,
        string place,
        [NotNullWhen(true)] out Certificate? certificate,
        [NotNullWhen(false)] out Rejection? problem)
    {
        var slips = new DerDeviations(der);
        DistinguishedName? subject = null;
        try
        {
            certificate = CertificateReader.Read(der, slips, out subject);
            problem = null;
            return true;
        }
        catch (AsnContentException malformed)
        {
            certificate = null;
            problem = new Rejection(RejectionReason.CertificateMalformed, "an X.509 certificate in DER",
                $"an encoding in which {Describe(malformed)}, in {slips.Place}")
            {
                Element = $"{place}, {(subject is null ? null : $"{SafeText.Quote(subject.ToString())}, ")}SHA-256 {DigestOf(der)}",
                Rule = "RFC 5280 §4.1",
            };
            return false;
        }
    }

    /// <summary>Reads the statements of a qualified certificate (RFC 3739 §3.2.6), in strict DER; never throws.</summary>
    /// <param name="statements">The statements; null when there are none, and when they are malformed.</param>
    /// <param name="problem">
    /// The reason why they could not be read, <see cref="RejectionReason.QcStatementsMalformed"/>; null when they were read, and when there are none.
    /// </param>
    /// <returns>True when the certificate has statements and all of them could be read.</returns>
    public bool TryReadQcStatements([NotNullWhen(true)] out QcStatements? statements, out Rejection? problem)
    {
        statements = null;
        problem = null;
        if (ExtensionReader.Find(Extensions.List, Oids.QcStatements) is { } extension)
        {
            statements = QcStatementsReader.Read(extension.Value, out var flaw);
            problem = flaw is null ? null : new Rejection(
                RejectionReason.QcStatementsMalformed, "statements of a qualified certificate in DER", $"an extension in which {flaw}")
            {
                Element = "leaf certificate",
                Rule = "RFC 3739 §3.2.6, ETSI EN 319 412-5, ETSI TS 119 495",
                Hint = "Nothing that the extension says counts. Have the authority issue the certificate again.",
            };
        }

        return statements is not null;
    }

    /// <summary>
    /// The extension of this type, with its octets, whether this library reads it or not; null when the certificate does not have it.
    /// </summary>
    /// <param name="oid">The type, as a dotted object identifier.</param>
    /// <exception cref="ArgumentNullException"><paramref name="oid"/> is null.</exception>
    /// <exception cref="FormatException"><paramref name="oid"/> is not a dotted object identifier.</exception>
    /// <example>
    /// <code>
    /// var asset = connection.Peer.Certificate?.FindExtension("1.3.6.1.4.1.99999.3")?.Value;
    /// </code>
    /// </example>
    public PresentedExtension? FindExtension(string oid)
    {
        ArgumentNullException.ThrowIfNull(oid);
        return ExtensionReader.Find(
            Extensions.List, Oids.FromDotted(oid) ?? throw new FormatException($"Not a dotted object identifier: {SafeText.Quote(oid)}."));
    }

    /// <summary>The platform's object for the same certificate, for code that needs one. The caller owns it and disposes of it.</summary>
    /// <exception cref="CryptographicException">The platform's parser does not accept the encoding.</exception>
    public X509Certificate2 ToX509Certificate2() => X509CertificateLoader.LoadCertificate(RawData.Span);

    /// <inheritdoc/>
    public bool Equals(Certificate? other) => other is not null && (ReferenceEquals(this, other) || RawData.Span.SequenceEqual(other.RawData.Span));

    /// <inheritdoc/>
    public override bool Equals(object? obj) => Equals(obj as Certificate);

    /// <inheritdoc/>
    public override int GetHashCode()
    {
        var hash = default(HashCode);
        hash.AddBytes(RawData.Span);
        return hash.ToHashCode();
    }

    /// <summary>The subject in the form of RFC 4514, escaped so that it is safe to log.</summary>
    public override string ToString() => SafeText.Quote(Subject.ToString());

    /// <summary>SHA-256 of the public key (SubjectPublicKeyInfo) as upper-case hex. Computed once.</summary>
    internal string KeyDigest => _keyDigest ??= DigestOf(SubjectPublicKeyInfo);

    /// <summary>SHA-256 as upper-case hex: what an operator can search for.</summary>
    internal static string DigestOf(ReadOnlyMemory<byte> der) => Convert.ToHexString(SHA256.HashData(der.Span));

    /// <summary>Reads a word of each part that a judgement looks at, so that it is in the processor's cache by then.</summary>
    internal int ReadParts() => (int)Extensions.Present + Extensions.CrlDistributionPoints.Length + Extensions.Purposes.Length
        + Extensions.Policies.Policies.Length + (int)PublicKey.Kind + (Subject.IsEmpty ? 1 : 0)
        + (_dnsNames.IsDefaultOrEmpty ? 0 : _dnsNames[0].Length);

    /// <summary>The same of the encoding: its beginning, and what stands at its end.</summary>
    internal int ReadEncoding()
    {
        var (keyId, purposes) = (Extensions.AuthorityKeyId.KeyId, Extensions.Purposes);
        return Serial.Span[0] + (keyId.IsEmpty ? 0 : keyId.Span[0]) + (purposes.IsEmpty ? 0 : purposes[0].Span[0]);
    }

    /// <summary>
    /// Gives up its own object for the name of the issuer where the issuer's certificate has the same octets: thousands of peers then have one. To be
    /// called when a path has been accepted.
    /// </summary>
    internal void ShareNameOf(Certificate issuer)
    {
        if (!ReferenceEquals(Issuer, issuer.Subject) && Issuer.RawData.Span.SequenceEqual(issuer.Subject.RawData.Span))
        {
            Issuer = issuer.Subject;
        }
    }

    // Only messages of the framework begin in upper case. They do not describe a value, and none of them quotes the input.
    private static string Describe(AsnContentException malformed) =>
        malformed.Message.Length > 0 && char.IsAsciiLetterLower(malformed.Message[0]) ? malformed.Message : "a value is not DER";

    private ImmutableArray<string> Names(ref ImmutableArray<string> names, GeneralNameForm form)
    {
        if (names.IsDefault)
        {
            ImmutableInterlocked.InterlockedInitialize(ref names, NamesOf(form));
        }

        return names;
    }

    private ImmutableArray<string> NamesOf(GeneralNameForm form) =>
        [.. Extensions.SubjectNames.Where(name => name.Form == form).Select(name => name.Text)];
}
