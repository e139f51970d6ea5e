namespace MutualAuth.Asn1;

/// <summary>
/// Collects where an encoding is not DER to the letter and means the same all the same, so that who reads it can decide whether that matters.
/// </summary>
/// <remarks>One serves the reading of one certificate, by one thread.</remarks>
internal sealed class DerDeviations
{
    private string _field = "the certificate";
    private ReadOnlyMemory<byte> _extension;

    /// <summary>The first slip and its place, in words that are all ours; null while there is none.</summary>
    internal string? First { get; private set; }

    /// <summary>What is being read, in words that are all ours.</summary>
    internal string Place => _extension.IsEmpty ? _field : $"the extension {Oids.NameOfExtension(_extension.Span)}";

    /// <summary>Says which field is read next.</summary>
    internal void Enter(string field) => (_field, _extension) = (field, default);

    /// <summary>Says which extension is read next.</summary>
    internal void EnterExtension(ReadOnlyMemory<byte> id) => _extension = id;

    /// <summary>Notes a slip.</summary>
    internal void Note(string what) => First ??= $"{what}, in {Place}";
}
