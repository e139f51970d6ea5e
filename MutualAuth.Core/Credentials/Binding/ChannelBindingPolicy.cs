namespace MutualAuth.Credentials;

/// <summary>Whether passwords must be tied to the TLS channel by the <c>-PLUS</c> mechanisms (RFC 5802 §6).</summary>
public enum ChannelBindingPolicy
{
    /// <summary>
    /// The default: wherever the server's certificate has a binding, only <c>-PLUS</c> is offered and used. Without one, plain SCRAM is.
    /// </summary>
    WhereItExists = 1,

    /// <summary>Always: with a certificate that has no binding every login fails.</summary>
    Required = 2,

    /// <summary>
    /// Plain SCRAM as well. An intermediary with a certificate that the client accepts, such as a proxy, can then log in to the server as the user.
    /// </summary>
    DangerouslyOptional = 3,
}
