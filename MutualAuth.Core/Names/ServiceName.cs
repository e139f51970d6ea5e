using System.Buffers;
using System.Diagnostics.CodeAnalysis;

namespace MutualAuth.Names;

/// <summary>A service of a domain, such as <c>_imaps.example.org</c>: the SRVName of a certificate (RFC 4985), the SRV-ID of RFC 9525.</summary>
/// <remarks>
/// Immutable. The service is a name of RFC 6335 §5.1 behind an underscore: up to 15 letters, digits and hyphens with a letter among them. The domain
/// is a host name and never a wildcard. Case has no meaning in either part.
/// </remarks>
public sealed class ServiceName : IEquatable<ServiceName>
{
    private const int LongestService = 15;

    private static readonly SearchValues<char> s_serviceCharacters = SearchValues.Create("-0123456789abcdefghijklmnopqrstuvwxyz");

    private static readonly NameProblem s_shape = new(
        "an underscore, a service, a dot and a domain", "Write it as the certificate does, such as _imaps.example.org.");
    private static readonly NameProblem s_service = new(
        "a service of up to 15 letters, digits and single inner hyphens, with a letter among them (RFC 6335 §5.1)",
        "Take the name from the registry of services, such as imaps or xmpp-client.");

    private ServiceName(string service, DnsName domain) => (Service, Domain) = (service, domain);

    /// <summary>The service in lower case, without its underscore, such as <c>imaps</c>.</summary>
    public string Service { get; }

    /// <summary>The domain that offers the service, which need not be the name of any host.</summary>
    public DnsName Domain { get; }

    /// <summary>Reads <c>_service.domain</c>.</summary>
    /// <exception cref="ArgumentNullException"><paramref name="text"/> is null.</exception>
    /// <exception cref="FormatException"><paramref name="text"/> is not such a name; the message says what is wrong with it.</exception>
    public static ServiceName Parse(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        return Read(text, out var name) is { } flaw ? throw flaw.ToException("the name of a service", text) : name!;
    }

    /// <summary>Reads a name as <see cref="Parse"/> does; false for null and for any other text.</summary>
    public static bool TryParse([NotNullWhen(true)] string? text, [NotNullWhen(true)] out ServiceName? name)
    {
        name = null;
        return text is not null && Read(text, out name) is null;
    }

    /// <summary>Makes a name of its parts.</summary>
    /// <param name="service">The service without its underscore, such as <c>imaps</c>.</param>
    /// <param name="domain">The domain.</param>
    /// <exception cref="ArgumentNullException"><paramref name="service"/> or <paramref name="domain"/> is null.</exception>
    /// <exception cref="FormatException"><paramref name="service"/> is not the name of a service.</exception>
    public static ServiceName Of(string service, DnsName domain)
    {
        ArgumentNullException.ThrowIfNull(service);
        ArgumentNullException.ThrowIfNull(domain);
        var lower = ToLower(service);
        return IsService(lower) ? new ServiceName(lower, domain) : throw s_service.ToException("a service", service);
    }

    /// <inheritdoc/>
    public bool Equals(ServiceName? other) => other is not null && Service == other.Service && Domain.Equals(other.Domain);

    /// <inheritdoc/>
    public override bool Equals(object? obj) => Equals(obj as ServiceName);

    /// <inheritdoc/>
    public override int GetHashCode() => HashCode.Combine(Service, Domain);

    /// <summary>The name in lower case, with its underscore.</summary>
    public override string ToString() => $"_{Service}.{Domain}";

    private static NameProblem? Read(string text, out ServiceName? name)
    {
        name = null;
        var dot = text.IndexOf('.');
        if (text is not ['_', ..] || dot < 0 || text.EndsWith('.'))
        {
            return s_shape;
        }

        var service = ToLower(text[1..dot]);
        if (!IsService(service))
        {
            return s_service;
        }

        var flaw = DnsName.Read(text[(dot + 1)..], out var domain);
        name = flaw is null ? new ServiceName(service, domain!) : null;
        return flaw;
    }

    /// <summary>Letters of ASCII alone become lower case: the Kelvin sign stays what it is, and is no letter of a service.</summary>
    private static string ToLower(string text) => string.Create(text.Length, text, static (lower, source) =>
    {
        for (var i = 0; i < lower.Length; i++)
        {
            lower[i] = char.IsAsciiLetterUpper(source[i]) ? (char)(source[i] | 0x20) : source[i];
        }
    });

    private static bool IsService(string lower) =>
        lower.Length is > 0 and <= LongestService && !lower.AsSpan().ContainsAnyExcept(s_serviceCharacters)
        && lower.AsSpan().ContainsAnyInRange('a', 'z') && lower[0] != '-' && lower[^1] != '-' && !lower.Contains("--", StringComparison.Ordinal);
}
