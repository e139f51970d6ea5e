using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using MutualAuth.Errors;

namespace MutualAuth.Identities;

/// <summary>
/// Asks the platform, once for each identity, whether its security level takes what the identity would send: OpenSSL says so in the first handshake
/// only.
/// </summary>
/// <remarks>
/// A handshake without a peer: a recorded ClientHello is answered up to our own certificate, the answer is discarded, and the transport ends. What
/// fails for any other reason says nothing here, and is left for the handshakes to tell.
/// </remarks>
internal static class IdentityProbe
{
    // OpenSSL 3 (sslerr.h): stable numbers of its public header.
    private const int SslLibrary = 20;
    private const int CaKeyTooSmall = 397;
    private const int OwnKeyTooSmall = 399;

    private static readonly Lazy<byte[]> s_hello = new(RecordHello);

    /// <exception cref="MaterialException">The platform will not send it.</exception>
    internal static void Examine(X509Certificate2 leaf, SslStreamCertificateContext context)
    {
        if (!OperatingSystem.IsLinux() || s_hello.Value.Length == 0)
        {
            return; // the other platforms' TLS has no such level
        }

        using var stream = new SslStream(new Void(s_hello.Value));
        var fault = Run(
            () => stream.AuthenticateAsServer(new SslServerAuthenticationOptions { ServerCertificateContext = context, AllowTlsResume = false }));
        if (fault is not null && (uint)fault.HResult >> 23 == SslLibrary && (fault.HResult & 0x7fffff) is >= CaKeyTooSmall and <= OwnKeyTooSmall)
        {
            throw new MaterialException(
                $"The certificate {SafeText.Quote(leaf.Subject)} cannot be used: the platform's security level refuses it, or an intermediate that "
                    + $"is sent with it. {SafeText.Quote(fault.Message)}. "
                + "Have it issued again with an RSA key of 2048 bits or more, or with P-256, and with a SHA-256 signature.", fault)
            { Problem = MaterialProblem.TooWeak };
        }
    }

    private static byte[] RecordHello()
    {
        var transport = new Void([]);
        using var stream = new SslStream(transport);
        Run(() => stream.AuthenticateAsClient(new SslClientAuthenticationOptions { TargetHost = "probe.invalid", AllowTlsResume = false }));
        return transport.Written;
    }

    /// <summary>The innermost of what is thrown; there is always one, as the handshake has no peer.</summary>
    private static Exception? Run(Action authenticate)
    {
        try
        {
            authenticate();
            return null;
        }
        catch (Exception exception)
            when (exception is AuthenticationException or IOException or CryptographicException or InvalidOperationException or NotSupportedException)
        {
            return exception.GetBaseException();
        }
    }

    /// <summary>Gives what was recorded and then its end, and keeps what is written.</summary>
    private sealed class Void(byte[] recorded) : MemoryStream(recorded, writable: false)
    {
        private readonly MemoryStream _written = new();

        internal byte[] Written => _written.ToArray();

        public override bool CanWrite => true;

        public override void Write(byte[] buffer, int offset, int count) => _written.Write(buffer, offset, count);

        public override void Write(ReadOnlySpan<byte> buffer) => _written.Write(buffer);
    }
}
