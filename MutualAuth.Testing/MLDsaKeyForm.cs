namespace MutualAuth.Testing;

/// <summary>How a private ML-DSA key is written (RFC 9881 §6).</summary>
public enum MLDsaKeyForm
{
    /// <summary>The seed alone, 32 octets: the form that the standard recommends.</summary>
    Seed = 1,

    /// <summary>The expanded key alone.</summary>
    Expanded = 2,

    /// <summary>Both, the seed first: what OpenSSL writes.</summary>
    Both = 3,
}
