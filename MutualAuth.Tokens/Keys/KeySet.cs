using System.Collections.Immutable;
using System.Text;
using System.Text.Json;
using MutualAuth.Tokens.Json;

namespace MutualAuth.Tokens.Keys;

/// <summary>The keys of an issuer that may check signatures here (RFC 7517 §5). Immutable.</summary>
internal sealed class KeySet
{
    internal const int MaxBytes = 262_144;
    internal const int MaxKeys = 100;

    /// <summary>The use of an issuer's keys (RFC 7517 §4.2).</summary>
    internal const string ForSignatures = "sig";

    /// <summary>
    /// The use of a trust domain's keys for JWT-SVIDs (SPIFFE JWT-SVID §6). Their <c>kid</c> must be there, and a set may be empty.
    /// </summary>
    internal const string ForJwtSvids = "jwt-svid";

    private KeySet(ImmutableArray<IssuerKey> keys, int leftOut)
    {
        Keys = keys;
        LeftOut = leftOut;
    }

    internal ImmutableArray<IssuerKey> Keys { get; }

    internal int LeftOut { get; }

    /// <exception cref="MaterialException">It is not a key set, holds a private key, or has no key that may be used.</exception>
    internal static KeySet Parse(string text, ImmutableArray<string> acceptedThumbprints)
    {
        using var document = StrictJson.ReadObject(Encoding.UTF8.GetBytes(text))
            ?? throw new MaterialException("Expected a JSON object with the member keys (RFC 7517 §5), got something else.");
        return Read(document.RootElement, acceptedThumbprints);
    }

    /// <inheritdoc cref="Parse"/>
    internal static KeySet Read(JsonElement root, ImmutableArray<string> acceptedThumbprints, string use = ForSignatures)
    {
        if (!root.TryGetProperty("keys", out var keys) || keys.ValueKind != JsonValueKind.Array)
        {
            throw new MaterialException("Expected a JSON object with the member keys (RFC 7517 §5), got one without.");
        }

        if (keys.GetArrayLength() > MaxKeys)
        {
            throw new MaterialException($"Expected at most {MaxKeys} keys, got {keys.GetArrayLength()}.");
        }

        var (usable, flaws) = (new List<IssuerKey>(), new List<string>());
        foreach (var element in keys.EnumerateArray())
        {
            if (element.ValueKind != JsonValueKind.Object)
            {
                throw new MaterialException("Expected a list of keys (RFC 7517 §5), got a list of something else.");
            }

            if (IssuerKey.IsSecret(element))
            {
                throw new MaterialException(
                    "The key set holds a private or a secret key. Publish the public keys alone, and replace that key: whoever read it can sign.");
            }

            var (key, flaw) = IssuerKey.Read(element, use);
            if (key is not null && !acceptedThumbprints.IsEmpty && !acceptedThumbprints.Contains(key.Thumbprint))
            {
                flaw = $"its thumbprint {key.Thumbprint} is not among the accepted ones";
            }

            if (key is { Id: null } && use == ForJwtSvids)
            {
                flaw = "it has no kid";
            }

            if (flaw is null)
            {
                usable.Add(key!);
            }
            else
            {
                flaws.Add($"key {Quoted.Text(element.Text("kid"))} does not count: {flaw}");
            }
        }

        return usable.Count > 0 || (use == ForJwtSvids && flaws.Count == 0)
            ? new KeySet([.. usable], flaws.Count)
            : throw new MaterialException($"The key set has no key that may be used{string.Concat(flaws.Take(3).Select(flaw => "; " + flaw))}.");
    }

    /// <summary>
    /// The keys that can have made a signature. Without a key ID in the token there must be just one of the algorithm's kind (RFC 7515 §4.1.4).
    /// </summary>
    internal ImmutableArray<IssuerKey> Find(string? id, string algorithm)
    {
        ImmutableArray<IssuerKey> fitting = [.. Keys.Where(key => key.Fits(algorithm) && (id is null || key.Id == id))];
        return id is null && fitting.Length > 1 ? [] : fitting;
    }

    public override string ToString() =>
        $"{Keys.Length} {(Keys.Length == 1 ? "key" : "keys")} ({string.Join(", ", Keys.Take(8).Select(key => Quoted.Text(key.Id)))})"
            + (LeftOut == 0 ? string.Empty : $", {LeftOut} left out");
}
