using System.Globalization;
using System.Net;
using System.Numerics;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using MutualAuth.Samples;

namespace MutualAuth.Tool;

/// <summary>An authority in a folder, for development alone: its name and its folder say so.</summary>
/// <remarks>Keys are on disk without a password, readable by their owner. Files are replaced in one step. One process at a time.</remarks>
internal sealed class DevelopmentAuthority : IDisposable
{
    internal const string Warning = "development only";

    private const string ServerAuth = "1.3.6.1.5.5.7.3.1";
    private const string ClientAuth = "1.3.6.1.5.5.7.3.2";
    private const int SerialLength = 16;

    private static readonly TimeSpan s_backdated = TimeSpan.FromMinutes(5);

    private readonly string _directory;
    private readonly X509Certificate2 _certificate;
    private readonly FileStream _lock;

    private DevelopmentAuthority(string directory, X509Certificate2 certificate, FileStream held)
    {
        _directory = directory;
        _certificate = certificate;
        _lock = held;
    }

    internal sealed record Issued(string Name, string Certificate, string Key, string Serial, DateTimeOffset NotAfter);

    internal static string CertificatePath(string directory) => Path.Combine(directory, "authority.pem");

    internal static string ListPath(string directory) => Path.Combine(directory, "authority.crl");

    /// <exception cref="UsageException">There is an authority already.</exception>
    internal static void Create(string directory, string name, int days)
    {
        Directory.CreateDirectory(directory);
        using var held = Lock(directory);
        if (File.Exists(CertificatePath(directory)) || File.Exists(KeyPath(directory)))
        {
            throw new UsageException($"{directory} holds an authority already; 'ca issue' uses it.");
        }

        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var subject = new X500DistinguishedNameBuilder();
        subject.AddCommonName($"{name} ({Warning})");
        var request = new CertificateRequest(subject.Build(), key, HashAlgorithmName.SHA256);
        var keyId = new X509SubjectKeyIdentifierExtension(request.PublicKey, critical: false);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, true, 0, true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.KeyCertSign | X509KeyUsageFlags.CrlSign, true));
        request.CertificateExtensions.Add(keyId);
        request.CertificateExtensions.Add(X509AuthorityKeyIdentifierExtension.CreateFromSubjectKeyIdentifier(keyId));
        var now = Now();
        using var certificate = request.Create(
            request.SubjectName, X509SignatureGenerator.CreateForECDsa(key), now - s_backdated, now.AddDays(days), NewSerial());
        OwnerOnly.Replace(KeyPath(directory), Encoding.ASCII.GetBytes(key.ExportPkcs8PrivateKeyPem() + "\n"));
        Write(Path.Combine(directory, "README"), ReadmeOf(certificate.Subject));
        Write(CertificatePath(directory), certificate.ExportCertificatePem() + "\n");
    }

    /// <exception cref="UsageException">There is none, or it cannot be read.</exception>
    internal static DevelopmentAuthority Open(string directory)
    {
        if (!File.Exists(CertificatePath(directory)))
        {
            throw new UsageException($"{directory} holds no authority; 'mutualauth ca init {directory}' makes one.");
        }

        var held = Lock(directory);
        try
        {
            return new DevelopmentAuthority(directory, X509Certificate2.CreateFromPemFile(CertificatePath(directory), KeyPath(directory)), held);
        }
        catch (Exception exception) when (exception is CryptographicException or IOException or UnauthorizedAccessException)
        {
            held.Dispose();
            throw new UsageException($"The authority in {directory} cannot be used: {exception.Message}");
        }
    }

    /// <summary>Issues a certificate; its key is new.</summary>
    /// <param name="file">What the files are called.</param>
    /// <param name="isServer">Whether it may serve.</param>
    /// <param name="isClient">Whether it may be a client.</param>
    /// <param name="names">DNS names and addresses.</param>
    /// <param name="uris">SPIFFE IDs.</param>
    /// <param name="days">How long it is good.</param>
    internal Issued Issue(string file, bool isServer, bool isClient, IReadOnlyList<string> names, IReadOnlyList<string> uris, int days)
    {
        var certificatePath = Path.Combine(_directory, $"{file}.pem");
        var keyPath = Path.Combine(_directory, $"{file}.key");
        if (File.Exists(certificatePath) || File.Exists(keyPath))
        {
            throw new UsageException($"{certificatePath} exists; give another --out, or remove it and its key.");
        }

        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var subject = new X500DistinguishedNameBuilder();
        subject.AddOrganizationName(Warning);
        if (names is [{ Length: <= 64 } first, ..])
        {
            subject.AddCommonName(first);
        }

        var request = new CertificateRequest(subject.Build(), key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(false, false, 0, true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.DigitalSignature, true));
        request.CertificateExtensions.Add(new X509EnhancedKeyUsageExtension(
            [.. isServer ? [new Oid(ServerAuth)] : Array.Empty<Oid>(), .. isClient ? [new Oid(ClientAuth)] : Array.Empty<Oid>()], false));
        request.CertificateExtensions.Add(AlternativeNames(names, uris));
        request.CertificateExtensions.Add(new X509SubjectKeyIdentifierExtension(request.PublicKey, false));
        request.CertificateExtensions.Add(X509AuthorityKeyIdentifierExtension.CreateFromCertificate(_certificate, true, false));
        var now = Now();
        var end = now.AddDays(days);
        var until = end < _certificate.NotAfter ? end : _certificate.NotAfter;
        using var signer = _certificate.GetECDsaPrivateKey()!;
        using var certificate = request.Create(
            _certificate.SubjectName, X509SignatureGenerator.CreateForECDsa(signer), Later(now - s_backdated, _certificate.NotBefore), until,
                NewSerial());
        OwnerOnly.Replace(keyPath, Encoding.ASCII.GetBytes(key.ExportPkcs8PrivateKeyPem() + "\n"));
        Write(certificatePath, certificate.ExportCertificatePem() + "\n");
        return new Issued(file, certificatePath, keyPath, certificate.SerialNumber, until);
    }

    /// <summary>Revokes the certificate of a file, or one by its serial number, and issues a new list.</summary>
    /// <returns>The serial number; null when it is revoked already.</returns>
    internal string? Revoke(string text, X509RevocationReason reason, int days)
    {
        var revoked = ReadRevoked();
        var serial = SerialOf(text);
        if (revoked.Any(entry => entry.Serial == serial))
        {
            return null;
        }

        revoked.Add((serial, Now(), reason));
        Write(RevokedPath, string.Concat(
            revoked.Select(entry => string.Create(
                CultureInfo.InvariantCulture, $"{entry.Serial} {entry.At.ToUnixTimeSeconds()} {(int)entry.Reason}\n"))));
        IssueList(days);
        return serial;
    }

    /// <summary>Writes the list of what has been revoked.</summary>
    internal DateTimeOffset IssueList(int days)
    {
        var builder = new CertificateRevocationListBuilder();
        foreach (var (serial, at, reason) in ReadRevoked())
        {
            builder.AddEntry(Convert.FromHexString(serial), at, reason == X509RevocationReason.Unspecified ? null : reason);
        }

        var now = Now();
        var next = now.AddDays(days);
        using var signer = _certificate.GetECDsaPrivateKey()!;
        var list = builder.Build(
            _certificate.SubjectName,
            X509SignatureGenerator.CreateForECDsa(signer),
            NextListNumber(),
            next,
            HashAlgorithmName.SHA256,
            X509AuthorityKeyIdentifierExtension.CreateFromCertificate(_certificate, true, false),
            now - s_backdated);
        Write(ListPath(_directory), PemEncoding.WriteString("X509 CRL", list) + "\n");
        return next;
    }

    public void Dispose()
    {
        _certificate.Dispose();
        _lock.Dispose();
    }

    private string RevokedPath => Path.Combine(_directory, "revoked");

    private static string KeyPath(string directory) => Path.Combine(directory, "authority.key");

    private static X509Extension AlternativeNames(IReadOnlyList<string> names, IReadOnlyList<string> uris)
    {
        var builder = new SubjectAlternativeNameBuilder();
        foreach (var name in names)
        {
            if (IPAddress.TryParse(name, out var address))
            {
                builder.AddIpAddress(address);
            }
            else
            {
                builder.AddDnsName(name);
            }
        }

        foreach (var uri in uris)
        {
            builder.AddUri(new Uri(uri));
        }

        return builder.Build();
    }

    private string SerialOf(string text)
    {
        var path = File.Exists(text) ? text : Path.Combine(_directory, $"{text}.pem");
        if (File.Exists(path))
        {
            using var certificate = X509CertificateLoader.LoadCertificate(Material.Certificates(path)[0].Span);
            return certificate.IssuerName.RawData.AsSpan().SequenceEqual(_certificate.SubjectName.RawData)
                ? certificate.SerialNumber
                : throw new UsageException($"{path} is not of this authority, but of {certificate.Issuer}.");
        }

        var hex = text.Replace(":", string.Empty).ToUpperInvariant();
        return hex.Length is > 0 and <= 40 && hex.Length % 2 == 0 && hex.All(char.IsAsciiHexDigit)
            ? hex
            : throw new UsageException($"'{text}' is neither a certificate's file nor a serial number in hexadecimal.");
    }

    private List<(string Serial, DateTimeOffset At, X509RevocationReason Reason)> ReadRevoked()
    {
        if (!File.Exists(RevokedPath))
        {
            return [];
        }

        try
        {
            return
            [
                .. File.ReadLines(RevokedPath).Select(line => line.Split(' ')).Select(parts => (
                    parts[0],
                    DateTimeOffset.FromUnixTimeSeconds(long.Parse(parts[1], CultureInfo.InvariantCulture)),
                    (X509RevocationReason)int.Parse(parts[2], CultureInfo.InvariantCulture))),
            ];
        }
        catch (Exception exception) when (exception is FormatException or IndexOutOfRangeException or OverflowException or ArgumentException)
        {
            throw new UsageException($"{RevokedPath} is damaged: each line is a serial number, seconds and a reason.");
        }
    }

    /// <summary>Lists are numbered by the time, and never twice the same: a list that is older is seen to be.</summary>
    private BigInteger NextListNumber()
    {
        var number = new BigInteger(Now().ToUnixTimeMilliseconds());
        if (File.Exists(ListPath(_directory)))
        {
            CertificateRevocationListBuilder.LoadPem(File.ReadAllText(ListPath(_directory)), out var last);
            number = BigInteger.Max(number, last + 1);
        }

        return number;
    }

    private static byte[] NewSerial()
    {
        var serial = RandomNumberGenerator.GetBytes(SerialLength);
        serial[0] = (byte)((serial[0] & 0x7f) | 0x40); // positive, and of one length
        return serial;
    }

    private static DateTimeOffset Later(DateTimeOffset one, DateTimeOffset other) => one > other ? one : other;

    // Certificates have whole seconds.
    private static DateTimeOffset Now() => DateTimeOffset.FromUnixTimeSeconds(TimeProvider.System.GetUtcNow().ToUnixTimeSeconds());

    private static void Write(string path, string text) => OwnerOnly.Replace(path, Encoding.UTF8.GetBytes(text), othersMayRead: true);

    private static FileStream Lock(string directory)
    {
        try
        {
            return new FileStream(Path.Combine(directory, ".lock"), FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw new UsageException($"{directory} cannot be used, or another process works in it: {exception.Message}");
        }
    }

    private static string ReadmeOf(string subject) =>
        $"""
        {subject}

        An authority for development. Do not trust it in production: its key is here, in a file, without a password, and whoever reads
        authority.key can be every server and every client of those who trust authority.pem.

        authority.pem   trust this where you develop
        authority.key   the key; it never leaves this folder
        authority.crl   what is revoked, once 'mutualauth ca crl' or 'ca revoke' was called
        NAME.pem, NAME.key   what was issued
        revoked         serial number, time and reason of each revocation

        """;
}
