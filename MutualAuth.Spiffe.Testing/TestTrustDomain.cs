using System.Buffers.Text;
using System.Collections.Immutable;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using MutualAuth.Names;
using MutualAuth.Testing;

namespace MutualAuth.Spiffe.Testing;

/// <summary>
/// A SPIFFE trust domain for a test: an authority and a key for tokens, which can be made again, and what an agent gives to the domain's workloads.
/// </summary>
/// <remarks>Safe for concurrent use. Disposing of it disposes of its authorities and keys.</remarks>
public sealed class TestTrustDomain : IDisposable
{
    private readonly Lock _lock = new();
    private readonly List<TestAuthority> _authorities = [];
    private readonly List<(string Id, ECDsa Key)> _jwtKeys = [];
    private readonly TimeProvider _clock;
    private readonly string? _seed;

    /// <summary>Makes a trust domain with one authority, which is a root.</summary>
    /// <param name="name">Its name, such as <c>example.org</c>.</param>
    /// <param name="timeProvider">The clock that all dates are relative to; null for the system's.</param>
    /// <param name="seed">
    /// As for <see cref="TestAuthority"/>: makes keys and certificates reproducible, but not those for tokens. Null makes everything random.
    /// </param>
    /// <exception cref="ArgumentNullException"><paramref name="name"/> is null.</exception>
    /// <exception cref="FormatException"><paramref name="name"/> is no name of a trust domain.</exception>
    public TestTrustDomain(string name = "example.org", TimeProvider? timeProvider = null, string? seed = null)
    {
        Name = TrustDomain.Parse(name);
        _clock = timeProvider ?? TimeProvider.System;
        _seed = seed;
        RotateAuthority();
        RotateJwtKey();
    }

    /// <summary>Its name.</summary>
    public TrustDomain Name { get; }

    /// <summary>Its SPIFFE ID, <c>spiffe://NAME</c>: by this, others know its bundle.</summary>
    public string SpiffeId => $"spiffe://{Name}";

    /// <summary>The newest authority, which signs. It belongs to the trust domain.</summary>
    public TestAuthority Authority
    {
        get
        {
            lock (_lock)
            {
                return _authorities[^1];
            }
        }
    }

    /// <summary>
    /// Makes a new authority, which signs from now on. <see cref="Bundle"/> has only that one, unless it is asked for more.
    /// </summary>
    public void RotateAuthority()
    {
        lock (_lock)
        {
            var number = _authorities.Count + 1;
            _authorities.Add(new TestAuthority(
                $"{Name} {number}",
                spec => spec with { Uris = [SpiffeId] },
                _clock,
                _seed is null ? null : $"{_seed} {Name} {number}"));
        }
    }

