namespace MutualAuth.Testing.Transports;

/// <summary>The content types of TLS records (RFC 8446 §5.1).</summary>
public enum TlsContentType
{
    /// <summary>The dummy that TLS 1.3 sends for middleboxes.</summary>
    ChangeCipherSpec = 20,

    /// <summary>An alert.</summary>
    Alert = 21,

    /// <summary>A handshake message, or a part of one.</summary>
    Handshake = 22,

    /// <summary>Application data; under TLS 1.3 everything that is encrypted.</summary>
    ApplicationData = 23,
}
