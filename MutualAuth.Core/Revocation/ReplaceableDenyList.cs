using Microsoft.Extensions.Logging;
using MutualAuth.Reloading;

namespace MutualAuth.Revocation;

/// <summary>A deny list that the application replaces.</summary>
/// <param name="first">The list in force until the first replacement.</param>
/// <param name="loggerFactory">Where replacements are logged; null means nowhere.</param>
public sealed class ReplaceableDenyList(DenyList first, ILoggerFactory? loggerFactory = null)
    : Replaceable<DenyList>("deny list", first, value => value.ToString(), loggerFactory), IDenyListSource;
