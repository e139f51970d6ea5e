using System.Security.Cryptography;
using System.Text;
using MutualAuth.Reloading;

namespace MutualAuth.Credentials;

/// <summary>
/// Keys, read from a file and following it: one <c>NAME:KEY</c> in a line, the key in Base64. The first line writes, all read; lines that begin
/// with # say nothing.
/// </summary>
/// <remarks>
/// <para>The file must be its owner's alone: one that others can read is refused (on Unix; Windows is not checked). A file of another owner may be
/// read by our group. A key that is not in what was read has the file read at once, at most once a second.</para>
/// <para>To rotate, put a new line before the others; where several machines have the file, put it behind the first line, give it to all, and then
/// move it to the front. Remove an old line when <see cref="FactorEncryption.EncryptAllAsync"/> has rewritten what it encrypted.</para>
/// </remarks>
public sealed class FactorKeyFile : WatchedFiles<FactorKeys>, IFactorKeySource
{
    private const int MaxFileBytes = 64 * 1024;
    private static readonly TimeSpan s_lookAgainAfter = TimeSpan.FromSeconds(1);

    private readonly Lock _looking = new();
    private long? _lookedAt;

    /// <summary>Follows a file of keys.</summary>
    /// <param name="path">The file; at most 64 KiB.</param>
    /// <param name="options">How it is followed. Null for the defaults.</param>
    /// <exception cref="ArgumentException"><paramref name="options"/> contradict themselves.</exception>
    /// <exception cref="MaterialException">
    /// The file cannot be read, others can read it, a line is no key, there is none, or two have one name.
    /// </exception>
    public FactorKeyFile(string path, WatchOptions? options = null)
        : base("factor keys", FileUse.FactorKeys, [path], MaxFileBytes, files => Read(files[0].Text, files[0].Path), keys => keys.ToString(), options)
    {
    }

    /// <summary>Makes a random key and writes it into a file, which is made for its owner alone where there is none.</summary>
    /// <param name="path">The file.</param>
    /// <param name="keyId">The name of the key; none that the file has.</param>
    /// <param name="isCurrent">Whether it writes from now on; otherwise it only reads, until its line is moved to the front.</param>
    /// <exception cref="ArgumentException"><paramref name="keyId"/> is not in the form of <see cref="FactorKey.Id"/>.</exception>
    /// <exception cref="ArgumentNullException"><paramref name="path"/> is null.</exception>
    /// <exception cref="IOException">The file cannot be written; it is as it was.</exception>
    /// <exception cref="MaterialException">The file is there and cannot be used, or has a key of this name.</exception>
    public static FactorKey AddKey(string path, string keyId, bool isCurrent = true)
    {
        ArgumentNullException.ThrowIfNull(path);
        path = Path.GetFullPath(path);
        var key = FactorKey.Create(keyId);
        using var held = FileLock.AcquireNow(path + ".lock");
        if (!File.Exists(path))
        {
            Write(path, key.ToLine() + "\n");
            return key;
        }

        var text = FileUse.FactorKeys.Read(path, MaxFileBytes).Text;
        var (before, after) = isCurrent ? (key.ToLine() + "\n", string.Empty) : (string.Empty, key.ToLine() + "\n");
        text = before + text + (text.Length == 0 || text.EndsWith('\n') ? string.Empty : "\n") + after;
        Read(text, path);
        Write(path, text);
        return key;
    }

    /// <inheritdoc/>
    public ValueTask<FactorKey> FindCurrentAsync(CancellationToken cancellationToken = default) => Current.FindCurrentAsync(cancellationToken);

    /// <inheritdoc/>
    public ValueTask<FactorKey?> FindAsync(string keyId, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(keyId);
        if (Current.Find(keyId) is null && MayLookAgain())
        {
            LookAgain();
        }

        return Current.FindAsync(keyId, cancellationToken);
    }

    /// <summary>Another process may have begun to write with a key that was put into the file just now.</summary>
    private bool MayLookAgain()
    {
        lock (_looking)
        {
            if (_lookedAt is { } last && Time.GetElapsedTime(last) < s_lookAgainAfter)
            {
                return false;
            }

            _lookedAt = Time.GetTimestamp();
            return true;
        }
    }

    private void LookAgain()
    {
        try
        {
            Reload();
        }
        catch (ObjectDisposedException)
        {
            // No longer followed: what was read last stays.
        }
    }

    private static FactorKeys Read(string text, string source)
    {
        var keys = new List<FactorKey>();
        TextLines.Read(text, source, line => keys.Add(FactorKey.Parse(line)));
        if (keys.Count == 0)
        {
            throw new MaterialException($"{source} has no key. Write NAME:KEY, where KEY is {FactorKey.Length} random octets in Base64.");
        }

        try
        {
            return new FactorKeys(keys[0], keys[1..]);
        }
        catch (ArgumentException exception)
        {
            throw new MaterialException($"{source} has two keys of one name, or more than {FactorKeys.MaxCount}.", exception);
        }
    }

    private static void Write(string path, string text)
    {
        var content = Encoding.ASCII.GetBytes(text);
        try
        {
            AtomicFile.Replace(path, content, onStep: null);
        }
        finally
        {
            CryptographicOperations.ZeroMemory(content);
        }
    }
}
