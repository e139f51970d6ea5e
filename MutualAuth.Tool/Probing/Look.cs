using System.Collections.Immutable;
using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using MutualAuth.Samples;

namespace MutualAuth.Tool;

/// <summary>A handshake that shows the server nothing of ours: its certificates, and what it asks of us. Nothing is judged, nothing is
/// sent.</summary>
/// <param name="Certificates">What it shows, its own first.</param>
/// <param name="AsksForCertificate">Whether it asks for a certificate.</param>
/// <param name="Authorities">The authorities that it names in that.</param>
internal sealed record Look(ImmutableArray<ReadOnlyMemory<byte>> Certificates, bool AsksForCertificate, ImmutableArray<string> Authorities)
{
    /// <exception cref="ProbeException">It did not come to certificates.</exception>
    internal static async Task<Look> AtAsync(ProbeTarget target, CancellationToken stop)
    {
        var certificates = ImmutableArray<ReadOnlyMemory<byte>>.Empty;
        var isAsked = false;
        string[] authorities = [];
        await using var transport = await target.ConnectAsync(stop);
        await using var tls = new SslStream(transport);
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(stop);
        deadline.CancelAfter(target.Timeout);
        string? failure = null;
        var isLate = false;
        try
        {
            await tls.AuthenticateAsClientAsync(
                new SslClientAuthenticationOptions
                {
                    TargetHost = target.Name.ToString(),
                    ApplicationProtocols = target.ProtocolsInHello.Length == 0 ? null
                        : [.. target.ProtocolsInHello.Select(name => new SslApplicationProtocol(name))],
                    CertificateRevocationCheckMode = X509RevocationMode.NoCheck,
                    AllowTlsResume = false,
                    CertificateChainPolicy = new X509ChainPolicy
                    {
                        TrustMode = X509ChainTrustMode.CustomRootTrust,
                        DisableCertificateDownloads = true,
                        RevocationMode = X509RevocationMode.NoCheck
                    },
                    RemoteCertificateValidationCallback = (_, leaf, chain, _) =>
                    {
                        certificates = leaf is null ? [] : [leaf.GetRawCertData(), .. Others(leaf, chain)];
                        return leaf is not null; // it is judged later
                    },
                    LocalCertificateSelectionCallback = (_, _, _, remote, issuers) =>
                    {
                        // It is called once before the hello, and again only when a server asks.
                        isAsked |= remote is not null;
                        authorities = issuers is { Length: > 0 } ? issuers : authorities;
                        return null!;
                    },
                },
                deadline.Token);
        }
        catch (Exception exception) when (exception is AuthenticationException or IOException or InvalidOperationException)
        {
            failure = (exception.InnerException ?? exception).Message; // a server that wants a certificate may end here, and we have seen enough
        }
        catch (OperationCanceledException) when (!stop.IsCancellationRequested)
        {
            isLate = true;
        }

        if (certificates.IsEmpty && isAsked)
        {
            // Before TLS 1.3 a server that wants a certificate ends before ours has judged its own, and shows its own to everybody.
            certificates = await InTheClearAsync(target, stop);
        }

        if (!certificates.IsEmpty)
        {
            return new Look(certificates, isAsked, [.. authorities]);
        }

        throw isLate
            ? new ProbeException(HandshakeExit.TimedOut, RejectionReason.HandshakeTimedOut,
                $"The handshake was not over within {target.Timeout.TotalSeconds:0.#} s.")
            : new ProbeException(
                HandshakeExit.NoAgreement,
                RejectionReason.NoCommonCipherSuite,
                $"TLS ended before the server showed a certificate: {failure ?? "it closed"}",
                "compare what it takes, above, with TLS 1.2 and 1.3; where it is strict about application protocols, give one of its own with "
                    + "--alpn");
    }

    private static async Task<ImmutableArray<ReadOnlyMemory<byte>>> InTheClearAsync(ProbeTarget target, CancellationToken stop)
    {
        await using var stream = await target.ConnectAsync(stop);
        var answer = await ServerAnswer.ToAsync(stream, Survey.FirstHello(target, ProbeHello.Tls12).ToRecord(), target.Timeout, stop);
        return (answer as ServerAnswer.Chose)?.Certificates ?? [];
    }

    private static IEnumerable<ReadOnlyMemory<byte>> Others(X509Certificate leaf, X509Chain? chain) =>
        chain is null ? [] : chain.ChainPolicy.ExtraStore.Where(other => !other.RawDataMemory.Span.SequenceEqual(leaf.GetRawCertData()))
            .Select(other => (ReadOnlyMemory<byte>)other.RawData);
}
