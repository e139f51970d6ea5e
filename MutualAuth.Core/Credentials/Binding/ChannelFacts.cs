using System.Collections.Immutable;
using MutualAuth.Certificates;

namespace MutualAuth.Credentials;

/// <summary>What ties credentials that are shown later to one connection.</summary>
/// <param name="serverCertificate">The server's own certificate; null when it is not known.</param>
internal sealed class ChannelFacts(Certificate? serverCertificate)
{
    private ChannelBinding? _endPoint;

    /// <summary>The binding to the server's certificate, computed on demand; null when the certificate has none.</summary>
    internal ChannelBinding? EndPoint => _endPoint ??= serverCertificate is null ? null : ChannelBinding.OfServerCertificate(serverCertificate);

    /// <summary>The digest of the login on this connection; empty when there was no login.</summary>
    internal ImmutableArray<byte> LoginTranscript { get; private init; } = [];

    internal ChannelFacts With(ImmutableArray<byte> loginTranscript) =>
        loginTranscript.IsEmpty ? this : new ChannelFacts(serverCertificate) { _endPoint = _endPoint, LoginTranscript = loginTranscript };
}
