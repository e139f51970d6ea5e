using Microsoft.Extensions.Logging;
using MutualAuth.Paths;
using MutualAuth.Reloading;

namespace MutualAuth.Trust;

/// <summary>Trust anchors that the application replaces.</summary>
/// <param name="first">The anchors in force until the first replacement.</param>
/// <param name="loggerFactory">Where replacements are logged; null means nowhere.</param>
public sealed class ReplaceableTrustAnchors(TrustAnchors first, ILoggerFactory? loggerFactory = null)
    : Replaceable<TrustAnchors>("trust anchors", first, value => value.ToString(), loggerFactory), ITrustAnchorSource;
