using System.Buffers.Text;
using System.Text.Json;

namespace MutualAuth.Factors;

/// <summary>Writes client data (WebAuthn Level 2 §5.8.1) for authenticators that sign what they are given.</summary>
/// <remarks>There is no web page. The origin is <c>https://</c> and the relying party, as platforms write it for programs of their own.</remarks>
public static class PasskeyClientData
{
    /// <summary>The client data of an assertion.</summary>
    /// <exception cref="ArgumentNullException"><paramref name="request"/> is null.</exception>
    public static byte[] Of(PasskeyAssertionRequest request)
    {
        ArgumentNullException.ThrowIfNull(request);
        return Write("webauthn.get", request.Challenge.Span, OriginOf(request.RelyingParty));
    }

    /// <summary>The client data of a new passkey.</summary>
    /// <exception cref="ArgumentNullException"><paramref name="request"/> is null.</exception>
    public static byte[] Of(PasskeyCreationRequest request)
    {
        ArgumentNullException.ThrowIfNull(request);
        return Write("webauthn.create", request.Challenge.Span, OriginOf(request.RelyingParty));
    }

    internal static string OriginOf(string relyingParty) => $"https://{relyingParty}";

    internal static byte[] Write(string type, ReadOnlySpan<byte> challenge, string origin)
    {
        using var text = new MemoryStream();
        using (var json = new Utf8JsonWriter(text))
        {
            json.WriteStartObject();
            json.WriteString("type", type);
            json.WriteString("challenge", Base64Url.EncodeToString(challenge));
            json.WriteString("origin", origin);
            json.WriteBoolean("crossOrigin", false);
            json.WriteEndObject();
        }

        return text.ToArray();
    }
}
