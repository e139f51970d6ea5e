using System.Collections.Frozen;
using System.Collections.Immutable;
using System.Diagnostics.CodeAnalysis;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using Microsoft.Extensions.Logging;
using MutualAuth.Certificates;
using MutualAuth.Errors;
using MutualAuth.Names;
using MutualAuth.Paths;
using MutualAuth.Reloading;
using MutualAuth.Telemetry;

namespace MutualAuth;

/// <summary>The authorities at which a path may end, and intermediates that help to reach them.</summary>
/// <remarks>
/// An anchor need not be self-signed. The machine's roots are used only when <see cref="MachineRoots()"/> is called. The constraints in an
/// anchor's certificate (validity, path length, names, purposes) apply to the paths below it. Immutable and safe to share; anchors hold
/// their key objects, so share one instance instead of loading it again. Looking up an anchor costs the same for one as for ten thousand.
/// </remarks>
public sealed class TrustAnchors : ITrustAnchorSource, IHasFileRemarks
{
    // A bundle of ten thousand anchors has about 20 MB.
    internal const int MaxFileBytes = 64 * 1024 * 1024;

    internal const int MaxNamed = 10;

    private readonly FrozenDictionary<DistinguishedName, SameNameAuthorities> _anchors;
    private readonly FrozenDictionary<DistinguishedName, SameNameAuthorities> _intermediates;

    private TrustAnchors(
        ImmutableArray<Certificate> certificates, ImmutableArray<Certificate> intermediates, ImmutableArray<UnreadableCertificate> leftOut)
    {
        if (certificates.IsEmpty)
        {
            throw new MaterialException("No trust anchor: give the certificate of at least one authority.");
        }

        LeftOut = leftOut;
        Certificates = certificates;
        Intermediates = intermediates;
        _anchors = BySubject(certificates);
        _intermediates = BySubject(intermediates);
    }

    private TrustAnchors(
        ImmutableArray<Certificate> certificates,
        ImmutableArray<Certificate> intermediates,
        ImmutableArray<UnreadableCertificate> leftOut,
        IReadOnlyCollection<FileRemark> remarks,
        FrozenDictionary<Certificate, ImmutableArray<AnchorConstraints>> constraints)
        : this(certificates, intermediates, leftOut) => (Remarks, Constraints) = (remarks, constraints);

