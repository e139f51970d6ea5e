namespace MutualAuth.Directories;

/// <summary>The result of an operation (RFC 4511 §4.1.9), and what the password policy says beside it.</summary>
/// <param name="Code">The result code.</param>
/// <param name="Diagnostic">The server's text; not for a peer.</param>
/// <param name="PolicyError">The error of the password policy's control; null when there is none.</param>
internal readonly record struct LdapResult(int Code, string Diagnostic, int? PolicyError)
{
    internal const int Success = 0;
}

/// <summary>An entry, and the values of the one attribute that was asked for.</summary>
internal sealed record LdapEntry(string Name, string[] Values);
