namespace MutualAuth.Spiffe.Testing;

/// <summary>One JWT-SVID as an agent gives it to a workload (SPIFFE Workload API §6.2.1).</summary>
/// <remarks>Immutable. Nothing is checked: what is malformed is sent as it is.</remarks>
public sealed record WorkloadJwtSvid
{
    /// <summary>The SPIFFE ID that the message states, whatever the token says.</summary>
    public required string SpiffeId { get; init; }

    /// <summary>The token. <see cref="TestTrustDomain.IssueJwt"/> makes a right one.</summary>
    public required string Token { get; init; }

    /// <summary>What the operator means this identity for. Default: empty, which says nothing.</summary>
    public string Hint { get; init; } = string.Empty;

    /// <summary>The SPIFFE ID and the hint; never the token.</summary>
    public override string ToString() => Hint.Length == 0 ? SpiffeId : $"{SpiffeId} ({Hint})";
}
