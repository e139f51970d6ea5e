using MutualAuth.Connections;
using MutualAuth.Handshake;

namespace MutualAuth.Revalidation;

/// <summary>A handshake on its way into the registry, with the generation of rules by which its peer is judged at the earliest.</summary>
internal readonly struct RegistrationScope(ConnectionRevalidator registry, RegistrationGenerations generations) : IDisposable
{
    /// <summary>Registers the connection for revalidation. If a source has changed in the meantime, it is re-evaluated before this returns.</summary>
    /// <param name="connection">The connection.</param>
    /// <param name="ownEnd">When the certificate that we presented ends; null when we presented none.</param>
    internal void Register(IRevalidated connection, DateTimeOffset? ownEnd) => registry.Register(connection, ownEnd, generations);

    /// <summary>As <see cref="Register"/>, within the time of the attempt.</summary>
    internal ValueTask RegisterAsync(IRevalidated connection, DateTimeOffset? ownEnd, HandshakeAttempt attempt) =>
        registry.RegisterAsync(connection, ownEnd, generations, attempt);

    public void Dispose() => registry.Leave(generations);
}

/// <summary>How old what the peer of a handshake is judged by is at most.</summary>
/// <param name="Certificates">Of the sources and rules of the certificate stage, and the rules for users.</param>
/// <param name="Users">Of what stores and sources announce about users.</param>
/// <param name="Ends">Of the rules by which the application ended connections.</param>
internal readonly record struct RegistrationGenerations(long Certificates, long Users, long Ends);
