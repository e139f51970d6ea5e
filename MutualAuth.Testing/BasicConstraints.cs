namespace MutualAuth.Testing;

/// <summary>The basic constraints extension (RFC 5280 §4.2.1.9).</summary>
/// <param name="IsAuthority">Whether the holder may issue certificates.</param>
/// <param name="PathLength">How many intermediates may follow; null sets no limit.</param>
/// <param name="Critical">RFC 5280 asks for true on authorities.</param>
public sealed record BasicConstraints(bool IsAuthority, int? PathLength = null, bool Critical = true);
