using System.Formats.Asn1;
using MutualAuth.Certificates;
using MutualAuth.Confirmation;
using MutualAuth.Errors;
using MutualAuth.Handshake;
using MutualAuth.Names;
using MutualAuth.Trust.Revocation;

namespace MutualAuth.Fuzz;

/// <summary>Every parser of what a peer may send before it is authenticated, and of what comes to us about it.</summary>
internal static class Targets
{
    internal static readonly SortedDictionary<string, Action<byte[]>> All = new(StringComparer.Ordinal)
    {
        ["certificate"] = input => Certificate.TryParse(input, out _, out _),
        ["crl"] = ReadList,
        ["frame"] = input => FrameReader.ReadVerdictAsync(new MemoryStream(input), CancellationToken.None).AsTask().GetAwaiter().GetResult(),
        ["hello"] = input => ClientHelloParser.Parse(input, 16 * 1024, final: input.Length % 2 == 0),
        ["name"] = input => DistinguishedName.TryDecode(input, out _),
        ["ocsp"] = ReadAnswer,
    };

    /// <summary>A list is read, in DER or PEM, or refused with a sentence.</summary>
    private static void ReadList(byte[] input)
    {
        try
        {
            foreach (var list in CrlFile.Read(input, "the input"))
            {
                list.TryFind([1], out _);
            }
        }
        catch (MaterialException)
        {
        }
    }

    /// <summary>An answer is read or is none; <see cref="OcspJudge"/> catches what it is none by.</summary>
    private static void ReadAnswer(byte[] input)
    {
        try
        {
            OcspReader.Read(input);
        }
        catch (AsnContentException)
        {
        }
    }
}
