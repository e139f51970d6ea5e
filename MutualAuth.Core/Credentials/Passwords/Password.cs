using System.Security.Cryptography;
using System.Text;

namespace MutualAuth.Credentials;

/// <summary>A password in memory of its own, which can be wiped.</summary>
/// <remarks>
/// It is kept in the form that SASLprep (RFC 4013) gives it. The creator owns it and disposes of it when no more connections are to be made
/// with it. Safe for use from many threads. Its text form reveals nothing.
/// </remarks>
public sealed class Password : IDisposable
{
    private const int MaxFileBytes = 4096;

    // Pinned, so that the garbage collector leaves no copies.
    private readonly byte[] _utf8;
    private bool _isDisposed;

    private Password(byte[] utf8)
    {
        _utf8 = GC.AllocateUninitializedArray<byte>(utf8.Length, pinned: true);
        utf8.CopyTo(_utf8, 0);
        CryptographicOperations.ZeroMemory(utf8);
    }

    /// <summary>Takes a copy of the password; wiping <paramref name="text"/> is left to the caller.</summary>
    /// <exception cref="FormatException">It is empty, longer than 1,024 characters, or has prohibited characters (RFC 4013 §2.3).</exception>
    public static Password From(ReadOnlySpan<char> text) =>
        SaslPrep.TryPrepareUtf8(text, allowUnassigned: false, out var utf8)
            ? new Password(utf8)
            : throw new FormatException("Expected a password of 1 to 1,024 characters without control characters (RFC 4013 §2.3); got another.");

    /// <summary>Reads the first line of a file.</summary>
    /// <exception cref="ArgumentNullException"><paramref name="path"/> is null.</exception>
    /// <exception cref="MaterialException">The file cannot be read or every user may write it, or its first line is not a password.</exception>
    public static Password FromFile(string path)
    {
        ArgumentNullException.ThrowIfNull(path);
        var content = Reloading.FileUse.Password.Read(path, MaxFileBytes).Bytes;
        var characters = Encoding.UTF8.GetChars(content);
        try
        {
            var end = characters.AsSpan().IndexOfAny('\r', '\n');
            return From(end < 0 ? characters : characters.AsSpan(0, end));
        }
        catch (FormatException exception)
        {
            throw new MaterialException($"The first line of {path} is not a password: {exception.Message}", exception);
        }
        finally
        {
            CryptographicOperations.ZeroMemory(content);
            characters.AsSpan().Clear();
        }
    }

    /// <summary>Makes a copy in UTF-8 of the form that SASLprep gives it, for a verifier that must send it on.</summary>
    /// <remarks>The caller wipes the copy, with <see cref="CryptographicOperations.ZeroMemory"/>, as soon as it has been sent.</remarks>
    /// <exception cref="ObjectDisposedException">It has been wiped.</exception>
    public byte[] DangerouslyCopyUtf8()
    {
        var copy = GC.AllocateUninitializedArray<byte>(Utf8.Length, pinned: true);
        Utf8.CopyTo(copy);
        return copy;
    }

    /// <summary>Wipes it. Logging in with it fails from then on.</summary>
    public void Dispose()
    {
        _isDisposed = true;
        CryptographicOperations.ZeroMemory(_utf8);
    }

    /// <summary>Says that it is a password, and nothing of it.</summary>
    public override string ToString() => "(a password)";

    internal ReadOnlySpan<byte> Utf8
    {
        get
        {
            ObjectDisposedException.ThrowIf(_isDisposed, this);
            return _utf8;
        }
    }

    internal static Password? FromPeer(ReadOnlySpan<char> text) =>
        SaslPrep.TryPrepareUtf8(text, allowUnassigned: true, out var utf8) ? new Password(utf8) : null;
}
