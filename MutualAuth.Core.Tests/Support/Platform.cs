namespace MutualAuth.Tests.Support;

/// <summary>What the runtimes do differently beneath us, as docs/platforms.md has it.</summary>
internal static class Platform
{
    /// <summary>
    /// From .NET 11 on the TLS engine asks for the verdict before it completes the handshake: a refused peer gets an alert, and a client's
    /// certificate does not go out to a server that is refused.
    /// </summary>
    internal static bool JudgesWithinTheHandshake => Environment.Version.Major >= 11;
}
