namespace MutualAuth.AspNetCore.OwnTls;

/// <summary>The peer of a connection that Kestrel's own TLS made.</summary>
internal sealed class JudgedPeer(AuthenticatedPeer peer) : IMutualTlsFeature
{
    public AuthenticatedPeer Peer => peer;

    public SessionFacts? Session => null;

    public MutualTlsConnection? Connection => null;
}
