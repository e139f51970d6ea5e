using System.Text;
using MutualAuth.Testing.Building;

namespace MutualAuth.Testing.Rotation;

/// <summary>
/// A folder with a certificate, its key and the roots to trust, as a program under test reads it, and in which they are replaced by one call: right,
/// or torn in a chosen way.
/// </summary>
/// <remarks>
/// <para>Names are those of a Kubernetes TLS secret. The key is readable by its owner alone at any moment.</para>
/// <para>Safe for concurrent use. Disposing of it deletes the folder, when it has made it.</para>
/// </remarks>
/// <example>
/// <code>
/// using var folder = new CertificateFolder(authority.IssueServer("server.test"), [authority]);
/// // the program under test reads folder.CertificatePath, folder.KeyPath and folder.TrustPath
/// folder.Rotate(authority.IssueServer("server.test"));
/// </code>
/// </example>
public sealed class CertificateFolder : IDisposable
{
    private readonly CertificateFolderOptions _options;
    private readonly bool _isOurs;
    private readonly SecretVolume? _volume;
    private byte[]? _trust;
    private int _generation;
    private bool _disposed;

    /// <summary>Makes the folder with its first files.</summary>
    /// <param name="certificate">The certificate with its intermediates and its key.</param>
    /// <param name="trust">The authorities whose roots are written to <see cref="TrustPath"/>; null for no such file.</param>
    /// <param name="options">Where and how; null for plain files in a new folder.</param>
    /// <exception cref="ArgumentNullException"><paramref name="certificate"/> is null.</exception>
    /// <exception cref="ArgumentException">A name is not that of a file, or there is no such layout.</exception>
    /// <exception cref="PlatformNotSupportedException"><see cref="FolderLayout.KubernetesSecret"/> on Windows.</exception>
    /// <exception cref="IOException">The files cannot be written.</exception>
    public CertificateFolder(TestCertificate certificate, IEnumerable<TestAuthority>? trust = null, CertificateFolderOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(certificate);
        _options = options ?? new CertificateFolderOptions();
        var problems = string.Join(' ', _options.Problems());
        if (problems.Length > 0)
        {
            throw new ArgumentException(problems, nameof(options));
        }

        if (_options.Layout == FolderLayout.KubernetesSecret && OperatingSystem.IsWindows())
        {
            throw new PlatformNotSupportedException("A folder as Kubernetes mounts it needs links that are replaced in one step.");
        }

        _isOurs = _options.Directory is null;
        Directory = _isOurs ? System.IO.Directory.CreateTempSubdirectory("mutualauth-").FullName : Path.GetFullPath(_options.Directory!);
        System.IO.Directory.CreateDirectory(Directory);
        _volume = _options.Layout == FolderLayout.KubernetesSecret ? new SecretVolume(Directory, _options.TimeProvider) : null;
        Rotate(certificate, trust);
    }

    /// <summary>The folder.</summary>
    public string Directory { get; }

    /// <summary>The file with the certificate and its intermediates, in PEM.</summary>
    public string CertificatePath => Path.Combine(Directory, _options.CertificateName);

    /// <summary>The file with the private key, PKCS#8 in PEM.</summary>
    public string KeyPath => Path.Combine(Directory, _options.KeyName);

    /// <summary>The file with the roots to trust, in PEM; it is there once authorities were given.</summary>
    public string TrustPath => Path.Combine(Directory, _options.TrustName);

    internal Lock Sync { get; } = new();

    /// <summary>
    /// Replaces certificate and key, so that no reader ever sees half a file. In <see cref="FolderLayout.KubernetesSecret"/> both change in the
    /// same moment; in <see cref="FolderLayout.Files"/> the new certificate lies beside the old key for an instant.
    /// </summary>
    /// <param name="certificate">The next certificate, with its intermediates and its key.</param>
    /// <param name="trust">The authorities to trust from now on, several while one follows another; null leaves the file as it is.</param>
    /// <exception cref="ArgumentNullException"><paramref name="certificate"/> is null.</exception>
    /// <exception cref="InvalidOperationException">The key is its owner's (<see cref="TestAuthority.Sign"/>); no file is touched.</exception>
    /// <exception cref="ObjectDisposedException">The folder was disposed.</exception>
    /// <exception cref="IOException">The files cannot be written.</exception>
    public void Rotate(TestCertificate certificate, IEnumerable<TestAuthority>? trust = null)
    {
        ArgumentNullException.ThrowIfNull(certificate);
        var roots = trust is null ? null : Octets(string.Concat(trust.Select(authority => authority.Root.CertificatePem)));
        lock (Sync)
        {
            ObjectDisposedException.ThrowIf(_disposed, this);
            var files = Files(certificate, _volume is null ? roots : roots ?? _trust); // before anything changes
            _generation++;
            if (_volume is not null)
            {
                _volume.Replace(files);
            }
            else
            {
                foreach (var file in files)
                {
                    file.WriteTo(Directory);
                }
            }

            _trust = roots ?? _trust;
        }
    }

    /// <summary>
    /// Begins a rotation that is torn: nothing is written yet, and then one step for each call. The trust stays as it is.
    /// </summary>
    /// <param name="certificate">The next certificate, with its intermediates and its key.</param>
    /// <param name="keyFirst">Whether the key is the first file. Default: the certificate is.</param>
    /// <exception cref="ArgumentNullException"><paramref name="certificate"/> is null.</exception>
    /// <exception cref="ObjectDisposedException">The folder was disposed.</exception>
    public TornRotation RotateTorn(TestCertificate certificate, bool keyFirst = false)
    {
        ArgumentNullException.ThrowIfNull(certificate);
        var (chain, key) = ((CertificatePath, Octets(certificate.ChainPem)), (KeyPath, Octets(certificate.PrivateKeyPem)));
        lock (Sync)
        {
            ObjectDisposedException.ThrowIf(_disposed, this);
            _generation++;
            return keyFirst ? new TornRotation(this, _generation, key, chain) : new TornRotation(this, _generation, chain, key);
        }
    }

    /// <summary>Deletes the folder, when it was made for this object.</summary>
    public void Dispose()
    {
        lock (Sync)
        {
            if (!_disposed && _isOurs)
            {
                System.IO.Directory.Delete(Directory, recursive: true);
            }

            _disposed = true;
        }
    }

    internal void ThrowIfOvertaken(int generation)
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        if (generation != _generation)
        {
            throw new InvalidOperationException("Another rotation of the folder has begun since.");
        }
    }

    private List<FolderFile> Files(TestCertificate certificate, byte[]? trust)
    {
        List<FolderFile> files =
        [
            new FolderFile(_options.CertificateName, Octets(certificate.ChainPem), IsSecret: false),
            new FolderFile(_options.KeyName, Octets(certificate.PrivateKeyPem), IsSecret: true),
        ];
        return trust is null ? files : [new FolderFile(_options.TrustName, trust, IsSecret: false), .. files];
    }

    private static byte[] Octets(string pem) => Encoding.ASCII.GetBytes(pem);
}
