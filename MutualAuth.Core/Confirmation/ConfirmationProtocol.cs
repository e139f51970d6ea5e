using System.Collections.Immutable;
using System.Net.Security;
using System.Text;
using MutualAuth.Errors;

namespace MutualAuth.Confirmation;

/// <summary>How the confirmation protocol is negotiated: by application protocol ids (RFC 7301), so that plain TLS peers are untouched.</summary>
internal static class ConfirmationProtocol
{
    /// <summary>The protocol alone, with no application protocol around it.</summary>
    internal const string Bare = "mutualauth/1";

    /// <summary>The prefix before the id of an application protocol inside the confirmation protocol.</summary>
    internal const string Prefix = Bare + "+";

    /// <summary>The longest application protocol id that still fits after the prefix (RFC 7301 §3.1: 255 octets).</summary>
    internal const int MaxApplicationProtocolLength = 255 - 13;

    /// <summary>What the id of every version begins with; a digit follows.</summary>
    private const string Family = "mutualauth/";

    private static readonly SslApplicationProtocol s_bare = new(Encoding.Latin1.GetBytes(Bare));

    /// <summary>
    /// The ids that a client offers, its favourite first: each protocol confirmed, then each plain, the bare id last. Null: no ALPN at all.
    /// </summary>
    internal static List<SslApplicationProtocol>? Offer(ImmutableArray<string> applicationProtocols, ConfirmationPolicy policy)
    {
        IEnumerable<string> offered = policy switch
        {
            ConfirmationPolicy.Required => [.. applicationProtocols.Select(protocol => Prefix + protocol), Bare],
            ConfirmationPolicy.Preferred => [.. applicationProtocols.Select(protocol => Prefix + protocol), .. applicationProtocols, Bare],
            _ => applicationProtocols,
        };
        List<SslApplicationProtocol> list = [.. offered.Select(ToWire)];
        return list.Count == 0 ? null : list;
    }

    /// <summary>The server's answer to the client's offer.</summary>
    /// <returns>The one id to agree on (null: none), or why there is no agreement.</returns>
    internal static (string? Chosen, Rejection? Problem) Choose(
        ImmutableArray<string> offered, ImmutableArray<string> applicationProtocols, ConfirmationPolicy policy)
    {
        var confirms = policy != ConfirmationPolicy.Never && offered.Any(id => TryParse(id, out _));
        if (policy == ConfirmationPolicy.Required && !confirms)
        {
            return (null, Unavailable(offered));
        }

        if (confirms && FirstOffered(Prefix, applicationProtocols, offered) is { } confirmed)
        {
            return (confirmed, null);
        }

        if (policy != ConfirmationPolicy.Required && FirstOffered(string.Empty, applicationProtocols, offered) is { } plain)
        {
            return (plain, null);
        }

        // Nothing in common. That is a mismatch if both sides named application protocols, or if confirmation is required and not available.
        var bare = confirms && offered.Contains(Bare) ? Bare : null;
        var clientNamesOne = offered.Any(id => TryParse(id, out var application) ? application is not null : !IsPassedOver(id));
        if ((!applicationProtocols.IsEmpty && clientNamesOne) || (policy == ConfirmationPolicy.Required && bare is null))
        {
            var expected = applicationProtocols.IsEmpty ? SafeText.Quote(Bare) : $"one of the application protocols {List(applicationProtocols)}";
            return (null, new Rejection(RejectionReason.AlpnMismatch, expected, List(offered))
            {
                Rule = "RFC 7301 §3.2",
                Hint = "Set ApplicationProtocols so that client and server have one in common; a side with none of its own accepts any.",
            });
        }

        return (bare, null);
    }

    private static string? FirstOffered(string prefix, ImmutableArray<string> applicationProtocols, ImmutableArray<string> offered)
    {
        foreach (var protocol in applicationProtocols)
        {
            if (offered.Contains(prefix + protocol))
            {
                return prefix + protocol;
            }
        }

        return null;
    }

    /// <summary>Whether an id is one of ours, and which application protocol it carries.</summary>
    internal static bool TryParse(string? id, out string? applicationProtocol)
    {
        applicationProtocol = id is not null && id.StartsWith(Prefix, StringComparison.Ordinal) && id.Length > Prefix.Length
            && !IsOfFamily(id[Prefix.Length..])
                ? id[Prefix.Length..]
                : null;
        return applicationProtocol is not null || id == Bare;
    }

    /// <summary>Whether no application protocol may have this id: it begins as those of every version of the confirmation protocol do.</summary>
    internal static bool IsOfFamily(string id) =>
        id.StartsWith(Family, StringComparison.Ordinal) && id.Length > Family.Length && char.IsAsciiDigit(id[Family.Length]);

    /// <summary>
    /// Whether an id that is not of this version names no application protocol: it is of another version, or one of the sixteen values by which
    /// clients see to it that servers pass over what they do not know (RFC 8701 §3.1).
    /// </summary>
    private static bool IsPassedOver(string id) =>
        IsOfFamily(id) || (id is [var first, var second] && first == second && first < 0x100 && (first & 0x0f) == 0x0a);

    internal static Rejection Unavailable(ImmutableArray<string> offered) =>
        new(
            RejectionReason.ConfirmationUnavailable,
            $"a peer that speaks {Bare}",
            offered.IsEmpty ? "one that names no application protocol" : List(offered))
        {
            Hint = "Upgrade the peer, or set Confirmation to Preferred while you roll it out.",
        };

    // One character per octet, so that every id, also one that is not UTF-8, has one text form.
    internal static SslApplicationProtocol ToWire(string id) => id == Bare ? s_bare : new(Encoding.Latin1.GetBytes(id));

    internal static string? FromWire(SslApplicationProtocol id) =>
        id.Protocol.IsEmpty ? null : id == s_bare ? Bare : Encoding.Latin1.GetString(id.Protocol.Span);

    private static string List(ImmutableArray<string> ids) =>
        string.Join(", ", ids.Take(8).Select(SafeText.Quote)) + (ids.Length > 8 ? ", …" : string.Empty);
}
