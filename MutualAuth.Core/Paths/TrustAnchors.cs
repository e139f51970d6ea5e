using System.Collections.Frozen;
using System.Collections.Immutable;
using System.Diagnostics.CodeAnalysis;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using MutualAuth.Certificates;
using MutualAuth.Errors;
using MutualAuth.Names;
using MutualAuth.Paths;
using MutualAuth.Reloading;

namespace MutualAuth;

/// <summary>The authorities at which a path may end, and intermediates that help to reach them.</summary>
/// <remarks>
/// An anchor need not be self-signed. The machine's roots are used only when <see cref="MachineRoots"/> is called. The constraints in an
/// anchor's certificate (validity, path length, names, purposes) apply to the paths below it. Immutable and safe to share; anchors hold
/// their key objects, so share one instance instead of loading it again. Looking up an anchor costs the same for one as for ten thousand.
/// </remarks>
public sealed class TrustAnchors : ITrustAnchorSource
{
    // A bundle of ten thousand anchors has about 20 MB.
    internal const int MaxFileBytes = 64 * 1024 * 1024;

    private readonly FrozenDictionary<DistinguishedName, SameNameAuthorities> _anchors;
    private readonly FrozenDictionary<DistinguishedName, SameNameAuthorities> _intermediates;

    private TrustAnchors(ImmutableArray<Certificate> certificates, ImmutableArray<Certificate> intermediates)
    {
        if (certificates.IsEmpty)
        {
            throw new MaterialException("No trust anchor: give the certificate of at least one authority.");
        }

        Certificates = certificates;
        Intermediates = intermediates;
        _anchors = BySubject(certificates);
        _intermediates = BySubject(intermediates);
    }

    private TrustAnchors()
    {
        Certificates = [];
        Intermediates = [];
        _anchors = BySubject([]);
        _intermediates = BySubject([]);
    }

    /// <summary>No authority: no certificate is ever accepted. For servers whose clients show none and log in instead.</summary>
    /// <example><code>var noCertificates = TrustAnchors.None;</code></example>
    public static TrustAnchors None { get; } = new();

    /// <summary>The anchors, each once, in the order in which they were given.</summary>
    /// <example>
    /// <code>
    /// foreach (var anchor in anchors.Certificates)
    /// {
    ///     Console.WriteLine($"{anchor} expires at {anchor.NotAfter:u}");
    /// }
    /// </code>
    /// </example>
    public ImmutableArray<Certificate> Certificates { get; }

    /// <summary>
    /// Certificates of authorities that are known in advance and not trusted: a path may run through them, and must go on to an anchor.
    /// </summary>
    /// <example><code>Console.WriteLine($"{anchors.Intermediates.Length} intermediates are known in advance");</code></example>
    public ImmutableArray<Certificate> Intermediates { get; }

    TrustAnchors ITrustAnchorSource.Current => this;

    /// <summary>Reads anchors from PEM text; text around the blocks is ignored.</summary>
    /// <exception cref="ArgumentNullException"><paramref name="pem"/> is null.</exception>
    /// <exception cref="MaterialException">There is no certificate, or a block that is not a readable one; the message says
    /// which and what to do.</exception>
    /// <example><code>var fromText = TrustAnchors.FromPem(File.ReadAllText("authority.pem"));</code></example>
    public static TrustAnchors FromPem(string pem)
    {
        ArgumentNullException.ThrowIfNull(pem);
        return new TrustAnchors(CertificatePem.Read(pem, "the text"), []);
    }

    /// <summary>Reads anchors from PEM files, once; <see cref="TrustAnchorFiles"/> follows them.</summary>
    /// <exception cref="ArgumentNullException"><paramref name="paths"/> is null.</exception>
    /// <exception cref="MaterialException">No path, or a file that cannot be read, without a certificate or with an unreadable block.</exception>
    /// <example><code>var fromFiles = TrustAnchors.FromPemFiles("authority.pem", "partner.pem");</code></example>
    public static TrustAnchors FromPemFiles(params IEnumerable<string> paths)
    {
        ArgumentNullException.ThrowIfNull(paths);
        return FromContents([.. paths.Select(path => new FileContent(path, BoundedFile.ReadBytes(path, MaxFileBytes)))]);
    }

    /// <summary>Takes anchors from certificates of the platform, which are copied and still belong to the caller.</summary>
    /// <exception cref="MaterialException">There is none, or one that RFC 5280 does not allow.</exception>
    /// <example><code>var loaded = TrustAnchors.From(certificate);</code></example>
    public static TrustAnchors From(params IEnumerable<X509Certificate2> certificates) => new(Convert(certificates), []);

