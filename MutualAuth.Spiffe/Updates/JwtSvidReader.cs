using System.Collections.Immutable;
using MutualAuth.Names;
using MutualAuth.Spiffe.Protocol;
using MutualAuth.Tokens;

namespace MutualAuth.Spiffe.Updates;

/// <summary>Checks the tokens that an agent gives, or rejects them as a whole. Pure: the time is an argument.</summary>
internal static class JwtSvidReader
{
    internal static UpdateRefusal? Read(JWTSVIDResponse message, JwtSvidRequest request, DateTimeOffset now, out ImmutableArray<JwtSvid> svids)
    {
        svids = [];
        if (message.Svids.Count == 0)
        {
            return new(UpdateRefusalReason.NoIdentity, "The answer has no token.");
        }

        if (message.Svids.Count > request.Limits.MaxIdentities)
        {
            return new(
                UpdateRefusalReason.TooMany, $"There are {message.Svids.Count} tokens; at most {request.Limits.MaxIdentities} are taken.");
        }

        var read = ImmutableArray.CreateBuilder<JwtSvid>(message.Svids.Count);
        foreach (var entry in message.Svids)
        {
            if (Read(entry, request, now, out var svid) is { } refusal)
            {
                return refusal;
            }

            read.Add(svid!);
        }

        svids = [.. read.Where(svid => (request.SpiffeId is null || request.SpiffeId.Equals(svid.SpiffeId))
            && (request.Hint is null || request.Hint == svid.Hint))];
        return svids.IsEmpty
            ? new(
                UpdateRefusalReason.IdentityNotFound,
                $"No token of {request.SpiffeId?.ToString() ?? "any identity"} with "
                    + $"{(request.Hint is null ? "any hint" : Quoted.Text(request.Hint))}; "
                    + $"there is {string.Join(", ", read.Take(8).Select(svid => $"{svid.SpiffeId} (hint {Quoted.Text(svid.Hint)})"))}.")
            : null;
    }

    private static UpdateRefusal? Read(JWTSVID entry, JwtSvidRequest request, DateTimeOffset now, out JwtSvid? svid)
    {
        svid = null;
        if (!SpiffeId.TryParse(entry.SpiffeId, out var id))
        {
            return new(UpdateRefusalReason.SpiffeIdMalformed, $"{Quoted.Text(entry.SpiffeId)} is no SPIFFE ID of a workload.");
        }

        try
        {
            svid = JwtSvid.DangerouslyReadUnverified(entry.Svid, entry.Hint);
        }
        catch (FormatException exception)
        {
            return new(UpdateRefusalReason.TokenMalformed, $"The token of {id}: {exception.Message}");
        }

        return !svid.SpiffeId.Equals(id)
            ? new(UpdateRefusalReason.SpiffeIdMismatch, $"The token of {id} is that of {svid.SpiffeId}.")
            : !svid.Audiences.ToHashSet(StringComparer.Ordinal).SetEquals(request.Audiences)
            ? new(UpdateRefusalReason.AudienceMismatch, $"The token of {id} is for {svid.Audiences.Length} other audiences than were asked for.")
            : svid.ExpiresAt <= now
            ? new(UpdateRefusalReason.Expired, $"The token of {id} has expired.")
            : null;
    }
}
