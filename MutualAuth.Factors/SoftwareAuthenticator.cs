using System.Buffers.Binary;
using System.Formats.Cbor;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;

namespace MutualAuth.Factors;

/// <summary>
/// An authenticator whose keys are in memory or in a file: for tests, and for programs that log in without a person. It signs whatever this program
/// asks for, and says so of any person: its possession is that of the file.
/// </summary>
/// <remarks>Safe for use from many threads. Two processes must not use one file at once: their counters would not rise.</remarks>
public sealed class SoftwareAuthenticator : IPasskeyAuthenticator, IDisposable
{
    private const byte UserPresent = 1;
    private const byte UserVerified = 4;
    private const byte HasCredential = 64;
    private const int IdLength = 32;
    private const int RsaBits = 2048;

    private readonly Lock _lock = new();
    private readonly List<Credential> _credentials = [];
    private readonly string? _path;

    /// <summary>An authenticator in memory, without a passkey.</summary>
    public SoftwareAuthenticator()
    {
    }

    private SoftwareAuthenticator(string path) => _path = path;

    /// <summary>Whether it says that it verified the person. Default: true.</summary>
    public bool VerifiesUser { get; init; } = true;

    /// <summary>Changes the client data before they are signed; tests make them wrong in one way.</summary>
    internal Func<byte[], byte[]> ChangesClientData { get; set; } = static data => data;

    /// <summary>Changes the authenticator data before they are signed; tests make them wrong in one way.</summary>
    internal Func<byte[], byte[]> ChangesData { get; set; } = static data => data;

    /// <summary>How many passkeys it has.</summary>
    public int Count
    {
        get
        {
            lock (_lock)
            {
                return _credentials.Count;
            }
        }
    }

    /// <summary>
    /// Opens a file of passkeys, or begins one that does not exist yet. The keys in it are not encrypted: only its owner may read what is written.
    /// </summary>
    /// <exception cref="ArgumentException"><paramref name="path"/> is null or empty.</exception>
    /// <exception cref="MaterialException">It cannot be read, or is no such file.</exception>
    public static SoftwareAuthenticator Open(string path)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        var authenticator = new SoftwareAuthenticator(Path.GetFullPath(path));
        try
        {
            if (File.Exists(path))
            {
                authenticator.Read(File.ReadAllBytes(path));
            }
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException or JsonException or FormatException
            or KeyNotFoundException or InvalidOperationException or CryptographicException)
        {
            throw new MaterialException($"The file {path} is no file of passkeys that can be read ({exception.GetType().Name}).", exception);
        }

