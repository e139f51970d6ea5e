namespace MutualAuth.Reloading;

/// <summary>A source whose material may be replaced while the process runs, and that says so.</summary>
/// <remarks>
/// Every source of an identity, of trust, of revocation or of rules may implement it besides. What does not is asked for each new connection all
/// the same; live connections are judged again only when they are told.
/// </remarks>
public interface IReloadable
{
    /// <summary>
    /// Raised after new material has taken the old one's place, never before: who asks from within, or later, gets the new. It comes from any
    /// thread; handlers return quickly and do not throw.
    /// </summary>
    event EventHandler? Replaced;
}
