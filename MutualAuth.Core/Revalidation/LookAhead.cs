using System.Runtime.CompilerServices;
using MutualAuth.Certificates;

namespace MutualAuth.Revalidation;

/// <summary>Reads, for a batch of connections, a word of each object that their judgements will read.</summary>
/// <remarks>
/// The connections of a server do not fit into the processor's caches, and a judgement follows some twenty references one after the other: alone, it
/// would wait for memory at each. Here the same step is made for many connections, so that their waits overlap. What is read is used for nothing.
/// </remarks>
internal static class LookAhead
{
    /// <summary>Never throws: what cannot be read here, the judgement meets again and answers for.</summary>
    internal static void Fetch(ReadOnlySpan<RevalidationEntry> entries)
    {
        try
        {
            _ = OfPeers(entries) + OfCertificates(entries) + OfEncodings(entries);
        }
        catch (Exception)
        {
            // The same.
        }
    }

    // Not inlined, and with a result: otherwise the compiler may leave out what is read for nothing.
    [MethodImpl(MethodImplOptions.NoInlining)]
    private static int OfPeers(ReadOnlySpan<RevalidationEntry> entries)
    {
        var read = 0;
        foreach (var entry in entries)
        {
            read += entry.Connection is { Peer.Evidence: { Certificates.IsEmpty: false } evidence } ? evidence.Certificates[0].Length : 0;
        }

        return read;
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static int OfCertificates(ReadOnlySpan<RevalidationEntry> entries)
    {
        var read = 0;
        foreach (var entry in entries)
        {
            read += LeafOf(entry)?.ReadParts() ?? 0;
        }

        return read;
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static int OfEncodings(ReadOnlySpan<RevalidationEntry> entries)
    {
        var read = 0;
        foreach (var entry in entries)
        {
            read += LeafOf(entry)?.ReadEncoding() ?? 0;
        }

        return read;
    }

    private static Certificate? LeafOf(RevalidationEntry entry) => entry.Path is { IsEmpty: false } path ? path[0] : null;
}