    /// <summary>Takes anchors from their DER encodings, which must not be changed afterwards.</summary>
    /// <exception cref="ArgumentNullException"><paramref name="certificates"/> is null.</exception>
    /// <exception cref="MaterialException">There is none, or one that RFC 5280 does not allow.</exception>
    /// <example><code>var fromDer = TrustAnchors.FromDer(File.ReadAllBytes("authority.cer"));</code></example>
    public static TrustAnchors FromDer(params IEnumerable<ReadOnlyMemory<byte>> certificates)
    {
        ArgumentNullException.ThrowIfNull(certificates);
        return new TrustAnchors(Distinct(certificates.Select(der => CertificatePem.Parse(der, "a trust anchor"))), []);
    }

    /// <summary>
    /// The root certificates of this machine, read once, now: usually several hundred public authorities. Use it only for peers that have
    /// certificates from public authorities. Roots that RFC 5280 does not allow are left out.
    /// </summary>
    /// <exception cref="MaterialException">The machine has no readable root.</exception>
    /// <exception cref="CryptographicException">The store cannot be opened.</exception>
    /// <example><code>var publicAuthorities = TrustAnchors.MachineRoots();</code></example>
    public static TrustAnchors MachineRoots()
    {
        using var store = new X509Store(StoreName.Root, StoreLocation.LocalMachine, OpenFlags.ReadOnly | OpenFlags.OpenExistingOnly);
        var roots = new List<Certificate>();
        foreach (var platform in store.Certificates)
        {
            using (platform)
            {
                if (Certificate.TryParse(platform.RawData, out var root, out _))
                {
                    roots.Add(root);
                }
            }
        }

        return new TrustAnchors(Distinct(roots), []);
    }

    /// <summary>The same anchors with further helpers: intermediates that peers may fail to send. Certificates already known are folded.</summary>
    /// <exception cref="MaterialException">One is not a certificate that RFC 5280 allows.</exception>
    /// <example><code>var withIntermediate = anchors.WithIntermediates(intermediate);</code></example>
    public TrustAnchors WithIntermediates(params IEnumerable<X509Certificate2> certificates) => WithHelpers(Convert(certificates));

    /// <summary>The same anchors with the intermediates of a PEM text as helpers.</summary>
    /// <exception cref="ArgumentNullException"><paramref name="pem"/> is null.</exception>
    /// <exception cref="MaterialException">There is no certificate, or a block that is not a readable one.</exception>
    /// <example><code>var withIntermediates = anchors.WithIntermediatesFromPem(File.ReadAllText("intermediates.pem"));</code></example>
    public TrustAnchors WithIntermediatesFromPem(string pem)
    {
        ArgumentNullException.ThrowIfNull(pem);
        return WithHelpers(CertificatePem.Read(pem, "the text"));
    }

    /// <summary>How many there are; safe to log.</summary>
    /// <example><code>Console.WriteLine(anchors.ToString());</code></example>
    public override string ToString() =>
        Intermediates.IsEmpty
            ? Count(Certificates.Length, "anchor")
            : $"{Count(Certificates.Length, "anchor")} and {Count(Intermediates.Length, "intermediate")}";

    private static string Count(int count, string what) => count == 1 ? $"1 {what}" : $"{count} {what}s";

    internal static TrustAnchors FromContents(ImmutableArray<FileContent> files) =>
        new(Distinct(files.SelectMany(file => CertificatePem.Read(file.Text, file.Path))), []);

    internal TrustAnchors WithHelpers(IEnumerable<Certificate> certificates) => new(Certificates, Distinct([.. Intermediates, .. certificates]));

    /// <summary>The anchors of this name.</summary>
    internal SameNameAuthorities AnchorsNamed(DistinguishedName subject) =>
        _anchors.TryGetValue(subject, out var found) ? found : SameNameAuthorities.None;

    /// <summary>The helpers of this name.</summary>
    internal SameNameAuthorities IntermediatesNamed(DistinguishedName subject) =>
        _intermediates.TryGetValue(subject, out var found) ? found : SameNameAuthorities.None;

    /// <summary>The anchor that is this exact certificate.</summary>
    internal bool TryGetAnchor(Certificate certificate, [NotNullWhen(true)] out Certificate? anchor)
    {
        anchor = null;
        foreach (var named in AnchorsNamed(certificate.Subject).WithKeyId(certificate.Extensions.SubjectKeyId.Span))
        {
            if (certificate.Equals(named))
            {
                anchor = named;
                return true;
            }
        }

        return false;
    }

    private static FrozenDictionary<DistinguishedName, SameNameAuthorities> BySubject(ImmutableArray<Certificate> certificates) =>
        certificates.GroupBy(certificate => certificate.Subject).ToFrozenDictionary(group => group.Key, group => new SameNameAuthorities(group));

    private static ImmutableArray<Certificate> Convert(IEnumerable<X509Certificate2> certificates)
    {
        ArgumentNullException.ThrowIfNull(certificates);
        return Distinct(certificates.Select(platform => CertificatePem.Parse(platform.RawData, SafeText.Quote(platform.Subject))));
    }

    private static ImmutableArray<Certificate> Distinct(IEnumerable<Certificate> certificates) => [.. certificates.Distinct()];
}
