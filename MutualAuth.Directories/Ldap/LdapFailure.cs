namespace MutualAuth.Directories;

/// <summary>A directory server gave no answer that decides anything.</summary>
internal sealed class LdapFailure(string message, Exception? inner = null) : Exception(message, inner);
