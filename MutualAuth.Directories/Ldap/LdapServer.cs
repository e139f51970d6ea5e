namespace MutualAuth.Directories;

/// <summary>One server of a directory.</summary>
public sealed record LdapServer
{
    /// <summary>Names a server.</summary>
    /// <param name="host">Its DNS name or IP address, which its certificate must have as a subject alternative name (RFC 9525).</param>
    /// <param name="port">Its port, 1 to 65,535; default 636.</param>
    /// <param name="tls">How TLS begins there; default <see cref="LdapTls.AtOnce"/>.</param>
    public LdapServer(string host, int port = 636, LdapTls tls = LdapTls.AtOnce)
    {
        Host = host;
        Port = port;
        Tls = tls;
    }

    /// <summary>Its DNS name or IP address, which its certificate must have as a subject alternative name.</summary>
    public string Host { get; init; }

    /// <summary>Its port.</summary>
    public int Port { get; init; }

    /// <summary>How TLS begins there.</summary>
    public LdapTls Tls { get; init; }

    /// <summary>Host and port.</summary>
    public override string ToString() => Host.Contains(':', StringComparison.Ordinal) ? $"[{Host}]:{Port}" : $"{Host}:{Port}";
}
