using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace MutualAuth.Benchmarks.Compare;

/// <summary>
/// How a hand-written program sets up <see cref="SslStream"/>: from the cheapest that the platform can do to what one finds in most projects.
/// </summary>
internal enum PlainStyle
{
    /// <summary>
    /// No tickets, an empty platform policy, and a callback that says yes to everybody: what the platform itself costs. Nobody is authenticated.
    /// </summary>
    Floor,

    /// <summary>The same on the platform's shared context, for a process whose OpenSSL gives no sessions.</summary>
    FloorShared,

    /// <summary>The same, and then each side writes a few octets and waits for those of the other: what any confirmation costs.</summary>
    FloorConfirmed,

    /// <summary>One shared context, a chain policy with the root and the intermediate, no downloads, no tickets.</summary>
    Tuned,

    /// <summary>The same with session tickets, as the platform has them unless told otherwise.</summary>
    TunedWithTickets,

    /// <summary>The certificate given as it is, and a callback that builds a chain of its own.</summary>
    Typical,
}

/// <summary>The options of one style for both sides.</summary>
internal sealed class PlainTls
{
    private readonly PlainStyle _style;
    private readonly SslProtocols _protocols;
    private readonly X509Certificate2 _leaf;
    private readonly X509Certificate2 _root;
    private readonly X509Certificate2 _intermediate;
    private readonly SslStreamCertificateContext _context;

    internal PlainTls(PlainStyle style, Scenario scenario, string directory, string side)
    {
        _style = style;
        _protocols = scenario.Protocols;
        _leaf = Materials.Leaf(directory, side);
        _root = Materials.Root(directory);
        _intermediate = Materials.Intermediate(directory);
        _context = SslStreamCertificateContext.Create(_leaf, [_intermediate], offline: true);
    }

    internal SslServerAuthenticationOptions ForServer() => new()
    {
        ServerCertificateContext = _context,
        ClientCertificateRequired = true,
        EnabledSslProtocols = _protocols,
        AllowRenegotiation = false,
        AllowTlsResume = HasTickets,
        CertificateChainPolicy = Policy(),
        RemoteCertificateValidationCallback = Callback("1.3.6.1.5.5.7.3.2"),
    };

    internal SslClientAuthenticationOptions ForClient(bool resumes) => new()
    {
        TargetHost = Materials.ServerName,
        ClientCertificateContext = _context,
        EnabledSslProtocols = _protocols,
        AllowRenegotiation = false,
        AllowTlsResume = resumes,
        CertificateChainPolicy = Policy(),
        RemoteCertificateValidationCallback = Callback("1.3.6.1.5.5.7.3.1"),
    };

    /// <summary>
    /// After the handshake: what a hand-written exchange of verdicts costs, without any content. Five octets each way, as ours.
    /// </summary>
    internal async Task ConfirmAsync(SslStream stream)
    {
        if (_style == PlainStyle.FloorConfirmed)
        {
            var verdict = new byte[5];
            await stream.WriteAsync(verdict);
            await stream.ReadExactlyAsync(verdict);
        }
    }

    private bool HasTickets => _style is PlainStyle.FloorShared or PlainStyle.FloorConfirmed or PlainStyle.TunedWithTickets or PlainStyle.Typical;

    private X509ChainPolicy? Policy() => _style switch
    {
        PlainStyle.Typical => null,
        PlainStyle.Floor or PlainStyle.FloorShared or PlainStyle.FloorConfirmed => new X509ChainPolicy
        { TrustMode = X509ChainTrustMode.CustomRootTrust, RevocationMode = X509RevocationMode.NoCheck, DisableCertificateDownloads = true },
        _ => TunedPolicy(),
    };

    private X509ChainPolicy TunedPolicy()
    {
        var policy = new X509ChainPolicy
        { TrustMode = X509ChainTrustMode.CustomRootTrust, RevocationMode = X509RevocationMode.NoCheck, DisableCertificateDownloads = true };
        policy.CustomTrustStore.Add(_root);
        policy.ExtraStore.Add(_intermediate);
        return policy;
    }

    private RemoteCertificateValidationCallback? Callback(string purpose) => _style switch
    {
        PlainStyle.Floor or PlainStyle.FloorShared or PlainStyle.FloorConfirmed => static (_, _, chain, _) => DisposeOf(chain),
        PlainStyle.Typical => (_, certificate, chain, errors) => BuildsItsOwnChain(certificate, chain, errors, purpose),
        _ => null,
    };

    // Otherwise they wait for the finalizer: one of the things that whoever writes a callback must know.
    private static bool DisposeOf(X509Chain? chain)
    {
        if (chain is not null)
        {
            foreach (var element in chain.ChainElements)
            {
                element.Certificate.Dispose();
            }

            foreach (var other in chain.ChainPolicy.ExtraStore)
            {
                other.Dispose();
            }
        }

        return true;
    }

    private bool BuildsItsOwnChain(X509Certificate? certificate, X509Chain? presented, SslPolicyErrors errors, string purpose)
    {
        if (certificate is null || errors.HasFlag(SslPolicyErrors.RemoteCertificateNameMismatch))
        {
            return false;
        }

        using var chain = new X509Chain();
        chain.ChainPolicy.TrustMode = X509ChainTrustMode.CustomRootTrust;
        chain.ChainPolicy.CustomTrustStore.Add(_root);
        chain.ChainPolicy.RevocationMode = X509RevocationMode.NoCheck;
        chain.ChainPolicy.ApplicationPolicy.Add(new Oid(purpose));
        if (presented is not null)
        {
            chain.ChainPolicy.ExtraStore.AddRange(presented.ChainPolicy.ExtraStore);
        }

        return chain.Build((X509Certificate2)certificate);
    }
}
