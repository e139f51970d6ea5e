namespace MutualAuth.Credentials;

/// <summary>How a login ended at the client.</summary>
/// <param name="Objection">Why the server is not believed; null when it is.</param>
/// <param name="ServerProofs">What the server has proven beyond its certificate.</param>
public readonly record struct SaslClientEnd(Rejection? Objection, PeerProofs ServerProofs);
