namespace MutualAuth.Asn1;

/// <summary>One extension of a certificate, a revocation list, an entry of one, or an OCSP answer: they share one form (RFC 5280 §4.1).</summary>
/// <param name="Id">Its object identifier, as content octets.</param>
/// <param name="IsCritical">Whether who does not understand it must reject what it stands in.</param>
/// <param name="Value">Its value, to be read.</param>
internal readonly record struct Extension(ReadOnlyMemory<byte> Id, bool IsCritical, DerReader Value)
{
    /// <summary>
    /// Reads the next extension of a sequence, which may hold each identifier once and no more than <paramref name="bound"/> in all.
    /// </summary>
    /// <param name="sequence">The sequence, which is not empty.</param>
    /// <param name="seen">The identifiers that came before.</param>
    /// <param name="bound">The most extensions.</param>
    /// <param name="deviations">Is told which extension is read; null where deviations are not collected.</param>
    /// <exception cref="System.Formats.Asn1.AsnContentException">It is malformed, stands there twice, or is one too many.</exception>
    internal static Extension ReadNext(ref DerReader sequence, ref ExtensionNames seen, int bound, DerDeviations? deviations = null)
    {
        var extension = sequence.ReadSequence();
        var id = extension.ReadOid();
        deviations?.EnterExtension(id);
        var isCritical = extension.ReadTrueOrAbsent();
        var value = extension.ReadContent(DerReader.OctetString);
        extension.End();
        seen.Add(id, bound);
        return new Extension(id, isCritical, extension.Within(value));
    }
}
