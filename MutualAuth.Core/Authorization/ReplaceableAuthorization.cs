using Microsoft.Extensions.Logging;
using MutualAuth.Reloading;

namespace MutualAuth.Authorization;

/// <summary>A rule that the application replaces. Used with <see cref="Authorize.From"/>.</summary>
/// <param name="first">What counts until the first replacement.</param>
/// <param name="loggerFactory">Where replacements are logged; null means nowhere.</param>
public sealed class ReplaceableAuthorization(AuthorizationRule first, ILoggerFactory? loggerFactory = null)
    : Replaceable<AuthorizationRule>("authorization rules", first, value => value.ToString(), loggerFactory), IAuthorizationSource;
