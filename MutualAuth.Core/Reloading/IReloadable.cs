namespace MutualAuth.Reloading;

/// <summary>A source whose material may be replaced while the process runs, and that raises an event when it is.</summary>
/// <remarks>
/// Every source of an identity, of trust, of revocation or of rules may also implement it. A source that does not is still read for each
/// new connection; live connections are judged again only after this event.
/// </remarks>
public interface IReloadable
{
    /// <summary>
    /// Raised after new material has replaced the old, never before: a handler, and any later caller, reads the new material. It is raised
    /// on any thread; handlers must return quickly and must not throw.
    /// </summary>
    event EventHandler? Replaced;
}
