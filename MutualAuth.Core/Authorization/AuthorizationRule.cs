using MutualAuth.Authorization;
using MutualAuth.Reloading;

namespace MutualAuth;

/// <summary>
/// Says which of the peers that a trusted authority vouches for are accepted. <see cref="Authorize"/> makes the rules; nothing else can.
/// </summary>
/// <remarks>
/// Immutable and safe for use from many threads. It sees a peer only after its path to a trust anchor has been verified. Its text form is a sentence
/// that says which peers are accepted, suitable for a log.
/// </remarks>
public abstract class AuthorizationRule
{
    private protected AuthorizationRule()
    {
    }

    /// <summary>Says which peers are accepted.</summary>
    public abstract override string ToString();

    /// <summary>
    /// Asks the rule about a peer that was accepted already, for a decision of the application's own: whether this peer may do one thing more.
    /// </summary>
    /// <remarks>
    /// It asks about names and facts alone. Whether the peer is still trusted and not revoked is the connection's business, which judges it again
    /// while it
    /// lives. Does not throw for anything that a peer can show.
    /// </remarks>
    /// <param name="peer">The peer.</param>
    /// <param name="at">The time for which the answer holds.</param>
    /// <returns>Null when the rule accepts the peer; otherwise why not. A peer that showed no certificate is never accepted.</returns>
    /// <exception cref="ArgumentNullException"><paramref name="peer"/> is null.</exception>
    /// <example>
    /// <code>
    /// var mayOrder = Authorize.Dns("shop.example").Examine(connection.Peer, TimeProvider.System.GetUtcNow()) is null;
    /// </code>
    /// </example>
    public Rejection? Examine(AuthenticatedPeer peer, DateTimeOffset at)
    {
        ArgumentNullException.ThrowIfNull(peer);
        return peer.Path.IsEmpty
            ? new Rejection(RejectionReason.NotAuthorized, ToString(), "no certificate")
            : Examine(CertificateContext.Of(peer, at));
    }

    /// <summary>Returns null when the peer is accepted. Does not throw.</summary>
    /// <param name="context">The peer.</param>
    /// <param name="name">The name by which it is accepted; null when it is rejected, and where the rule asks for no name.</param>
    internal abstract Rejection? Examine(CertificateContext context, out PeerName? name);

    /// <summary>The same, without the name.</summary>
    internal Rejection? Examine(CertificateContext context) => Examine(context, out _);

    /// <summary>The name without which a certificate is refused by this rule, whatever else it says; null where there is no such name.</summary>
    internal virtual RuleKey? Key => null;

    /// <summary>Whether it can only ever accept servers, because it compares the name that was dialled.</summary>
    internal virtual bool AcceptsServersOnly => false;

    /// <summary>
    /// Whether each peer that it accepts carries a name that the rule spells out. What accepts by an authority, a trust domain or a condition does
    /// not name its peers. The answer of a source is that of the moment.
    /// </summary>
    internal virtual bool NamesEachPeer => false;

    /// <summary>Whether it, or a rule in it, looks at facts of validators. The answer of a source is that of the moment.</summary>
    internal virtual bool AsksForFacts => false;

    /// <summary>Whether <see cref="AsksForFacts"/> may be true now or later; it does not change, and is asked once for each part of a rule.</summary>
    internal virtual bool MayAskForFacts => AsksForFacts;

    /// <summary>The validators by name whose facts it asks for.</summary>
    internal virtual IEnumerable<string> FactSources() => [];

    /// <summary>
    /// What the rule, or a rule in it, is read from, as far as it says when it has been replaced. It has no default: where a rule forgot its parts,
    /// live connections would never be judged again by what became of them.
    /// </summary>
    internal abstract IEnumerable<IReloadable> Reloadables();
}
