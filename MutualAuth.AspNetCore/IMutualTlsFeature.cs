namespace MutualAuth.AspNetCore;

/// <summary>
/// The authenticated peer of a connection. It is a feature of the connection and of each of its requests;
/// <see cref="MutualTlsHttpContextExtensions"/> reads it.
/// </summary>
/// <remarks>Its members are safe to call from any thread. It is absent on connections that no certificate stage judged.</remarks>
/// <example><code>var peer = context.Features.Get&lt;IMutualTlsFeature&gt;()?.Peer;</code></example>
public interface IMutualTlsFeature
{
    /// <summary>The peer. After its user has authenticated again it has the user's new claims, and is otherwise the same.</summary>
    AuthenticatedPeer Peer { get; }

    /// <summary>The parameters of the TLS session; null where Kestrel's own TLS made the connection.</summary>
    SessionFacts? Session { get; }

    /// <summary>
    /// The connection; null where Kestrel's own TLS made it. Kestrel owns its stream: leave reading, writing and disposal to it.
    /// </summary>
    MutualTlsConnection? Connection { get; }
}
