namespace MutualAuth.Testing.Transports;

/// <summary>A handshake of a <see cref="LooseTlsPeer"/> came to nothing.</summary>
public sealed class LooseTlsException : IOException
{
    internal LooseTlsException(string message, int? alert, Exception inner)
        : base(message, inner) => Alert = alert;

    /// <summary>The alert that the far end sent (RFC 8446 §6), such as 42 for <c>bad_certificate</c>; null when it sent none.</summary>
    public int? Alert { get; }
}
