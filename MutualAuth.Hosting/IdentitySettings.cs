namespace MutualAuth.Hosting;

/// <summary>
/// The files of our own certificate and key: a PEM chain, with its key beside it or in it, or a PKCS#12 file. They are followed while the process
/// runs.
/// </summary>
/// <remarks>Relative paths begin at the content root of the host. Set it before the host starts; it is not safe for use from many threads.</remarks>
public sealed class IdentitySettings
{
    /// <summary>The PEM chain, our own certificate first. Default: null; either this or <see cref="Pkcs12"/> is set.</summary>
    public string? Certificate { get; set; }

    /// <summary>The PEM key of <see cref="Certificate"/>. Default: null, it stands in the same file.</summary>
    public string? Key { get; set; }

    /// <summary>A PKCS#12 file (RFC 7292) with certificate and key. Default: null.</summary>
    public string? Pkcs12 { get; set; }

    /// <summary>A file whose first line is the password of the key or of the PKCS#12 file. Default: null, none.</summary>
    public string? PasswordFile { get; set; }

    internal bool IsSet => Certificate is not null || Key is not null || Pkcs12 is not null || PasswordFile is not null;

    internal IEnumerable<string> Paths() => new[] { Certificate, Key, Pkcs12, PasswordFile }.OfType<string>();
}
