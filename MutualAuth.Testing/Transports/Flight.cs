namespace MutualAuth.Testing.Transports;

/// <summary>Octets that went one way without any going the other way in between.</summary>
/// <param name="Direction">Which way.</param>
/// <param name="Octets">How many.</param>
public sealed record Flight(Direction Direction, long Octets);
