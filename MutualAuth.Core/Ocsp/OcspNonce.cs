namespace MutualAuth.Ocsp;

/// <summary>What an answer must say of the nonce, which every request carries (RFC 9654, which replaced RFC 8954).</summary>
public enum OcspNonce
{
    /// <summary>If it has one, it is ours. An answer without one may have been made in advance, and counts while its dates say so.</summary>
    IfEchoed = 1,

    /// <summary>It has ours, so that no old answer can be played again. Responders that sign in advance cannot do this.</summary>
    Required = 2,
}
