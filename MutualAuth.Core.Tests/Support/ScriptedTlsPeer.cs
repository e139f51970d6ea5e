using System.Net.Security;
using System.Security.Authentication;
using MutualAuth.Confirmation;
using MutualAuth.Testing;

namespace MutualAuth.Tests.Support;

/// <summary>A peer with correct TLS and our ALPN id that accepts every peer, and then sends what a test tells it to.</summary>
internal sealed class ScriptedTlsPeer : IAsyncDisposable
{
    private readonly SslStream _tls;

    private ScriptedTlsPeer(Stream transport) => _tls = new SslStream(transport);

    internal Stream Stream => _tls;

    internal static async Task<ScriptedTlsPeer> AsClientAsync(
        Stream transport, TestCertificate certificate, TlsVersion version = TlsVersion.Tls13, string? protocol = ConfirmationProtocol.Bare)
    {
        var peer = new ScriptedTlsPeer(transport);
        await peer.OrLeaveAsync(peer._tls.AuthenticateAsClientAsync(new SslClientAuthenticationOptions
        {
            TargetHost = "server.test",
            ClientCertificateContext = certificate.ToSslContext(),
            ApplicationProtocols = Protocols(protocol),
            EnabledSslProtocols = version == TlsVersion.Tls13 ? SslProtocols.Tls13 : SslProtocols.Tls12,
            RemoteCertificateValidationCallback = (_, _, _, _) => true,
        }));
        return peer;
    }

    internal static async Task<ScriptedTlsPeer> AsServerAsync(
        Stream transport, TestCertificate certificate, TlsVersion version = TlsVersion.Tls13, string? protocol = ConfirmationProtocol.Bare)
    {
        var peer = new ScriptedTlsPeer(transport);
        await peer.OrLeaveAsync(peer._tls.AuthenticateAsServerAsync(new SslServerAuthenticationOptions
        {
            ServerCertificateContext = certificate.ToSslContext(),
            ClientCertificateRequired = true,
            ApplicationProtocols = Protocols(protocol),
            EnabledSslProtocols = version == TlsVersion.Tls13 ? SslProtocols.Tls13 : SslProtocols.Tls12,
            RemoteCertificateValidationCallback = (_, _, _, _) => true,
        }));
        return peer;
    }

    /// <summary>Reads one octet, if there is one, and leaves at an end, as peers do: whoever has refused this one waits for that.</summary>
    internal async Task HearOneOrLeaveAsync()
    {
        try
        {
            if (await _tls.ReadAsync(new byte[1]).AsTask().WaitAsync(ConnectedPair.Deadline) > 0)
            {
                return;
            }
        }
        catch (IOException)
        {
            // It is a refusal within TLS, or a reset.
        }

        await DisposeAsync();
    }

    /// <summary>Writes all of it in one TLS record.</summary>
    internal async Task SayAsync(byte[] bytes) => await _tls.WriteAsync(bytes).AsTask().WaitAsync(ConnectedPair.Deadline);

    internal async Task EndAsync() => await _tls.ShutdownAsync().WaitAsync(ConnectedPair.Deadline);

    internal async Task<byte[]> HearAsync(int count)
    {
        var bytes = new byte[count];
        await _tls.ReadExactlyAsync(bytes).AsTask().WaitAsync(ConnectedPair.Deadline);
        return bytes;
    }

    public ValueTask DisposeAsync() => _tls.DisposeAsync();

    /// <summary>A handshake that fails closes the transport, as peers do: whoever has refused this one waits for that.</summary>
    private async Task OrLeaveAsync(Task handshake)
    {
        try
        {
            await handshake.WaitAsync(ConnectedPair.Deadline);
        }
        catch (Exception)
        {
            await DisposeAsync();
            throw;
        }
    }

    private static List<SslApplicationProtocol>? Protocols(string? protocol) => protocol is null ? null : [ConfirmationProtocol.ToWire(protocol)];
}
