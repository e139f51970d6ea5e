using System.Globalization;

namespace MutualAuth.Errors;

/// <summary>Times as texts show them: in UTC, to the second, the same in every culture.</summary>
internal static class UtcText
{
    internal const string Format = "yyyy-MM-ddTHH:mm:ssZ";

    internal static string Of(DateTimeOffset time) => time.ToUniversalTime().ToString(Format, CultureInfo.InvariantCulture);
}
