using System.Security.Cryptography;

namespace MutualAuth.Credentials;

/// <summary>Fresh nonces of 18 random octets, which base64 writes without padding.</summary>
internal static class ScramNonce
{
    internal static string Create() => Convert.ToBase64String(RandomNumberGenerator.GetBytes(18));
}
