namespace MutualAuth.Asn1;

/// <summary>
/// Collects deviations from strict DER that do not change the meaning, so that the caller can decide whether they matter.
/// </summary>
/// <remarks>One instance serves the reading of one certificate, by one thread.</remarks>
internal sealed class DerDeviations
{
    private string _field = "the certificate";
    private ReadOnlyMemory<byte> _extension;

    /// <summary>The first deviation and its place, without any text of the peer; null while there is none.</summary>
    internal string? First { get; private set; }

    /// <summary>What is being read, without any text of the peer.</summary>
    internal string Place => _extension.IsEmpty ? _field : $"the extension {Oids.NameOfExtension(_extension.Span)}";

    /// <summary>Sets the field that is read next.</summary>
    internal void Enter(string field) => (_field, _extension) = (field, default);

    /// <summary>Sets the extension that is read next.</summary>
    internal void EnterExtension(ReadOnlyMemory<byte> id) => _extension = id;

    /// <summary>Records a deviation.</summary>
    internal void Note(string what) => First ??= $"{what}, in {Place}";
}
