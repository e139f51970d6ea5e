namespace MutualAuth.Directories;

/// <summary>The user of a Kerberos ticket, such as <c>alice@EXAMPLE.COM</c> (RFC 4120 §6).</summary>
public sealed record KerberosPrincipal
{
    private KerberosPrincipal(string name, string realm)
    {
        Name = name;
        Realm = realm;
    }

    /// <summary>What stands before the realm; <c>alice</c>, or <c>alice/admin</c>.</summary>
    public string Name { get; }

    /// <summary>The realm. Capitals matter.</summary>
    public string Realm { get; }

    /// <summary>Name, <c>@</c>, realm.</summary>
    public override string ToString() => $"{Name}@{Realm}";

    /// <summary>Null for what is not one name in one realm, and for names with characters that would have to be escaped.</summary>
    internal static KerberosPrincipal? Read(string? text) =>
        text?.Split('@') is [{ Length: > 0 } name, { Length: > 0 } realm] && !text.Contains('\\', StringComparison.Ordinal)
            ? new KerberosPrincipal(name, realm)
            : null;
}
