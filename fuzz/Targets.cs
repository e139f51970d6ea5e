using MutualAuth.Certificates;
using MutualAuth.Confirmation;
using MutualAuth.Handshake;
using MutualAuth.Names;

namespace MutualAuth.Fuzz;

/// <summary>Every parser of what a peer may send before it is authenticated.</summary>
internal static class Targets
{
    internal static readonly SortedDictionary<string, Action<byte[]>> All = new(StringComparer.Ordinal)
    {
        ["certificate"] = input => Certificate.TryParse(input, out _, out _),
        ["frame"] = input => FrameReader.ReadVerdictAsync(new MemoryStream(input), CancellationToken.None).AsTask().GetAwaiter().GetResult(),
        ["hello"] = input => ClientHelloParser.Parse(input, 16 * 1024, final: input.Length % 2 == 0),
        ["name"] = input => DistinguishedName.TryDecode(input, out _),
    };
}
