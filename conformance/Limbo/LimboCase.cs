using System.IO.Compression;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace MutualAuth.Conformance.Limbo;

/// <summary>A file of the x509-limbo suite, in its own schema.</summary>
public sealed record LimboFile(int Version, IReadOnlyList<LimboCase> Testcases)
{
    /// <summary>Reads a file; one whose name ends in .gz is decompressed.</summary>
    public static LimboFile Read(string path)
    {
        using var file = File.OpenRead(path);
        using Stream json = path.EndsWith(".gz", StringComparison.Ordinal) ? new GZipStream(file, CompressionMode.Decompress) : file;
        return JsonSerializer.Deserialize(json, LimboJson.Default.LimboFile) ?? throw new InvalidDataException($"{path} is empty.");
    }
}

/// <summary>One case: what a peer shows, what is trusted, and whether it should be accepted.</summary>
public sealed record LimboCase
{
    public required string Id { get; init; }

    public IReadOnlyList<string> ConflictsWith { get; init; } = [];

    public IReadOnlyList<string> Features { get; init; } = [];

    public required string ValidationKind { get; init; }

    public IReadOnlyList<string> TrustedCerts { get; init; } = [];

    public IReadOnlyList<string> UntrustedIntermediates { get; init; } = [];

    public required string PeerCertificate { get; init; }

    public DateTimeOffset? ValidationTime { get; init; }

    public IReadOnlyList<string> KeyUsage { get; init; } = [];

    public IReadOnlyList<string> ExtendedKeyUsage { get; init; } = [];

    public required string ExpectedResult { get; init; }

    public LimboName? ExpectedPeerName { get; init; }

    public IReadOnlyList<LimboName> ExpectedPeerNames { get; init; } = [];

    public int? MaxChainDepth { get; init; }

    public IReadOnlyList<string> Crls { get; init; } = [];

    /// <summary>The part before the first double colon.</summary>
    [JsonIgnore]
    public string Namespace => Id.Split("::")[0];

    [JsonIgnore]
    public bool ShouldSucceed => ExpectedResult == "SUCCESS";
}

/// <summary>A name that the peer is expected to have: of kind DNS, IP or RFC822.</summary>
public sealed record LimboName(string Kind, string Value);

/// <summary>What came of a case.</summary>
/// <param name="Case">The case.</param>
/// <param name="Accepted">Whether the peer was accepted; null when the case was skipped.</param>
/// <param name="Reason">The code of the rejection, or why the case was skipped; null when the peer was accepted.</param>
/// <param name="Detail">The whole rejection.</param>
public sealed record LimboResult(LimboCase Case, bool? Accepted, string? Reason, string? Detail)
{
    /// <summary>Whether the verdict is the expected one; a skipped case is neither right nor wrong.</summary>
    public bool IsRight => Accepted == Case.ShouldSucceed;
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower)]
[JsonSerializable(typeof(LimboFile))]
internal sealed partial class LimboJson : JsonSerializerContext;
