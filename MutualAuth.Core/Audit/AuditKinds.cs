namespace MutualAuth.Audit;

/// <summary>The kinds of events that the library records, as <see cref="AuditEvent.What"/>. They are part of the public contract.</summary>
public static class AuditKinds
{
    /// <summary>A server or client was made: what it demands of peers.</summary>
    public const string Configured = "configured";

    /// <summary>A listener has begun to accept.</summary>
    public const string ListenerStarted = "listener.started";

    /// <summary>A listener has stopped: nothing is accepted any more, and its connections have ended.</summary>
    public const string ListenerStopped = "listener.stopped";

    /// <summary>A peer has connected, or was dialled. Nothing is known of it but its address.</summary>
    public const string ConnectionBegun = "connection.begun";

    /// <summary>There is no connection, for a reason that is none of the following two.</summary>
    public const string HandshakeFailed = "handshake.failed";

    /// <summary>The peer is who it says, and may not connect.</summary>
    public const string AuthorizationRefused = "authorization.refused";

    /// <summary>The user's credentials were not accepted.</summary>
    public const string LoginRefused = "login.refused";

    /// <summary>The user's credentials were accepted. <see cref="Authenticated"/> follows, unless something else objects.</summary>
    public const string LoginAccepted = "login.accepted";

    /// <summary>
    /// The peer was accepted: recorded before the peer is told. Where the peer then refuses us, or is gone, <see cref="HandshakeFailed"/> follows.
    /// </summary>
    public const string Authenticated = "authenticated";

    /// <summary>The user of a connection has authenticated again.</summary>
    public const string ReauthenticationAccepted = "reauthentication.accepted";

    /// <summary>The user of a connection was to authenticate again, and did not.</summary>
    public const string ReauthenticationRefused = "reauthentication.refused";

    /// <summary>The user of a connection has confirmed a transaction.</summary>
    public const string StepUpAccepted = "step_up.accepted";

    /// <summary>The user of a connection was to confirm a transaction, and did not.</summary>
    public const string StepUpRefused = "step_up.refused";

    /// <summary>
    /// The client of a connection was given a reconnect credential: recorded before it is. Its use is <see cref="LoginAccepted"/> or
    /// <see cref="LoginRefused"/>.
    /// </summary>
    public const string ReconnectIssued = "reconnect.issued";

    /// <summary>The application wanted to give the client of a connection a reconnect credential, and there is none, and why.</summary>
    public const string ReconnectNotIssued = "reconnect.not_issued";

    /// <summary>A connection is no longer valid, and why.</summary>
    public const string ConnectionInvalidated = "connection.invalidated";

    /// <summary>A connection has ended: how long it was open, how much it carried, and why it ended.</summary>
    public const string ConnectionEnded = "connection.ended";

    /// <summary>Users of a store, or their verifiers, have changed.</summary>
    public const string CredentialsChanged = "credentials.changed";

    /// <summary>Our own certificate and key were replaced.</summary>
    public const string IdentityReplaced = "identity.replaced";

    /// <summary>The trust anchors, or the keys of known peers, were replaced.</summary>
    public const string TrustReplaced = "trust.replaced";

    /// <summary>The revocation lists were replaced.</summary>
    public const string RevocationReplaced = "revocation.replaced";

    /// <summary>Pins, a deny list, or rules of authorization were replaced.</summary>
    public const string RulesReplaced = "rules.replaced";

    /// <summary>Files have new content that is not valid; the previous version stays in force.</summary>
    public const string ReloadRefused = "reload.refused";

    /// <summary>Events could not be recorded before this one: how many, and of which kind the first was.</summary>
    public const string EventsLost = "events.lost";
}
