namespace MutualAuth.Platforms;

/// <summary>In what a platform is more, or less, than was required.</summary>
public enum PlatformExcessKind
{
    /// <summary>A TLS version.</summary>
    Version = 1,

    /// <summary>A cipher suite.</summary>
    CipherSuite = 2,

    /// <summary>A group for key exchange.</summary>
    KeyExchangeGroup = 3,

    /// <summary>A signature.</summary>
    SignatureScheme = 4,

    /// <summary>Sessions that can be resumed.</summary>
    Sessions = 5,

    /// <summary>OpenSSL's algorithms are not, or not alone, those of a FIPS provider.</summary>
    Fips = 6,

    /// <summary>The keys of connections are written to a file.</summary>
    KeyLogging = 7,

    /// <summary>Nothing that is permitted is left: no handshake could succeed.</summary>
    NothingPermitted = 8,

    /// <summary>It could not be found out.</summary>
    Unknown = 9,
}
