using MutualAuth.Certificates;
using MutualAuth.Errors;

namespace MutualAuth.Validation;

/// <summary>Says which of the peers that a trusted authority vouches for are let in. <see cref="Authorize"/> makes the rules; nothing else can.</summary>
/// <remarks>
/// Immutable and safe for use from many threads. It sees a peer only after its path to a trust anchor has been verified. Its text form is a sentence that
/// says who is let in, fit for a log.
/// </remarks>
public abstract class AuthorizationRule
{
    private protected AuthorizationRule()
    {
    }

    /// <summary>Says who is let in.</summary>
    public abstract override string ToString();

    /// <summary>Returns null when the peer is let in. Does not throw.</summary>
    internal abstract Rejection? Examine(CertificateContext context);

    /// <summary>What the rule is read from, as far as it says when it has been replaced.</summary>
    internal virtual IEnumerable<IReloadable> Reloadables() => [];
}
