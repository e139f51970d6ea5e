using System.Security.Cryptography;
using System.Text;
using MutualAuth.Reloading;

namespace MutualAuth.Revocation;

/// <summary>
/// Keeps the last good lists of each address over a restart, in two files: the lists, and those before them for as long as no path has verified the
/// newer ones. Each file is replaced in one step.
/// </summary>
internal sealed class ListDirectory
{
    private const int MaxReadableName = 80;
    private const string Ending = ".crl.pem";
    private const string EndingOfReserve = ".previous.crl.pem";
    private const string LockName = ".lock";

    private readonly string _path;
    private readonly long _maxBytes;

    /// <exception cref="MaterialException">The directory cannot be created, or every user may write it.</exception>
    internal ListDirectory(string path, int maxListBytes)
    {
        _path = Path.GetFullPath(path);
        _maxBytes = Math.Min(int.MaxValue - 64, 2L * maxListBytes); // PEM is a third longer than DER
        try
        {
            if (OperatingSystem.IsWindows())
            {
                Directory.CreateDirectory(_path);
                return;
            }

            Directory.CreateDirectory(_path, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
            if ((File.GetUnixFileMode(_path) & UnixFileMode.OtherWrite) != 0)
            {
                throw new MaterialException(
                    $"The directory {_path} is writable by every user of this machine, who could then take away what revokes certificates. Give a "
                        + $"directory of your own, or: chmod o-w {_path}")
                { Problem = MaterialProblem.WritableByOthers };
            }
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException or NotSupportedException or ArgumentException)
        {
            throw new MaterialException($"The directory {_path} cannot be used to keep revocation lists: {exception.Message}", exception)
            { Problem = MaterialProblem.Unreadable };
        }
    }

    /// <summary>The lists that were kept for an address, the older set first; nothing when there are none.</summary>
    /// <exception cref="MaterialException">A file cannot be read, or does not hold lists that can be used.</exception>
    internal IEnumerable<RevocationLists> Read(Uri address)
    {
        foreach (var file in new[] { FileOf(address, EndingOfReserve), FileOf(address, Ending) })
        {
            if (File.Exists(file))
            {
                yield return RevocationLists.FromContents([FileUse.RevocationLists.Read(file, (int)_maxBytes)]);
            }
        }
    }

    /// <summary>Keeps lists. The older ones are written first: whatever happens in between, what is read again was in force together.</summary>
    /// <exception cref="MaterialException">Another process holds the lock.</exception>
    /// <exception cref="IOException">A file cannot be written.</exception>
    /// <exception cref="UnauthorizedAccessException">A file must not be written.</exception>
    internal async Task WriteAsync(Uri address, RevocationLists lists, CancellationToken cancellationToken)
    {
        using var held = await FileLock.AcquireAsync(Path.Combine(_path, LockName), cancellationToken).ConfigureAwait(false);
        var reserve = lists.Lists.SelectMany(list => list.Reserve).Distinct().ToArray();
        if (reserve.Length > 0)
        {
            AtomicFile.Replace(FileOf(address, EndingOfReserve), Pem(reserve), onStep: null);
        }

        AtomicFile.Replace(FileOf(address, Ending), Pem(lists.Lists), onStep: null);
        if (reserve.Length == 0)
        {
            File.Delete(FileOf(address, EndingOfReserve));
        }
    }

    private static byte[] Pem(IReadOnlyCollection<RevocationList> lists)
    {
        var text = new MemoryStream();
        foreach (var list in lists)
        {
            text.Write(PemEncoding.WriteUtf8("X509 CRL"u8, list.RawData.Span));
            text.WriteByte((byte)'\n');
        }

        return text.ToArray();
    }

    /// <summary>A name that a person recognises and that no other address has.</summary>
    private string FileOf(Uri address, string ending)
    {
        var digest = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(address.AbsoluteUri)).AsSpan(0, 8));
        var readable = string.Concat((address.Host + address.AbsolutePath).Take(MaxReadableName)
            .Select(character => char.IsAsciiLetterOrDigit(character) || character is '-' or '_' ? character : '_'));
        return Path.Combine(_path, $"{readable}-{digest}{ending}");
    }
}
