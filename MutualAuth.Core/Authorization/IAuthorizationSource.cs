namespace MutualAuth.Authorization;

/// <summary>A source of an authorization rule that is reloaded while the process runs. Used with <see cref="Authorize.From"/>.</summary>
/// <remarks>
/// Safe for concurrent use. A reload replaces the whole of <see cref="Current"/> at once, and a reload that fails leaves the last good rule.
/// </remarks>
public interface IAuthorizationSource
{
    /// <summary>The rule that counts at this moment. Never null; asked once for each judgement.</summary>
    AuthorizationRule Current { get; }
}
