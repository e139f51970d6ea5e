using Microsoft.Extensions.Logging;
using MutualAuth.Certificates;

namespace MutualAuth.Trust.Revocation;

/// <summary>Revocation lists that the application replaces: it fetches them, and this hands them out.</summary>
/// <param name="first">What counts until the first replacement.</param>
/// <param name="loggerFactory">Where replacements are logged; null means nowhere.</param>
public sealed class ReplaceableRevocationLists(RevocationLists first, ILoggerFactory? loggerFactory = null)
    : Replaceable<RevocationLists>("revocation lists", first, value => value.ToString(), loggerFactory), IRevocationListSource;
