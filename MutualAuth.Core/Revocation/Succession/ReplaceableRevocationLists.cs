using Microsoft.Extensions.Logging;
using MutualAuth.Reloading;

namespace MutualAuth.Revocation;

/// <summary>Revocation lists that the application fetches and replaces.</summary>
/// <remarks>
/// Lists never go back: a replacement is rejected with <see cref="MaterialException"/>, and the previous lists stay in force, if it has an
/// older number or date, is not in force while the previous list is, or lacks an issuer. A list that its issuer has not signed is detected
/// at the first path that needs it, and the previous list is used instead. <see cref="RevocationLists.DangerouslyUnchecked"/> is always
/// accepted.
/// </remarks>
public sealed class ReplaceableRevocationLists : Replaceable<RevocationLists>, IRevocationListSource
{
    private readonly RollbackGuard _succession;

    /// <summary>Creates a source with its first lists.</summary>
    /// <param name="first">The lists in force until the first replacement.</param>
    /// <param name="loggerFactory">Where replacements are logged; null means nowhere.</param>
    /// <param name="timeProvider">The clock against which lists are checked; null means the system's.</param>
    public ReplaceableRevocationLists(RevocationLists first, ILoggerFactory? loggerFactory = null, TimeProvider? timeProvider = null)
        : base("revocation lists", first, value => value.ToString(), loggerFactory)
    {
        _succession = new RollbackGuard(timeProvider ?? TimeProvider.System) { Refuted = NoteRefusal };
        _succession.Admit(first);
    }

    private protected override void Admit(RevocationLists next) => _succession.Admit(next);
}
