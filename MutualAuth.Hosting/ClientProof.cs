namespace MutualAuth.Hosting;

/// <summary>What clients of a listener must prove.</summary>
public enum ClientProof
{
    /// <summary>A certificate; no user logs in. See <see cref="Credentials.Require.Certificate"/>.</summary>
    Certificate = 1,

    /// <summary>A user; no certificate is requested. See <see cref="Credentials.Require.User"/>.</summary>
    User,

    /// <summary>A certificate and a user. See <see cref="Credentials.Require.CertificateAndUser"/>.</summary>
    CertificateAndUser,

    /// <summary>A certificate, or a user, or both. See <see cref="Credentials.Require.CertificateOrUser"/>.</summary>
    CertificateOrUser,
}
