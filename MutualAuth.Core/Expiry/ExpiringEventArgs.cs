namespace MutualAuth.Expiry;

/// <summary>Something of ours comes to its end, or has come to it.</summary>
public sealed class ExpiringEventArgs : EventArgs
{
    internal ExpiringEventArgs(string material, string name, DateTimeOffset endsAt, TimeSpan left) =>
        (Material, Name, EndsAt, Left) = (material, name, endsAt, left);

    /// <summary>What it is: <c>identity</c> or <c>revocation lists</c>.</summary>
    public string Material { get; }

    /// <summary>Which: the subject of the certificate that ends first, or the issuer of the list.</summary>
    public string Name { get; }

    /// <summary>When it ends.</summary>
    public DateTimeOffset EndsAt { get; }

    /// <summary>How long it still lasts; negative when it has ended.</summary>
    public TimeSpan Left { get; }
}
