namespace MutualAuth.Credentials;

/// <summary>Whether passwords must be tied to the TLS channel by the <c>-PLUS</c> mechanisms (RFC 5802 §6).</summary>
public enum ChannelBindingPolicy
{
    /// <summary>
    /// The default: wherever the server's certificate has a binding, only <c>-PLUS</c> is offered and used. Without one, plain SCRAM is.
    /// </summary>
    WhereItExists = 1,

    /// <summary>Always: with a certificate that has no binding, no user can log in.</summary>
    Required = 2,

    /// <summary>
    /// Plain SCRAM as well. The holder of another certificate that the client accepts, such as a proxy, can then log in to the server in
    /// the user's name.
    /// </summary>
    DangerouslyOptional = 3,
}
