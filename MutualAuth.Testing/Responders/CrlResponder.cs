using System.Globalization;
using System.Numerics;
using System.Security.Cryptography.X509Certificates;
using MutualAuth.Testing.Building;
using MutualAuth.Testing.Revocation;

namespace MutualAuth.Testing.Responders;

/// <summary>
/// Serves an authority's CRLs over HTTP on loopback: the full one, a delta CRL, and partitions. What the authority revokes shows at once.
/// </summary>
public sealed class CrlResponder : HttpResponder
{
    private readonly TestAuthority _authority;
    private readonly TestKey _stranger;
    private TestCrl _base;

    /// <summary>Starts serving.</summary>
    /// <param name="authority">Whose word it passes on. Not owned.</param>
    /// <param name="publishedHost">
    /// What those who ask call this machine, such as <c>host.docker.internal</c> for a container; it then listens on every address. Null for the
    /// loopback address alone.
    /// </param>
    /// <param name="port">Where to listen; 0 takes a free port.</param>
    /// <exception cref="ArgumentException"><paramref name="publishedHost"/> cannot stand in a URI.</exception>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="port"/> is no port.</exception>
    /// <exception cref="System.Net.Sockets.SocketException">The port is in use, or not ours to take.</exception>
    /// <exception cref="ArgumentNullException"><paramref name="authority"/> is null.</exception>
    public CrlResponder(TestAuthority authority, string? publishedHost = null, int port = 0)
        : base(ClockOf(authority), publishedHost, port)
    {
        _authority = authority;
        _stranger = authority.StrangeKey();
        _base = authority.IssueCrl();
    }

    /// <summary>The full CRL, created again for each request.</summary>
    public string FullUri => BaseUri + "full.crl";

    /// <summary>The full CRL as it was at the last <see cref="Rebase"/>: what the delta CRL adds to.</summary>
    public string BaseCrlUri => BaseUri + "base.crl";

    /// <summary>The delta CRL (RFC 5280 §5.2.4): what has changed since the last <see cref="Rebase"/>.</summary>
    public string DeltaUri => BaseUri + "delta.crl";

    /// <summary>The part of the CRL that speaks of end entities only.</summary>
    public string EndEntitiesUri => BaseUri + "end-entities.crl";

    /// <summary>The part of the CRL that speaks of authorities only.</summary>
    public string AuthoritiesUri => BaseUri + "authorities.crl";

    /// <summary>How many partitions by serial number there are. Default: four.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The value is zero or negative.</exception>
    public int Partitions
    {
        get;
        init
        {
            ArgumentOutOfRangeException.ThrowIfNegativeOrZero(value);
            field = value;
        }
    }

    = 4;

    /// <summary>The partition that a serial number belongs to; every certificate names its own as its distribution point.</summary>
    public string PartitionUri(BigInteger serialNumber) => PartitionUri((int)(BigInteger.Abs(serialNumber) % Partitions));

    /// <summary>Makes the CRL of this moment the one that delta CRLs add to.</summary>
    public void Rebase() => _base = _authority.IssueCrl(spec => spec with { FreshestCrlUris = [DeltaUri] });

    internal override IReadOnlyList<string> Methods { get; } = ["GET", "HEAD"];

    internal override HttpRefusal? Refuse(ResponderRequest request) => ListAt(request.Name) is not null ? null
        : new HttpRefusal(
            404,
            ResponderProblemKind.PathNotServed,
            $"{HttpRequestHead.Quote(request.Path)} is not served; full.crl, base.crl, delta.crl, end-entities.crl, authorities.crl and "
            + $"partition-0.crl to partition-{Partitions - 1}.crl are");

    internal override string ContentTypeOf(ResponderRequest request) => "application/pkix-crl";

    private protected override ResponderReply Answer(ResponderRequest request) => new(
        200, ContentTypeOf(request), _authority.IssueCrl(full => Misbehave(ListAt(request.Name)!(full))).Raw.ToArray());

    private static TimeProvider ClockOf(TestAuthority authority)
    {
        ArgumentNullException.ThrowIfNull(authority);
        return authority.Clock;
    }

    private static CrlSpec Part(CrlSpec full, IssuingDistributionPoint point, Func<RevokedCertificate, bool> belongs) =>
        full with { Revoked = [.. full.Revoked.Where(belongs)], IssuingDistributionPoint = point };

    // What the base lists and the authority no longer does goes out as removeFromCRL (RFC 5280 §5.3.1).
    private static List<RevokedCertificate> ChangesSince(TestCrl since, IReadOnlyList<RevokedCertificate> now) =>
    [
        .. now.Except(since.Spec.Revoked),
        .. since.Spec.Revoked
            .Where(old => now.All(entry => entry.SerialNumber != old.SerialNumber))
            .Select(old => old with { Reason = X509RevocationReason.RemoveFromCrl }),
    ];

    private Func<CrlSpec, CrlSpec>? ListAt(string name) => name switch
    {
        "full.crl" => full => full,
        "base.crl" => _ => _base.Spec with { FreshestCrlUris = [DeltaUri] },
        "delta.crl" => full => full with { DeltaBase = _base.Spec.Number, Revoked = ChangesSince(_base, full.Revoked) },
        "end-entities.crl" => full => Part(
            full,
            new IssuingDistributionPoint { Uri = EndEntitiesUri, OnlyEndEntities = true },
            entry => !_authority.Revoked.IsAuthority(entry.SerialNumber)),
        "authorities.crl" => full => Part(
            full,
            new IssuingDistributionPoint { Uri = AuthoritiesUri, OnlyAuthorities = true },
            entry => _authority.Revoked.IsAuthority(entry.SerialNumber)),
        _ => PartitionOf(name),
    };

    private Func<CrlSpec, CrlSpec>? PartitionOf(string name)
    {
        var digits = string.Concat(name.Where(char.IsAsciiDigit));
        return !int.TryParse(digits, NumberStyles.None, CultureInfo.InvariantCulture, out var number) || number >= Partitions
            || BaseUri + name != PartitionUri(number)
            ? null
            : full => Part(
                full,
                new IssuingDistributionPoint { Uri = PartitionUri(number) },
                entry => (int)(BigInteger.Abs(entry.SerialNumber) % Partitions) == number);
    }

    private string PartitionUri(int partition) => $"{BaseUri}partition-{partition}.crl";

    // A list knows nothing of what came after it (RFC 5280 §5.1.2.4).
    private static CrlSpec Stale(CrlSpec spec)
    {
        var made = spec.ThisUpdate.ShiftDays(-30);
        return spec with
        {
            ThisUpdate = made,
            NextUpdate = spec.ThisUpdate.ShiftDays(-7),
            Revoked = [.. spec.Revoked.Where(entry => entry.At <= made)],
        };
    }

    private CrlSpec Misbehave(CrlSpec spec) => Mode switch
    {
        ResponderMode.Stale => Stale(spec),
        ResponderMode.WrongSigner => spec with { SigningKey = _stranger },
        _ => spec,
    };
}
