using Microsoft.Extensions.Logging;
using MutualAuth.Reloading;

namespace MutualAuth.Identities;

/// <summary>An identity that the application replaces: from a vault, a secret or an enrolment of its own.</summary>
/// <param name="first">What counts until the first replacement.</param>
/// <param name="loggerFactory">Where replacements are logged; null means nowhere.</param>
public sealed class ReplaceableIdentity(Identity first, ILoggerFactory? loggerFactory = null)
    : Replaceable<Identity>("identity", first, value => value.ToString(), loggerFactory), IIdentitySource;
