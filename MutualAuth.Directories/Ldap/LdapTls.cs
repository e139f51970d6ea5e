namespace MutualAuth.Directories;

/// <summary>How TLS begins on a connection to a directory server. There is no connection without it.</summary>
public enum LdapTls
{
    /// <summary>With the first octet (<c>ldaps</c>, usually port 636).</summary>
    AtOnce = 1,

    /// <summary>
    /// After the StartTLS operation (RFC 4511 §4.14, usually port 389). A server that refuses it gets nothing else: no name, no password.
    /// </summary>
    StartTls = 2,
}
