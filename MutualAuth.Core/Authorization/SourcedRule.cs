using MutualAuth.Reloading;

namespace MutualAuth.Authorization;

/// <summary>Accepts a peer that a source's current rule accepts.</summary>
internal sealed class SourcedRule : AuthorizationRule
{
    private readonly IAuthorizationSource _source;

    internal SourcedRule(IAuthorizationSource source) => _source = source;

    public override string ToString() => _source.Current.ToString();

    internal override bool AsksForFacts => _source.Current.AsksForFacts;

    internal override bool MayAskForFacts => true;

    internal override IEnumerable<string> FactSources() => _source.Current.FactSources();

    internal override bool NamesEachPeer => _source.Current.NamesEachPeer;

    internal override Rejection? Examine(CertificateContext context, out PeerName? name) => _source.Current.Examine(context, out name);

    internal override IEnumerable<IReloadable> Reloadables() => _source is IReloadable reloadable ? [reloadable] : [];
}