        return authenticator;
    }

    /// <inheritdoc/>
    public ValueTask<PasskeyCreation?> CreateAsync(PasskeyCreationRequest request, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(request);
        var algorithm = request.Algorithms.FirstOrDefault(each => each is PasskeyOptions.Es256 or PasskeyOptions.Rs256);
        lock (_lock)
        {
            if (algorithm == 0 || request.ExcludedCredentials.Any(id => _credentials.Exists(each => each.Id.AsSpan().SequenceEqual(id.Span))))
            {
                return ValueTask.FromResult<PasskeyCreation?>(null);
            }

            var credential = Credential.Create(request, algorithm);
            _credentials.Add(credential);
            Save();
            return ValueTask.FromResult<PasskeyCreation?>(new PasskeyCreation
            {
                CredentialId = credential.Id,
                ClientDataJson = PasskeyClientData.Of(request),
                AttestationObject = AttestationOf(DataOf(credential, isNew: true)),
            });
        }
    }

    /// <inheritdoc/>
    public ValueTask<PasskeyAssertion?> AssertAsync(PasskeyAssertionRequest request, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(request);
        lock (_lock)
        {
            var credential = _credentials.Find(each => each.RelyingParty == request.RelyingParty
                && request.AllowedCredentials.Any(id => id.Span.SequenceEqual(each.Id)));
            if (credential is null || (request.RequiresUserVerification && !VerifiesUser))
            {
                return ValueTask.FromResult<PasskeyAssertion?>(null);
            }

            credential.Counter++;
            Save(); // before the signature leaves: a counter never falls back
            var (data, client) = (ChangesData(DataOf(credential, isNew: false)), ChangesClientData(PasskeyClientData.Of(request)));
            return ValueTask.FromResult<PasskeyAssertion?>(new PasskeyAssertion
            {
                CredentialId = credential.Id,
                AuthenticatorData = data,
                ClientDataJson = client,
                Signature = credential.Sign([.. data, .. SHA256.HashData(client)]),
                UserHandle = credential.UserHandle,
            });
        }
    }

    /// <summary>Forgets the keys in memory; a file keeps them.</summary>
    public void Dispose()
    {
        lock (_lock)
        {
            _credentials.ForEach(credential => credential.Key.Dispose());
            _credentials.Clear();
        }
    }

    private byte[] DataOf(Credential credential, bool isNew)
    {
        using var data = new MemoryStream();
        data.Write(SHA256.HashData(Encoding.ASCII.GetBytes(credential.RelyingParty)));
        data.WriteByte((byte)(UserPresent | (VerifiesUser ? UserVerified : 0) | (isNew ? HasCredential : 0)));
        Span<byte> counter = stackalloc byte[sizeof(uint)];
        BinaryPrimitives.WriteUInt32BigEndian(counter, credential.Counter);
        data.Write(counter);
        if (isNew)
        {
            data.Write(new byte[16]); // no model: no attestation
            data.Write([(byte)(credential.Id.Length >> 8), (byte)credential.Id.Length]);
            data.Write(credential.Id);
            data.Write(credential.ToCose());
        }

        return data.ToArray();
    }

    private static byte[] AttestationOf(byte[] authenticatorData)
    {
        var cbor = new CborWriter(CborConformanceMode.Ctap2Canonical);
        cbor.WriteStartMap(3);
        cbor.WriteTextString("fmt");
        cbor.WriteTextString("none");
        cbor.WriteTextString("attStmt");
        cbor.WriteStartMap(0);
        cbor.WriteEndMap();
        cbor.WriteTextString("authData");
        cbor.WriteByteString(authenticatorData);
        cbor.WriteEndMap();
        return cbor.Encode();
    }

    private void Read(byte[] text)
    {
        using var json = JsonDocument.Parse(text);
        foreach (var entry in json.RootElement.GetProperty("passkeys").EnumerateArray())
        {
            _credentials.Add(Credential.Read(entry));
        }
    }

    private void Save()
    {
        if (_path is null)
        {
            return;
        }

        using var text = new MemoryStream();
        using (var json = new Utf8JsonWriter(text, new JsonWriterOptions { Indented = true }))
        {
            json.WriteStartObject();
            json.WriteStartArray("passkeys");
            _credentials.ForEach(credential => credential.Write(json));
            json.WriteEndArray();
            json.WriteEndObject();
        }

        var fresh = _path + ".new";
        var options = new FileStreamOptions { Mode = FileMode.Create, Access = FileAccess.Write };
        if (!OperatingSystem.IsWindows())
        {
            options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        }

        using (var file = new FileStream(fresh, options))
        {
            file.Write(text.ToArray());
            file.Flush(flushToDisk: true);
        }

        File.Move(fresh, _path, overwrite: true);
    }

    private sealed class Credential(string relyingParty, byte[] id, byte[] userHandle, AsymmetricAlgorithm key)
    {
        internal string RelyingParty => relyingParty;

        internal byte[] Id => id;

        internal byte[] UserHandle => userHandle;

        internal AsymmetricAlgorithm Key => key;

        internal uint Counter { get; set; }

        internal static Credential Create(PasskeyCreationRequest request, int algorithm) => new(
            request.RelyingParty,
            RandomNumberGenerator.GetBytes(IdLength),
            request.UserHandle.ToArray(),
            algorithm == PasskeyOptions.Rs256 ? RSA.Create(RsaBits) : ECDsa.Create(ECCurve.NamedCurves.nistP256));

        internal static Credential Read(JsonElement entry)
        {
            var isRsa = entry.GetProperty("algorithm").GetInt32() == PasskeyOptions.Rs256;
            AsymmetricAlgorithm key = isRsa ? RSA.Create() : ECDsa.Create();
            key.ImportPkcs8PrivateKey(entry.GetProperty("key").GetBytesFromBase64(), out _);
            return new Credential(
                entry.GetProperty("relyingParty").GetString()!,
                entry.GetProperty("id").GetBytesFromBase64(),
                entry.GetProperty("userHandle").GetBytesFromBase64(),
                key)
            { Counter = entry.GetProperty("counter").GetUInt32() };
        }

        internal void Write(Utf8JsonWriter json)
        {
            json.WriteStartObject();
            json.WriteString("relyingParty", RelyingParty);
            json.WriteBase64String("id", Id);
            json.WriteBase64String("userHandle", UserHandle);
            json.WriteNumber("algorithm", Key is RSA ? PasskeyOptions.Rs256 : PasskeyOptions.Es256);
            json.WriteBase64String("key", Key.ExportPkcs8PrivateKey());
            json.WriteNumber("counter", Counter);
            json.WriteEndObject();
        }

        internal byte[] Sign(byte[] data) => Key is RSA rsa
            ? rsa.SignData(data, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1)
            : ((ECDsa)Key).SignData(data, HashAlgorithmName.SHA256, DSASignatureFormat.Rfc3279DerSequence);

        /// <summary>The public key (RFC 9053): 1 is the type, 3 the algorithm, -1 the curve or modulus, -2 and -3 the rest.</summary>
        internal byte[] ToCose()
        {
            var cbor = new CborWriter(CborConformanceMode.Ctap2Canonical);
            if (Key is RSA rsa)
            {
                var parameters = rsa.ExportParameters(includePrivateParameters: false);
                WriteHead(cbor, 4, type: 3, PasskeyOptions.Rs256);
                cbor.WriteInt32(-1);
                cbor.WriteByteString(parameters.Modulus!);
                cbor.WriteInt32(-2);
                cbor.WriteByteString(parameters.Exponent!);
            }
            else
            {
                var parameters = ((ECDsa)Key).ExportParameters(includePrivateParameters: false);
                WriteHead(cbor, 5, type: 2, PasskeyOptions.Es256);
                cbor.WriteInt32(-1);
                cbor.WriteInt32(1);
                cbor.WriteInt32(-2);
                cbor.WriteByteString(parameters.Q.X!);
                cbor.WriteInt32(-3);
                cbor.WriteByteString(parameters.Q.Y!);
            }

            cbor.WriteEndMap();
            return cbor.Encode();
        }

        private static void WriteHead(CborWriter cbor, int count, int type, int algorithm)
        {
            cbor.WriteStartMap(count);
            cbor.WriteInt32(1);
            cbor.WriteInt32(type);
            cbor.WriteInt32(3);
            cbor.WriteInt32(algorithm);
        }
    }
}
