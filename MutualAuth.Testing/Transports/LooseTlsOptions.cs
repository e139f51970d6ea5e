using System.Security.Authentication;

namespace MutualAuth.Testing.Transports;

/// <summary>How a <see cref="LooseTlsPeer"/> speaks TLS.</summary>
public sealed record LooseTlsOptions
{
    /// <summary>The server name that a client sends, in A-labels; null sends none. Default: <c>server.test</c>.</summary>
    public string? ServerName { get; init; } = "server.test";

    /// <summary>The application protocols that a client offers, or that a server knows, the preferred first. Default: none.</summary>
    public IReadOnlyList<string> ApplicationProtocols { get; init; } = [];

    /// <summary>The versions: TLS 1.2, TLS 1.3 or both. Default: both.</summary>
    public SslProtocols Protocols { get; init; } = SslProtocols.Tls12 | SslProtocols.Tls13;

    /// <summary>Whether a server asks for a client certificate. Default: true.</summary>
    public bool AskForClientCertificate { get; init; } = true;
}
