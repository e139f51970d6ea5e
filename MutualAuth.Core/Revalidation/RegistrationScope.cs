using MutualAuth.Connections;
using MutualAuth.Handshake;

namespace MutualAuth.Revalidation;

/// <summary>A handshake on its way into the registry, with the generation of rules by which its peer is judged at the earliest.</summary>
internal sealed class RegistrationScope(ConnectionRevalidator registry, long generation) : IDisposable
{
    /// <summary>Registers the connection for revalidation. If a source has changed in the meantime, it is re-evaluated before this returns.</summary>
    /// <param name="connection">The connection.</param>
    /// <param name="ownEnd">When the certificate that we presented ends; null when we presented none.</param>
    internal void Register(IRevalidated connection, DateTimeOffset? ownEnd) => registry.Register(connection, ownEnd, generation);

    /// <summary>As <see cref="Register"/>, within the time of the attempt.</summary>
    internal ValueTask RegisterAsync(IRevalidated connection, DateTimeOffset? ownEnd, HandshakeAttempt attempt) =>
        registry.RegisterAsync(connection, ownEnd, generation, attempt);

    public void Dispose() => registry.Leave();
}
