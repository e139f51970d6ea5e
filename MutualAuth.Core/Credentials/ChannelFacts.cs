using System.Collections.Immutable;

namespace MutualAuth.Credentials;

/// <summary>What ties credentials that are shown later to one connection.</summary>
/// <param name="EndPoint">The binding to the server's certificate; null when that has none.</param>
/// <param name="LoginTranscript">The digest of the login on this connection; empty when nobody logged in.</param>
internal sealed record ChannelFacts(ChannelBinding? EndPoint, ImmutableArray<byte> LoginTranscript);
