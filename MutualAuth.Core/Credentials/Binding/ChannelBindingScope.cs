namespace MutualAuth.Credentials;

/// <summary>What a binding for a protocol above a connection identifies; see <see cref="MutualTlsConnection.DeriveBinding"/>.</summary>
public enum ChannelBindingScope
{
    /// <summary>
    /// This TLS session alone, by the client's Finished message, which covers the whole handshake with both certificates. TLS 1.3 only, and only
    /// where the platform hands the message out (OpenSSL).
    /// </summary>
    Connection = 1,

    /// <summary>
    /// The server's certificate: the same on each connection to it. It stops the holder of another certificate, and no relay that holds the
    /// server's own key.
    /// </summary>
    ServerCertificate = 2,
}
