namespace MutualAuth.Asn1;

/// <summary>
/// Collects deviations from strict DER that do not change the meaning, so that the caller can decide whether they matter.
/// </summary>
/// <remarks>One instance serves the reading of one certificate, by one thread.</remarks>
/// <param name="whole">The whole encoding, from whose first byte places are counted.</param>
internal sealed class DerDeviations(ReadOnlyMemory<byte> whole = default)
{
    private string _field = "the certificate";
    private ReadOnlyMemory<byte> _at;
    private ReadOnlyMemory<byte> _extension;

    /// <summary>The first deviation and its place, without any text of the peer; null while there is none.</summary>
    internal string? First { get; private set; }

    /// <summary>What is being read and where it begins, without any text of the peer.</summary>
    internal string Place
    {
        get
        {
            var what = _extension.IsEmpty ? _field : $"the extension {Oids.NameOfExtension(_extension.Span)}";

            // Of an extension the contents of its identifier are known; the identifier begins two bytes before.
            return whole.Span.Overlaps(_extension.IsEmpty ? _at.Span : _extension.Span, out var offset)
                ? $"{what} at byte {offset - (_extension.IsEmpty ? 0 : 2)}"
                : what;
        }
    }

    /// <summary>Sets the field that is read next.</summary>
    /// <param name="field">Its name.</param>
    /// <param name="at">The rest of the encoding, which begins with it.</param>
    internal void Enter(string field, ReadOnlyMemory<byte> at) => (_field, _at, _extension) = (field, at, default);

    /// <summary>Sets the extension that is read next.</summary>
    internal void EnterExtension(ReadOnlyMemory<byte> id) => _extension = id;

    /// <summary>Records a deviation.</summary>
    internal void Note(string what) => First ??= $"{what}, in {Place}";
}
