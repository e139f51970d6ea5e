using System.Text;

namespace MutualAuth.Credentials;

/// <summary>The one message of PLAIN (RFC 4616 §2).</summary>
internal static class PlainMessage
{
    /// <summary>Null for anything else. The caller disposes of the password, which is never empty.</summary>
    internal static (string? AuthorizationIdentity, string UserName, Password Password)? Read(ReadOnlySpan<byte> message)
    {
        var first = message.IndexOf((byte)0);
        var second = first < 0 ? -1 : message[(first + 1)..].IndexOf((byte)0);
        if (second <= 0 || first > SaslLimits.MaxNameLength || second > SaslLimits.MaxNameLength || !System.Text.Unicode.Utf8.IsValid(message))
        {
            return null;
        }

        var secret = message[(first + second + 2)..];
        if (secret.Contains((byte)0))
        {
            return null;
        }

        var characters = new char[Encoding.UTF8.GetCharCount(secret)];
        Encoding.UTF8.GetChars(secret, characters);
        var password = Password.FromPeer(characters);
        characters.AsSpan().Clear();
        return password is null ? null : (
            first == 0 ? null : Encoding.UTF8.GetString(message[..first]), Encoding.UTF8.GetString(message.Slice(first + 1, second)), password);
    }

    internal static SaslServerStep Violated(int length) => SaslServerStep.Fail(
        RejectionReason.CredentialProtocolViolated, "[authzid] NUL authcid NUL passwd", $"{length} octets of something else", "RFC 4616 §2");
}
