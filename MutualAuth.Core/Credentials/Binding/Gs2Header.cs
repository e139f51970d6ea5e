namespace MutualAuth.Credentials;

/// <summary>The GS2 header (RFC 5801 §4, RFC 5802 §7): whether the client binds to the channel, and as whom it wants to act.</summary>
/// <param name="Flag"><c>p</c>: it binds. <c>y</c>: it could, and believes that the server cannot. <c>n</c>: it cannot.</param>
/// <param name="BindingType">With <c>p</c>, the binding's name.</param>
/// <param name="AuthorizationIdentity">As whom it wants to act; null for itself.</param>
/// <param name="Text">The header as it stands, both commas included.</param>
internal sealed record Gs2Header(char Flag, string? BindingType, string? AuthorizationIdentity, string Text)
{
    internal static Gs2Header Create(char flag, string? bindingType, string? authorizationIdentity)
    {
        var authorization = authorizationIdentity is null ? string.Empty : $"a={ScramText.EscapeName(authorizationIdentity)}";
        return new Gs2Header(
            flag, bindingType, authorizationIdentity, flag == 'p' ? $"p={bindingType},{authorization}," : $"{flag},{authorization},");
    }

    /// <summary>Splits a message into its header and what follows.</summary>
    internal static (Gs2Header Header, string Remainder)? Read(string message)
    {
        if (message.Split(',', 3) is not [var binding, var authorization, var rest])
        {
            return null;
        }

        string? type = null;
        if (binding is not ("n" or "y") && (!ScramText.TryValue(binding, 'p', out type) || !IsBindingName(type)))
        {
            return null;
        }

        string? identity = null;
        if (authorization.Length > 0
            && (!ScramText.TryValue(authorization, 'a', out var escaped) || (identity = ScramText.UnescapeName(escaped)) is null))
        {
            return null;
        }

        return (new Gs2Header(binding[0], type, identity, message[..^rest.Length]), rest);
    }

    private static bool IsBindingName(string name) =>
        name.Length is > 0 and <= 64 && name.All(character => char.IsAsciiLetterOrDigit(character) || character is '.' or '-');
}
