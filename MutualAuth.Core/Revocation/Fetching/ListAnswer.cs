using System.Net.Http.Headers;

namespace MutualAuth.Revocation;

/// <summary>What an answer says of its content, to ask only for a newer one (RFC 9110 §13).</summary>
/// <param name="Tag">The entity tag; null when there is none.</param>
/// <param name="ModifiedAt">The time of the last change; null when it is not said.</param>
internal sealed record ListVersion(EntityTagHeaderValue? Tag, DateTimeOffset? ModifiedAt);

/// <summary>Why there is no new list.</summary>
/// <param name="Reason">The kind.</param>
/// <param name="Detail">The same in words; the server's are quoted.</param>
internal sealed record ListFlaw(RevocationFetchFailure Reason, string Detail);

/// <summary>What a server answered: content, or a flaw, or neither when nothing has changed.</summary>
internal sealed record ListAnswer
{
    internal static ListAnswer Unchanged { get; } = new();

    internal byte[]? Content { get; private init; }

    internal ListVersion? Version { get; private init; }

    internal ListFlaw? Flaw { get; private init; }

    internal static ListAnswer Of(byte[] content, ListVersion version) => new() { Content = content, Version = version };

    internal static ListAnswer Of(RevocationFetchFailure reason, string detail) => new() { Flaw = new ListFlaw(reason, detail) };
}
