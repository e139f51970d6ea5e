using System.Collections.Immutable;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using Microsoft.Extensions.Configuration;

namespace MutualAuth.AspNetCore.Configuration;

/// <summary>Reads one end point's section, and remembers every problem with the path of its key.</summary>
internal sealed class EndpointSection(IConfigurationSection section, List<string> problems)
{
    private static readonly string[] s_keys =
    [
        "Listen", "Protocols", "Identity", "Trust", "TrustConstraints", "Allow", "AllowFile", "RevocationLists", "RevocationListAddresses",
        "RevocationListDirectory", "RevocationListWitness", "DangerouslyCreateRevocationListWitness", "DenyListFile", "Confirmation",
        "TrustedProxies",
    ];

    private static readonly string[] s_identityKeys = ["Certificate", "Key", "Pkcs12", "PasswordFile"];

    private static readonly string[] s_constraintKeys =
    [
        "PermittedNames", "ExcludedNames", "RequiredPolicies", "RequireExplicitPolicy", "InhibitPolicyMapping", "InhibitAnyPolicy",
        "MaximumIntermediates",
    ];

    internal string Name => section.Key;

    /// <summary>A key that is mistyped must not switch something off.</summary>
    internal void RefuseUnknownKeys()
    {
        Refuse(section, s_keys);
        Refuse(section.GetSection("Identity"), s_identityKeys);
        Refuse(section.GetSection("TrustConstraints"), s_constraintKeys);
    }

    internal string? Text(string key) => section[key] is { Length: > 0 } text ? text : null;

    internal ImmutableArray<string> List(string key)
    {
        var list = section.GetSection(key);
        if (list.Value is { Length: > 0 } single)
        {
            return [single];
        }

        return [.. list.GetChildren().Select(child => child.Value ?? string.Empty)];
    }

    internal T Choice<T>(string key, T otherwise)
        where T : struct, Enum
    {
        if (Text(key) is not { } text)
        {
            return otherwise;
        }

        if (Enum.TryParse<T>(text, ignoreCase: true, out var value) && Enum.IsDefined(value) && !char.IsAsciiDigit(text[0]))
        {
            return value;
        }

        Problem(key, $"'{text}' is none of {string.Join(", ", Enum.GetNames<T>())}.");
        return otherwise;
    }

    /// <summary>Whether a key is true; a value that is neither true nor false is a problem.</summary>
    internal bool Flag(string key)
    {
        if (Text(key) is not { } text)
        {
            return false;
        }

        if (!bool.TryParse(text, out var flag))
        {
            Problem(key, $"'{text}' is neither true nor false.");
        }

        return flag;
    }

    internal int? Number(string key)
    {
        if (Text(key) is { } text)
        {
            if (int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number))
            {
                return number;
            }

            Problem(key, $"'{text}' is not a number.");
        }

        return null;
    }

    /// <summary>What a key says, or a problem and null.</summary>
    internal T? Try<T>(string key, Func<T> make)
        where T : class
    {
        try
        {
            return make();
        }
        catch (Exception exception) when (exception is MaterialException or FormatException or ArgumentException)
        {
            Problem(key, exception.Message.ReplaceLineEndings(" "));
            return null;
        }
    }

    internal IEnumerable<EndPoint> EndPoints()
    {
        var texts = List("Listen");
        if (texts.IsEmpty)
        {
            Problem("Listen", "it is missing. Write ADDRESS:PORT such as 127.0.0.1:8443 or [::]:8443, or unix:PATH.");
        }

        foreach (var text in texts)
        {
            if (Parse(text) is { } endPoint)
            {
                yield return endPoint;
            }
            else
            {
                Problem("Listen", $"'{text}' is not an address to listen on. Write ADDRESS:PORT such as 127.0.0.1:8443 or [::]:8443, or unix:PATH.");
            }
        }
    }

    internal void Problem(string key, string text) => problems.Add($"{section.Path}:{key}: {text}");

    private static EndPoint? Parse(string text)
    {
        if (text.StartsWith("unix:", StringComparison.Ordinal))
        {
            return text.Length > 5 ? new UnixDomainSocketEndPoint(text[5..]) : null;
        }

        return text.LastIndexOf(':') is > 0 and var colon
            && int.TryParse(text.AsSpan(colon + 1), NumberStyles.None, CultureInfo.InvariantCulture, out var port) && port <= IPEndPoint.MaxPort
            && IPAddress.TryParse(text.AsSpan(0, colon), out var address)
            && (address.AddressFamily == AddressFamily.InterNetworkV6) == text.StartsWith('[')
            ? new IPEndPoint(address, port)
            : null;
    }

    private void Refuse(IConfigurationSection within, string[] known)
    {
        foreach (var child in within.GetChildren().Where(child => !known.Contains(child.Key, StringComparer.OrdinalIgnoreCase)))
        {
            problems.Add($"{child.Path}: the key is not known. Known are {string.Join(", ", known)}.");
        }
    }
}
