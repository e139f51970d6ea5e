namespace MutualAuth.Testing;

/// <summary>What a key identifier extension (RFC 5280 §4.2.1.1, §4.2.1.2) shall say: the right thing, nothing, or octets of your choice.</summary>
public sealed class KeyIdentifier
{
    private KeyIdentifier(ReadOnlyMemory<byte>? octets) => Octets = octets;

    /// <summary>The SHA-1 digest of the key in question, as RFC 5280 §4.2.1.2 (1) describes it. The default.</summary>
    public static KeyIdentifier Computed { get; } = new(null);

    /// <summary>No such extension.</summary>
    public static KeyIdentifier Absent { get; } = new(ReadOnlyMemory<byte>.Empty);

    /// <summary>The octets given, right or wrong.</summary>
    /// <exception cref="ArgumentException"><paramref name="octets"/> is empty.</exception>
    public static KeyIdentifier Of(ReadOnlyMemory<byte> octets) =>
        octets.IsEmpty ? throw new ArgumentException("A key identifier has at least one octet.", nameof(octets)) : new(octets.ToArray());

    internal ReadOnlyMemory<byte>? Octets { get; }

    /// <summary>The octets to write; null for no extension.</summary>
    internal byte[]? Resolve(byte[]? computed) => Octets is not { } octets ? computed : octets.IsEmpty ? null : octets.ToArray();
}
