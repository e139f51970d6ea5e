using MutualAuth.Errors;
using MutualAuth.Reloading;

namespace MutualAuth.Authorization;

/// <summary>Accepts a peer that the application's condition accepts; a condition that throws rejects the peer.</summary>
internal sealed class PredicateRule : AuthorizationRule
{
    private readonly string _description;
    private readonly Func<CertificateContext, bool> _predicate;

    internal PredicateRule(string description, Func<CertificateContext, bool> predicate) => (_description, _predicate) = (description, predicate);

    public override string ToString() => $"a peer for which {_description}";

    internal override IEnumerable<IReloadable> Reloadables() => [];

    internal override bool NamesEachPeer => ReferenceEquals(this, Authorize.Nobody);

    internal override Rejection? Examine(CertificateContext context, out PeerName? name)
    {
        name = null;
        try
        {
            return _predicate(context) ? null : new Rejection(RejectionReason.NotAuthorized, _description, context.PresentedNames);
        }
        catch (Exception exception)
        {
            return new Rejection(RejectionReason.ValidatorFaulted, _description, $"{exception.GetType().Name}: {SafeText.Quote(exception.Message)}")
            {
                Hint = "The application's own condition threw; what cannot be judged is refused.",
            };
        }
    }
}
