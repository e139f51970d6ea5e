using System.Collections.Immutable;
using System.Net.Security;
using System.Runtime.CompilerServices;
using System.Security.Cryptography.X509Certificates;
using Microsoft.Extensions.Logging;
using MutualAuth.Paths;
using MutualAuth.Telemetry;

namespace MutualAuth.Handshake;

/// <summary>
/// The names of authorities that a server sends with its request for a certificate (RFC 8446 §4.2.4), and what a client makes of them.
/// </summary>
internal static class AcceptableIssuers
{
    /// <summary>The list has 16 bits for its length.</summary>
    internal const int MaxBytes = 0xffff;

    /// <summary>mbedTLS and wolfSSL take a handshake message of 16,384 octets, and Java one of 32,768.</summary>
    internal const int DefaultBytes = 16_384;

    private static readonly ConditionalWeakTable<Identity, Prepared> s_prepared = [];

    // Who has been told that the names of these anchors are too long.
    private static readonly ConditionalWeakTable<TrustAnchors, ConditionalWeakTable<ILoggerFactory, object>> s_told = [];

    /// <summary>The prepared credential of an identity, with the names of the anchors of the moment where they are to be sent.</summary>
    internal static SslStreamCertificateContext ContextOf(HandshakeOptions options, Identity identity)
    {
        if (options.AcceptableIssuerBytes is not (> 0 and var bound) || options.Trust is not ITrustAnchorSource { Current: var anchors })
        {
            return identity.TlsContext;
        }

        // Two handshakes may both prepare it; either's is as good.
        if (!s_prepared.TryGetValue(identity, out var prepared) || !ReferenceEquals(prepared.Anchors, anchors) || prepared.Bound != bound)
        {
            prepared = new Prepared(anchors, bound, Prepare(identity, anchors, bound, options.LoggerFactory));
            s_prepared.AddOrUpdate(identity, prepared);
        }

        return prepared.Context;
    }

    /// <summary>Whether an identity leads to one of these authorities; without any, every identity does.</summary>
    internal static bool Fit(Identity identity, string[] issuers) =>
        issuers.Length == 0
        || issuers.Contains(identity.PlatformCertificate.Issuer, StringComparer.Ordinal)
        || identity.TlsContext.IntermediateCertificates.Any(intermediate => issuers.Contains(intermediate.Issuer, StringComparer.Ordinal));

    /// <summary>The octets of the names in the request, each with its length.</summary>
    internal static int BytesOf(TrustAnchors anchors) => anchors.Certificates.Sum(anchor => anchor.Subject.RawData.Length + 2);

    private static SslStreamCertificateContext Prepare(Identity identity, TrustAnchors anchors, int bound, ILoggerFactory loggers)
    {
        if (anchors.Certificates.IsEmpty)
        {
            return identity.TlsContext;
        }

        // A truncated list would reject honest clients; without a list, each client decides for itself.
        if (BytesOf(anchors) is var bytes && bytes > bound)
        {
            if (s_told.GetOrCreateValue(anchors).TryAdd(loggers, anchors))
            {
                HandshakeLog.AcceptableIssuersOmitted(MutualAuthTelemetry.CreateLogger(loggers), anchors.Certificates.Length, bytes, bound);
            }

            return identity.TlsContext;
        }

        X509Certificate2Collection names = [.. anchors.Certificates.Select(anchor => anchor.ToX509Certificate2())];
        var context = SslStreamCertificateContext.Create(
            identity.PlatformCertificate,
            [.. identity.TlsContext.IntermediateCertificates],
            offline: true,
            SslCertificateTrust.CreateForX509Collection(names, sendTrustInHandshake: true));

        // The chain comes before the names: where the platform would leave part of it out, none are sent.
        return context.IntermediateCertificates.Count == identity.Intermediates.Length ? context : identity.TlsContext;
    }

    private sealed record Prepared(TrustAnchors Anchors, int Bound, SslStreamCertificateContext Context);
}
