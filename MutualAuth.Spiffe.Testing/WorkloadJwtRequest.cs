using System.Collections.Immutable;

namespace MutualAuth.Spiffe.Testing;

/// <summary>What a workload asks of <c>FetchJWTSVID</c> (SPIFFE Workload API §6.2.1).</summary>
/// <param name="Audiences">For whom the tokens are to be; never empty.</param>
/// <param name="SpiffeId">The identity that it asks for; empty for all of them.</param>
/// <remarks>Immutable.</remarks>
public sealed record WorkloadJwtRequest(ImmutableArray<string> Audiences, string SpiffeId);
