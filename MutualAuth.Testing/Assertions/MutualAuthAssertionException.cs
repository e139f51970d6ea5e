namespace MutualAuth.Testing.Assertions;

/// <summary>Something about a peer, a handshake or a run was not as a test says it must be. Every test framework reports it as a failure.</summary>
public sealed class MutualAuthAssertionException : Exception
{
    internal MutualAuthAssertionException(string message, Exception? innerException = null)
        : base(message, innerException)
    {
    }
}
