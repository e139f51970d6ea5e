using Microsoft.Extensions.Logging;
using MutualAuth.Reloading;

namespace MutualAuth.Pinning;

/// <summary>Pins that the application replaces.</summary>
/// <param name="first">What counts until the first replacement.</param>
/// <param name="loggerFactory">Where replacements are logged; null means nowhere.</param>
public sealed class ReplaceablePins(PinSet first, ILoggerFactory? loggerFactory = null)
    : Replaceable<PinSet>("pins", first, value => value.ToString(), loggerFactory), IPinSource;