    /// <summary>The newest authorities as a bundle: certificates in DER, one behind the other.</summary>
    /// <param name="newest">How many. Default: the one that signs.</param>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="newest"/> is negative.</exception>
    public ReadOnlyMemory<byte> Bundle(int newest = 1)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(newest);
        lock (_lock)
        {
            return Der(_authorities.TakeLast(newest).Select(authority => authority.AsCertificate.RawCertificate));
        }
    }

    /// <summary>Issues an X.509-SVID: a new certificate and a new key each time.</summary>
    /// <param name="path">The path of the SPIFFE ID, such as <c>/payments</c>.</param>
    /// <param name="spec">Changes what the certificate says; null leaves it alone.</param>
    /// <param name="by">Who signs instead of <see cref="Authority"/>: an intermediate, or an authority that has no right to.</param>
    /// <param name="hint">What the operator means the identity for.</param>
    /// <exception cref="ArgumentNullException"><paramref name="path"/> or <paramref name="hint"/> is null.</exception>
    public WorkloadSvid Issue(
        string path, Func<CertificateSpec, CertificateSpec>? spec = null, TestAuthority? by = null, string hint = "")
    {
        ArgumentNullException.ThrowIfNull(path);
        ArgumentNullException.ThrowIfNull(hint);
        using var certificate = (by ?? Authority).Issue(asked =>
        {
            asked = asked with { Uris = [SpiffeId + path] };
            return spec?.Invoke(asked) ?? asked;
        });
        return new WorkloadSvid
        {
            SpiffeId = SpiffeId + path,
            Certificates = Der(certificate.RawChain.Prepend(certificate.RawCertificate)),
            PrivateKey = certificate.Key.Pkcs8,
            Bundle = Bundle(),
            Hint = hint,
        };
    }

    /// <summary>
    /// Makes a new key for tokens (EC on P-256), which signs from now on. <see cref="JwtBundle"/> has only that one, unless it is asked for more.
    /// </summary>
    public void RotateJwtKey()
    {
        lock (_lock)
        {
            _jwtKeys.Add(($"{Name} {_jwtKeys.Count + 1}", ECDsa.Create(ECCurve.NamedCurves.nistP256)));
        }
    }

    /// <summary>The newest keys for tokens as a key set (RFC 7517), in UTF-8.</summary>
    /// <param name="newest">How many. Default: the one that signs.</param>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="newest"/> is negative.</exception>
    public ReadOnlyMemory<byte> JwtBundle(int newest = 1)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(newest);
        lock (_lock)
        {
            return Encoding.UTF8.GetBytes(
                new JsonObject { ["keys"] = new JsonArray([.. _jwtKeys.TakeLast(newest).Select(pair => Jwk(pair.Id, pair.Key))]) }.ToJsonString());
        }
    }

    /// <summary>Issues a JWT-SVID that is good for five minutes, signed with ES256 by the newest key.</summary>
    /// <param name="path">The path of the SPIFFE ID, such as <c>/payments</c>.</param>
    /// <param name="audiences">For whom it is.</param>
    /// <param name="change">
    /// Changes the header and the claims before they are signed, to make the token wrong in one fact; null leaves them alone.
    /// </param>
    /// <param name="by">The trust domain that signs in the place of this one, without a right to; null for this one.</param>
    /// <returns>The token, in three parts (RFC 7515 §7.1).</returns>
    /// <exception cref="ArgumentNullException"><paramref name="path"/> or <paramref name="audiences"/> is null.</exception>
    public string IssueJwt(
        string path, IEnumerable<string> audiences, Action<JsonObject, JsonObject>? change = null, TestTrustDomain? by = null)
    {
        ArgumentNullException.ThrowIfNull(path);
        ArgumentNullException.ThrowIfNull(audiences);
        var (id, key) = (by ?? this).NewestJwtKey();
        var now = _clock.GetUtcNow();
        JsonObject header = new() { ["alg"] = "ES256", ["kid"] = id, ["typ"] = "JWT" };
        JsonObject claims = new()
        {
            ["sub"] = SpiffeId + path,
            ["aud"] = new JsonArray([.. audiences.Select(audience => JsonValue.Create(audience))]),
            ["iat"] = now.ToUnixTimeSeconds(),
            ["exp"] = now.AddMinutes(5).ToUnixTimeSeconds(),
        };
        change?.Invoke(header, claims);
        var signed = $"{Base64UrlOf(Encoding.UTF8.GetBytes(header.ToJsonString()))}.{Base64UrlOf(Encoding.UTF8.GetBytes(claims.ToJsonString()))}";
        lock (key)
        {
            return $"{signed}.{Base64UrlOf(key.SignData(Encoding.ASCII.GetBytes(signed), HashAlgorithmName.SHA256))}";
        }
    }

    /// <summary>A whole update with one new identity, the bundles and key sets that go with it, and tokens for any audience.</summary>
    /// <param name="path">The path of the SPIFFE ID.</param>
    /// <param name="federated">The trust domains that this one federates with.</param>
    /// <exception cref="ArgumentNullException">An argument is null.</exception>
    public WorkloadUpdate Update(string path, params IEnumerable<TestTrustDomain> federated) =>
        new WorkloadUpdate
        {
            Svids = [Issue(path)],
            JwtBundles = ImmutableSortedDictionary.Create<string, ReadOnlyMemory<byte>>(StringComparer.Ordinal).Add(SpiffeId, JwtBundle()),
            JwtSvids = request => request.SpiffeId.Length == 0 || request.SpiffeId == SpiffeId + path
                ? [new WorkloadJwtSvid { SpiffeId = SpiffeId + path, Token = IssueJwt(path, request.Audiences) }]
                : [],
        }.FederatedWith(federated);

    /// <summary>Disposes of the authorities and keys.</summary>
    public void Dispose()
    {
        lock (_lock)
        {
            _authorities.ForEach(authority => authority.Dispose());
            _jwtKeys.ForEach(pair => pair.Key.Dispose());
        }
    }

    private static JsonObject Jwk(string id, ECDsa key)
    {
        var point = key.ExportParameters(includePrivateParameters: false).Q;
        return new JsonObject
        {
            ["kty"] = "EC",
            ["crv"] = "P-256",
            ["kid"] = id,
            ["use"] = "jwt-svid",
            ["x"] = Base64UrlOf(point.X!),
            ["y"] = Base64UrlOf(point.Y!),
        };
    }

    private static string Base64UrlOf(byte[] octets) => Base64Url.EncodeToString(octets);

    private (string Id, ECDsa Key) NewestJwtKey()
    {
        lock (_lock)
        {
            return _jwtKeys[^1];
        }
    }

    private static byte[] Der(IEnumerable<ReadOnlyMemory<byte>> parts) => [.. parts.SelectMany(part => part.ToArray())];
}
