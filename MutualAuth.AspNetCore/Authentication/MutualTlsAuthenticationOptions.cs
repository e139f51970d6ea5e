using Microsoft.AspNetCore.Authentication;

namespace MutualAuth.AspNetCore.Authentication;

/// <summary>The options of the scheme <see cref="MutualTlsDefaults.AuthenticationScheme"/>: those of every scheme, such as forwarding.</summary>
/// <remarks>
/// What the peer must be is said by the options of the listener and by policies. Claims of your own: <see cref="IClaimsTransformation"/>.
/// </remarks>
public sealed class MutualTlsAuthenticationOptions : AuthenticationSchemeOptions
{
}
