namespace MutualAuth.Identities;

/// <summary>What an identity must satisfy, beyond being loaded, before it is used. The library brings <c>IdentityCheck</c>.</summary>
/// <remarks>Implementations are safe for use from many threads and do no I/O.</remarks>
public interface IIdentityCheck
{
    /// <summary>Returns null when there is nothing to object to, and otherwise a sentence that says what to do.</summary>
    /// <param name="identity">What has been loaded.</param>
    /// <param name="at">The time at which it is to be used.</param>
    MaterialException? Examine(Identity identity, DateTimeOffset at);
}
