namespace MutualAuth.Mutation;

/// <summary>The rooms of MutualAuth.Core whose behaviour is security, and is held by mutation runs; sub-rooms belong to their room.</summary>
internal static class Rooms
{
    internal static IReadOnlyList<string> All { get; } =
    [
        "Handshake", "Hello", "Transport", "Confirmation", "Credentials", "Connections", "Revalidation", "Reloading", "Validation", "Authorization",
        "Pinning", "Revocation", "Paths", "Audit",
    ];

    /// <summary>The room of a source file, by its path from the root of the repository; null for one that is in none of them.</summary>
    internal static string? Of(string file) =>
        file.Split('/') is ["MutualAuth.Core", var room, _, ..] && All.Contains(room) ? room : null;
}
