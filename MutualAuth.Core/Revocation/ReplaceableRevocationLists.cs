using Microsoft.Extensions.Logging;
using MutualAuth.Reloading;

namespace MutualAuth.Revocation;

/// <summary>Revocation lists that the application replaces: it fetches them, and this hands them out.</summary>
/// <remarks>
/// Lists never go back: a replacement whose number or date lies behind, that does not count while the one before does, or that lacks an issuer,
/// is refused with <see cref="MaterialException"/>, and the lists before stay. One that its issuer has not signed is found at the first path that
/// needs it, and the list before counts in its place. <see cref="RevocationLists.DangerouslyUnchecked"/> is always taken.
/// </remarks>
public sealed class ReplaceableRevocationLists : Replaceable<RevocationLists>, IRevocationListSource
{
    private readonly RollbackGuard _succession;

    /// <summary>Hands out lists.</summary>
    /// <param name="first">What counts until the first replacement.</param>
    /// <param name="loggerFactory">Where replacements are logged; null means nowhere.</param>
    /// <param name="timeProvider">The clock by which a list counts; null means the system's.</param>
    public ReplaceableRevocationLists(RevocationLists first, ILoggerFactory? loggerFactory = null, TimeProvider? timeProvider = null)
        : base("revocation lists", first, value => value.ToString(), loggerFactory)
    {
        _succession = new RollbackGuard(timeProvider ?? TimeProvider.System) { Refuted = NoteRefusal };
        _succession.Admit(first);
    }

    private protected override void Admit(RevocationLists next) => _succession.Admit(next);
}
