namespace MutualAuth.Credentials;

/// <summary>A source of the rule that says which users may log in. Used with <see cref="UserRules.From"/>.</summary>
/// <remarks>
/// Implementations must be safe for use from many threads. Implement <see cref="Reloading.IReloadable"/> as well: live users are examined by the
/// new rule when it is raised.
/// </remarks>
public interface IUserRuleSource
{
    /// <summary>The rule in force. Must neither block nor throw.</summary>
    UserRule Current { get; }
}
