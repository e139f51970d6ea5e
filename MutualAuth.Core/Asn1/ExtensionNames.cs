using System.Formats.Asn1;

namespace MutualAuth.Asn1;

/// <summary>The identifiers of the extensions read so far from one list, in which each may occur only once (RFC 5280 §4.2).</summary>
internal struct ExtensionNames
{
    private ReadOnlyMemory<byte> _first;
    private List<ReadOnlyMemory<byte>>? _others;

    /// <summary>Adds one; throws <see cref="AsnContentException"/> when it is a duplicate or there are more than <paramref name="bound"/>.</summary>
    internal void Add(ReadOnlyMemory<byte> id, int bound)
    {
        // Nearly every entry of a list has a single extension, or none.
        if (_first.IsEmpty)
        {
            _first = id;
            return;
        }

        _others ??= [];
        if (_first.Span.SequenceEqual(id.Span) || _others.Exists(other => other.Span.SequenceEqual(id.Span)))
        {
            throw new AsnContentException("an extension stands in it twice");
        }

        _others.Add(id);
        if (_others.Count >= bound)
        {
            throw new AsnContentException($"there are more than {bound} extensions");
        }
    }
}
