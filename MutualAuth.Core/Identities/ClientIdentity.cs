using System.Collections.Immutable;
using MutualAuth.Identities;

namespace MutualAuth;

/// <summary>What a client presents at the TLS layer: a certificate, or, said by name, none.</summary>
public abstract class ClientIdentity
{
    private ClientIdentity()
    {
    }

    /// <summary>No certificate. Only a server that requires other credentials accepts such a client.</summary>
    public static ClientIdentity None { get; } = new NoCertificate();

    /// <summary>
    /// Whether it has what it presents to hand, so that asking for it neither waits nor throws. Code of the application's may do both.
    /// </summary>
    internal virtual bool AnswersAtOnce => false;

    /// <summary>
    /// What may be presented to a server, the favourite first. One alone is simply presented; of several, the server's wishes choose.
    /// </summary>
    internal abstract ImmutableArray<Identity> For(string? serverName);

    /// <summary>The sources of the library's own kinds that it has, which can be asked at any time.</summary>
    internal virtual IEnumerable<IIdentitySource> AtHand => [];

    /// <summary>The certificate that <paramref name="source"/> gives at the time of each handshake.</summary>
    /// <exception cref="ArgumentNullException"><paramref name="source"/> is null.</exception>
    public static ClientIdentity From(IIdentitySource source)
    {
        ArgumentNullException.ThrowIfNull(source);
        return new Held(source);
    }

    /// <summary>The certificate that <paramref name="choose"/> gives for the server that is dialled.</summary>
    /// <param name="choose">Is given the server's name or address as it was dialled, null for none, and gives null in order to present nothing. It
    /// must be quick, and not throw.</param>
    /// <exception cref="ArgumentNullException"><paramref name="choose"/> is null.</exception>
    public static ClientIdentity ByServer(Func<string?, IIdentitySource?> choose)
    {
        ArgumentNullException.ThrowIfNull(choose);
        return new Chosen(choose);
    }

    /// <summary>
    /// The first certificate that one of the authorities issued, directly or through its intermediates, whose names the server sends; the first of
    /// all when it sends none; nothing when none fits.
    /// </summary>
    /// <remarks>
    /// The server's wishes are known only in the middle of the handshake, and the platform then sends our own certificate alone: the server must know
    /// the intermediates, if there are any. Where servers are told apart by their name, <see cref="ByServer"/> has no such price.
    /// </remarks>
    /// <param name="sources">The identities, the favourite first.</param>
    /// <exception cref="ArgumentNullException"><paramref name="sources"/> is null.</exception>
    /// <exception cref="ArgumentException">There is none, or a null among them.</exception>
    public static ClientIdentity ByAcceptableIssuers(params IEnumerable<IIdentitySource> sources)
    {
        ArgumentNullException.ThrowIfNull(sources);
        ImmutableArray<IIdentitySource> all = [.. sources];
        return all.IsEmpty || all.Contains(null!)
            ? throw new ArgumentException("Expected at least one identity, and no null among them.", nameof(sources))
            : new Several(all);
    }

    /// <summary>Presents this identity.</summary>
    public static implicit operator ClientIdentity(Identity identity) => From(identity);

    /// <summary>Presents the identity that the files hold at the time of each handshake.</summary>
    public static implicit operator ClientIdentity(IdentityFiles identity) => From(identity);

    /// <summary>Presents the identity that the source holds at the time of each handshake.</summary>
    public static implicit operator ClientIdentity(ReplaceableIdentity identity) => From(identity);

    private sealed class Held(IIdentitySource source) : ClientIdentity
    {
        internal override bool AnswersAtOnce => ServerIdentities.IsAtHand(source);

        internal override IEnumerable<IIdentitySource> AtHand => ServerIdentities.AtHand(source);

        internal override ImmutableArray<Identity> For(string? serverName) => source.Current.Alone;
    }

    private sealed class Chosen(Func<string?, IIdentitySource?> choose) : ClientIdentity
    {
        internal override ImmutableArray<Identity> For(string? serverName) => choose(serverName) is { } source ? source.Current.Alone : [];
    }

    private sealed class Several(ImmutableArray<IIdentitySource> sources) : ClientIdentity
    {
        internal override IEnumerable<IIdentitySource> AtHand => sources.SelectMany(ServerIdentities.AtHand);

        internal override ImmutableArray<Identity> For(string? serverName) => [.. sources.Select(source => source.Current)];
    }

    private sealed class NoCertificate : ClientIdentity
    {
        internal override bool AnswersAtOnce => true;

        internal override ImmutableArray<Identity> For(string? serverName) => [];
    }
}
