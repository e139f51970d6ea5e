namespace MutualAuth.Certificates;

/// <summary>One extension of a certificate, as presented (RFC 5280 §4.1). Immutable.</summary>
/// <remarks>
/// The authority that signed the certificate vouches for it; nothing has looked at what the octets mean. A certificate has each extension once: one
/// with two of the same identifier is rejected when it is read.
/// </remarks>
public sealed class PresentedExtension
{
    internal PresentedExtension(string oid, bool isCritical, ReadOnlyMemory<byte> value) => (Oid, IsCritical, Value) = (oid, isCritical, value);

    /// <summary>Its type, as a dotted object identifier.</summary>
    public string Oid { get; }

    /// <summary>Whether a reader that does not understand it must reject the certificate (RFC 5280 §4.2).</summary>
    public bool IsCritical { get; }

    /// <summary>The octets of its value; the standard of its type says that they are DER, and nothing has checked that.</summary>
    public ReadOnlyMemory<byte> Value { get; }

    /// <summary>The type and the number of octets, safe to log.</summary>
    public override string ToString() => $"{Oid}{(IsCritical ? ", critical" : string.Empty)}, {Value.Length} octets";
}
