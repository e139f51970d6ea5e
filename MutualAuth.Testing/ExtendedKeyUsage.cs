namespace MutualAuth.Testing;

/// <summary>The object identifiers of the common extended key usages (RFC 5280 §4.2.1.12).</summary>
public static class ExtendedKeyUsage
{
    /// <summary>TLS server authentication.</summary>
    public const string ServerAuth = "1.3.6.1.5.5.7.3.1";

    /// <summary>TLS client authentication.</summary>
    public const string ClientAuth = "1.3.6.1.5.5.7.3.2";

    /// <summary>Code signing.</summary>
    public const string CodeSigning = "1.3.6.1.5.5.7.3.3";

    /// <summary>E-mail protection.</summary>
    public const string EmailProtection = "1.3.6.1.5.5.7.3.4";

    /// <summary>Signing OCSP responses (RFC 6960 §4.2.2.2).</summary>
    public const string OcspSigning = "1.3.6.1.5.5.7.3.9";

    /// <summary>Any usage at all.</summary>
    public const string Any = "2.5.29.37.0";
}