    private TrustAnchors()
    {
        LeftOut = [];
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

    /// <summary>The certificates that cannot be read and were left out: peers below them are not trusted. Empty when all were loaded.</summary>
    /// <example>
    /// <code>
    /// foreach (var unreadable in anchors.LeftOut)
    /// {
    ///     Console.WriteLine(unreadable);
    /// }
    /// </code>
    /// </example>
    public ImmutableArray<UnreadableCertificate> LeftOut { get; }

    IReadOnlyCollection<FileRemark> IHasFileRemarks.Remarks => Remarks;

    private IReadOnlyCollection<FileRemark> Remarks { get; init; } = [];

    /// <summary>The operator's constraints on each anchor that has some; all of them hold.</summary>
    private FrozenDictionary<Certificate, ImmutableArray<AnchorConstraints>> Constraints { get; init; } =
        FrozenDictionary<Certificate, ImmutableArray<AnchorConstraints>>.Empty;

    TrustAnchors ITrustAnchorSource.Current => this;

    /// <summary>Reads anchors from PEM text; text around the blocks is ignored. A certificate that cannot be read is left out.</summary>
    /// <exception cref="ArgumentNullException"><paramref name="pem"/> is null.</exception>
    /// <exception cref="MaterialException">There is no readable certificate, or a block is cut, broken or not a certificate; the message says
    /// which and what to do.</exception>
    /// <example><code>var fromText = TrustAnchors.FromPem(File.ReadAllText("authority.pem"));</code></example>
    public static TrustAnchors FromPem(string pem) => FromPem(pem, UnreadableAnchors.LeaveOut);

    /// <summary>Reads anchors from PEM text; text around the blocks is ignored.</summary>
    /// <param name="pem">The text.</param>
    /// <param name="unreadable">What happens to a certificate that cannot be read.</param>
    /// <exception cref="ArgumentNullException"><paramref name="pem"/> is null.</exception>
    /// <exception cref="MaterialException">There is no readable certificate, a block is cut, broken or not a certificate, or a certificate cannot be
    /// read and <paramref name="unreadable"/> is <see cref="UnreadableAnchors.Refuse"/>.</exception>
    /// <example><code>var wholeText = TrustAnchors.FromPem(File.ReadAllText("authority.pem"), UnreadableAnchors.Refuse);</code></example>
    public static TrustAnchors FromPem(string pem, UnreadableAnchors unreadable)
    {
        ArgumentNullException.ThrowIfNull(pem);
        return FromPem([(Encoding.UTF8.GetBytes(pem), default)], unreadable);
    }

    /// <summary>
    /// Reads anchors from PEM files, once; <see cref="TrustAnchorFiles"/> follows them. A certificate that cannot be read is left out.
    /// </summary>
    /// <exception cref="ArgumentNullException"><paramref name="paths"/> is null.</exception>
    /// <exception cref="MaterialException">No path, or a file that cannot be read, that every user may write, that holds no readable certificate, or
    /// that has a block that is cut, broken or not a certificate.</exception>
    /// <example><code>var fromFiles = TrustAnchors.FromPemFiles("authority.pem", "partner.pem");</code></example>
    public static TrustAnchors FromPemFiles(params IEnumerable<string> paths) => FromPemFiles(UnreadableAnchors.LeaveOut, paths);

    /// <summary>Reads anchors from PEM files, once.</summary>
    /// <param name="unreadable">What happens to a certificate that cannot be read.</param>
    /// <param name="paths">The files.</param>
    /// <exception cref="ArgumentNullException"><paramref name="paths"/> is null.</exception>
    /// <exception cref="MaterialException">As for <see cref="FromPemFiles(IEnumerable{string})"/>; or a certificate cannot be read, and
    /// <paramref name="unreadable"/> is <see cref="UnreadableAnchors.Refuse"/>.</exception>
    /// <example><code>var wholeFiles = TrustAnchors.FromPemFiles(UnreadableAnchors.Refuse, "authority.pem");</code></example>
    public static TrustAnchors FromPemFiles(UnreadableAnchors unreadable, params IEnumerable<string> paths)
    {
        ArgumentNullException.ThrowIfNull(paths);
        var remarks = new List<FileRemark>();
        return FromContents([.. paths.Select(path => FileUse.Anchors.Read(path, MaxFileBytes, remarks))], unreadable, remarks);
    }

    /// <summary>Takes anchors from certificates of the platform, which are copied and still belong to the caller.</summary>
    /// <exception cref="MaterialException">There is none, or one that RFC 5280 does not allow.</exception>
    /// <example><code>var loaded = TrustAnchors.From(certificate);</code></example>
    public static TrustAnchors From(params IEnumerable<X509Certificate2> certificates) => new(Convert(certificates), [], []);

    /// <summary>Takes anchors from their DER encodings, which must not be changed afterwards.</summary>
    /// <exception cref="ArgumentNullException"><paramref name="certificates"/> is null.</exception>
    /// <exception cref="MaterialException">There is none, or one that RFC 5280 does not allow.</exception>
    /// <example><code>var fromDer = TrustAnchors.FromDer(File.ReadAllBytes("authority.cer"));</code></example>
    public static TrustAnchors FromDer(params IEnumerable<ReadOnlyMemory<byte>> certificates)
    {
        ArgumentNullException.ThrowIfNull(certificates);
        return new TrustAnchors(
            Distinct(certificates.Select((der, index) => CertificatePem.Parse(der, "The trust anchors", $"certificate {index + 1}"))), [], []);
    }

    /// <summary>
    /// The root certificates of this machine, read once, now: usually several hundred public authorities. Use it only for peers that have
    /// certificates from public authorities. A root that cannot be read is left out, and named in <see cref="LeftOut"/>.
    /// </summary>
    /// <exception cref="MaterialException">The machine has no readable root.</exception>
    /// <exception cref="CryptographicException">The store cannot be opened.</exception>
    /// <example><code>var publicAuthorities = TrustAnchors.MachineRoots();</code></example>
    public static TrustAnchors MachineRoots() => MachineRoots(UnreadableAnchors.LeaveOut);

    /// <summary>The root certificates of this machine, read once, now.</summary>
    /// <param name="unreadable">What happens to a root that cannot be read.</param>
    /// <exception cref="MaterialException">The machine has no readable root, or one cannot be read and <paramref name="unreadable"/> is
    /// <see cref="UnreadableAnchors.Refuse"/>.</exception>
    /// <exception cref="CryptographicException">The store cannot be opened.</exception>
    /// <example><code>var allPublicAuthorities = TrustAnchors.MachineRoots(UnreadableAnchors.Refuse);</code></example>
    public static TrustAnchors MachineRoots(UnreadableAnchors unreadable)
    {
        using var store = new X509Store(StoreName.Root, StoreLocation.LocalMachine, OpenFlags.ReadOnly | OpenFlags.OpenExistingOnly);
        return FromStore(store.Certificates, unreadable);
    }

    /// <summary>Takes all that can be read, and disposes of the platform's objects.</summary>
    internal static TrustAnchors FromStore(IEnumerable<X509Certificate2> certificates, UnreadableAnchors unreadable)
    {
        const string Store = "the machine's store of roots";
        var roots = new List<Certificate>();
        var leftOut = ImmutableArray.CreateBuilder<UnreadableCertificate>();
        foreach (var platform in certificates)
        {
            using (platform)
            {
                ReadOnlyMemory<byte> der = platform.RawData;
                var position = roots.Count + leftOut.Count + 1;
                if (Certificate.TryParse(der, $"certificate {position}", out var root, out var problem))
                {
                    roots.Add(root);
                }
                else
                {
                    leftOut.Add(new UnreadableCertificate(Store, position, problem, Certificate.DigestOf(der)));
                }
            }
        }

        return new TrustAnchors(Distinct(roots), [], Checked(leftOut.ToImmutable(), unreadable));
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
        return WithHelpers(CertificatePem.Read(Encoding.UTF8.GetBytes(pem), default));
    }

    /// <summary>
    /// The same anchors, each with these constraints beside those that it has. They hold for every path below it, whatever its certificate says.
    /// </summary>
    /// <param name="constraints">The constraints.</param>
    /// <exception cref="ArgumentNullException"><paramref name="constraints"/> is null.</exception>
    /// <example>
    /// <code>
    /// var constrained = anchors.WithConstraints(new AnchorConstraints { PermittedSubtrees = [GeneralSubtree.Dns("corp.example")] });
    /// </code>
    /// </example>
    public TrustAnchors WithConstraints(AnchorConstraints constraints)
    {
        ArgumentNullException.ThrowIfNull(constraints);
        return new(Certificates, Intermediates, LeftOut, Remarks, Certificates.ToFrozenDictionary(
            anchor => anchor, anchor => (ImmutableArray<AnchorConstraints>)[.. ConstraintsOf(anchor).Append(constraints).Distinct()]));
    }

    /// <summary>The anchors of several sets in one, each with the constraints of its own set.</summary>
    /// <param name="sets">The sets.</param>
    /// <exception cref="ArgumentNullException"><paramref name="sets"/> is null.</exception>
    /// <exception cref="MaterialException">There is no anchor, or one is in two sets with different constraints.</exception>
    /// <example><code>var ownAndPartner = TrustAnchors.Together(anchors, partner);</code></example>
    public static TrustAnchors Together(params IEnumerable<TrustAnchors> sets)
    {
        ArgumentNullException.ThrowIfNull(sets);
        var all = sets.ToArray();
        var constraints = new Dictionary<Certificate, ImmutableArray<AnchorConstraints>>();
        foreach (var (anchor, own) in all.SelectMany(set => set.Certificates.Select(anchor => (anchor, set.ConstraintsOf(anchor)))))
        {
            if (!constraints.TryAdd(anchor, own) && !constraints[anchor].ToHashSet().SetEquals(own))
            {
                throw new MaterialException(
                    $"The trust anchor {anchor} is in two sets with different constraints, so that it is not clear which hold. Give it once.");
            }
        }

        return new(
            Distinct(all.SelectMany(set => set.Certificates)),
            Distinct(all.SelectMany(set => set.Intermediates)),
            [.. all.SelectMany(set => set.LeftOut).Distinct()],
            [.. all.SelectMany(set => set.Remarks).Distinct()],
            constraints.Where(entry => !entry.Value.IsEmpty).ToFrozenDictionary());
    }

    /// <summary>How many there are; safe to log.</summary>
    /// <example><code>Console.WriteLine(anchors.ToString());</code></example>
    public override string ToString() => Count(Certificates.Length, "anchor")
        + (Intermediates.IsEmpty ? null : $" and {Count(Intermediates.Length, "intermediate")}")
        + (Constraints.Count == 0 ? null : $"; with constraints of ours: {Constraints.Count}")
        + (LeftOut.IsEmpty ? null : $"; left out as unreadable: {LeftOut.Length}");

    private static string Count(int count, string what) => count == 1 ? $"1 {what}" : $"{count} {what}s";

    internal static TrustAnchors FromContents(
        ImmutableArray<FileContent> files, UnreadableAnchors unreadable, IReadOnlyCollection<FileRemark>? remarks = null) =>
        FromPem(files.Select(file => ((ReadOnlyMemory<byte>)file.Bytes, new PemOrigin(file.Path))), unreadable, remarks);

    /// <summary>Logs which certificates cannot be read and are not among the anchors.</summary>
    internal void SayWhatIsLeftOut(ILogger logger)
    {
        if (!LeftOut.IsEmpty)
        {
            ReloadLog.AnchorsLeftOut(
                logger,
                LeftOut.Length,
                string.Join("; ", LeftOut.Take(MaxNamed)) + (LeftOut.Length > MaxNamed ? $"; and {LeftOut.Length - MaxNamed} more" : null));
        }
    }

    internal TrustAnchors WithHelpers(IEnumerable<Certificate> certificates) =>
        new(Certificates, Distinct([.. Intermediates, .. certificates]), LeftOut, Remarks, Constraints);

    /// <summary>The operator's constraints on an anchor; empty when there are none.</summary>
    internal ImmutableArray<AnchorConstraints> ConstraintsOf(Certificate anchor) =>
        Constraints.TryGetValue(anchor, out var constraints) ? constraints : [];

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

    private static TrustAnchors FromPem(
        IEnumerable<(ReadOnlyMemory<byte> Pem, PemOrigin Origin)> texts,
        UnreadableAnchors unreadable,
        IReadOnlyCollection<FileRemark>? remarks = null)
    {
        var leftOut = new List<UnreadableCertificate>();
        var anchors = Distinct(texts.SelectMany(text => CertificatePem.Read(text.Pem, text.Origin, leftOut)));
        return new TrustAnchors(anchors, [], Checked([.. leftOut], unreadable)) { Remarks = remarks ?? [] };
    }

    private static ImmutableArray<UnreadableCertificate> Checked(ImmutableArray<UnreadableCertificate> leftOut, UnreadableAnchors unreadable) =>
        leftOut.IsEmpty || unreadable == UnreadableAnchors.LeaveOut
            ? leftOut
            : throw new MaterialException(
                $"{leftOut.Length} of the trust anchors cannot be read: {string.Join("; ", leftOut.Take(MaxNamed))}. Take them out, or have them "
                    + $"left out by {nameof(UnreadableAnchors)}.{nameof(UnreadableAnchors.LeaveOut)}.")
            { Problem = MaterialProblem.NoCertificate };

    private static FrozenDictionary<DistinguishedName, SameNameAuthorities> BySubject(ImmutableArray<Certificate> certificates) =>
        certificates.GroupBy(certificate => certificate.Subject).ToFrozenDictionary(group => group.Key, group => new SameNameAuthorities(group));

    private static ImmutableArray<Certificate> Convert(IEnumerable<X509Certificate2> certificates)
    {
        ArgumentNullException.ThrowIfNull(certificates);
        return Distinct(certificates.Select(platform => CertificatePem.Parse(platform.RawData, "The certificates that were given")));
    }

    private static ImmutableArray<Certificate> Distinct(IEnumerable<Certificate> certificates) => [.. certificates.Distinct()];
}
