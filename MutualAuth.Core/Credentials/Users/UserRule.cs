using MutualAuth.Reloading;

namespace MutualAuth.Credentials;

/// <summary>Says which users may log in, and with which certificate. <see cref="UserRules"/> makes the rules; nothing else can.</summary>
/// <remarks>
/// Immutable and safe for use from many threads. It is evaluated after the credentials have been verified, and again while the connection is open,
/// and can only reject.
/// </remarks>
public abstract class UserRule
{
    private protected UserRule()
    {
    }

    /// <summary>Says who may log in.</summary>
    public abstract override string ToString();

    /// <summary>Whether it asks code of the application, which may hold the thread.</summary>
    internal abstract bool CallsApplication { get; }

    /// <summary>Returns null when the user may log in. An exception is a rejection.</summary>
    internal abstract Rejection? Examine(AuthenticatedUser user, AuthenticatedPeer? certifiedPeer);

    /// <summary>
    /// What the rule, or a rule in it, is read from, as far as it says when it has been replaced. It has no default: where a rule forgot its parts,
    /// live users would never be examined by what became of them.
    /// </summary>
    internal abstract IEnumerable<IReloadable> Reloadables();
}
