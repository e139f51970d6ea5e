using Microsoft.Extensions.Logging;
using MutualAuth.Telemetry;

namespace MutualAuth.Reloading;

/// <summary>The purpose of a configured file, which decides who must not be able to write or read it. On Unix; Windows is not checked.</summary>
internal sealed class FileUse
{
    private readonly string? _power;
    private readonly bool _isSecret;
    private readonly bool _isPrivate;

    private FileUse(string? power, bool isSecret = false, bool isPrivate = false)
    {
        _power = power;
        _isSecret = isSecret;
        _isPrivate = isPrivate;
    }

    internal static FileUse Anchors { get; } = new("decide whom we trust");

    internal static FileUse Authorization { get; } = new("decide who is let in");

    internal static FileUse DenyList { get; } = new("let in whom it denies");

    internal static FileUse RevocationLists { get; } = new("take away what revokes certificates");

    internal static FileUse Pins { get; } = new("decide which keys are accepted");

    /// <summary>Certificates and keys of ours. A file that holds certificates only is no secret.</summary>
    internal static FileUse Identity { get; } = new(power: null, isSecret: true);

    internal static FileUse TokenKeys { get; } = new("decide which tokens are accepted");

    internal static FileUse Token { get; } = new("make us log in with another token", isSecret: true);

    internal static FileUse Password { get; } = new("make us log in with another password", isSecret: true);

    /// <summary>Keys of second factors: refused when others can read them.</summary>
    internal static FileUse FactorKeys { get; } = new("replace the keys of second factors", isPrivate: true);

    /// <summary>Reads a file and checks its rights.</summary>
    /// <param name="path">The file.</param>
    /// <param name="maxBytes">Its maximum size.</param>
    /// <param name="remarks">Takes what the operator must be told.</param>
    /// <exception cref="MaterialException">It cannot be read, or every user may write it, or others may read what is private.</exception>
    internal FileContent Read(string path, int maxBytes, ICollection<FileRemark>? remarks = null)
    {
        var file = BoundedFile.Read(path, maxBytes);
        if (Examine(file) is { } remark)
        {
            remarks?.Add(remark);
        }

        return file;
    }

    /// <summary>What the operator must be told of the rights of a file; null for nothing.</summary>
    /// <exception cref="MaterialException">Every user may write it, or others may read what is private.</exception>
    internal FileRemark? Examine(FileContent file)
    {
        if (file.Mode is not { } mode)
        {
            return null;
        }

        if (_power is not null && (mode & UnixFileMode.OtherWrite) != 0)
        {
            throw new MaterialException(
                $"{file.Source} is writable by every user of this machine, who could then {_power}. Check its content, and then: "
                    + $"chmod o-w {file.Path}")
            { Problem = MaterialProblem.WritableByOthers };
        }

        if (_isPrivate && IsReadableByOthers(file, mode))
        {
            throw new MaterialException(
                $"{file.Source} can be read by others than its owner, who could then read what it encrypts. Take other keys if they may have "
                    + $"done so, and: chmod 600 {file.Path}")
            { Problem = MaterialProblem.ReadableByOthers };
        }

        return _power is not null && (mode & UnixFileMode.GroupWrite) != 0 ? new FileRemark(file.Path, _power)
            : _isSecret && IsReadableByOthers(file, mode) && HoldsSecret(file.Bytes) ? new FileRemark(file.Path, null)
            : null;
    }

    /// <summary>The group of a file of another owner is how a server that does not run as root is given its key.</summary>
    private static bool IsReadableByOthers(FileContent file, UnixFileMode mode) =>
        (mode & UnixFileMode.OtherRead) != 0 || ((mode & UnixFileMode.GroupRead) != 0 && file.IsOurs);

    private static bool HoldsSecret(ReadOnlySpan<byte> content) =>
        content.IndexOf("PRIVATE KEY-----"u8) >= 0 || content.IndexOf("-----BEGIN "u8) < 0;
}

/// <summary>What the operator must be told of the rights of a file.</summary>
/// <param name="Path">The file.</param>
/// <param name="Power">What the members of its group could do, who may write it; null when others may read a secret.</param>
internal readonly record struct FileRemark(string Path, string? Power)
{
    internal void Log(ILogger logger)
    {
        if (Power is null)
        {
            ReloadLog.SecretReadable(logger, Path);
        }
        else
        {
            ReloadLog.GroupWritable(logger, Path, Power);
        }
    }
}

/// <summary>Material that was read from files once, and whose files the operator must be told something about.</summary>
internal interface IHasFileRemarks
{
    IReadOnlyCollection<FileRemark> Remarks { get; }

    /// <summary>Logs the remarks of all that were read once; what follows its files has a log of its own.</summary>
    internal static void Log(ILogger logger, params IEnumerable<object?> materials)
    {
        foreach (var remark in materials.OfType<IHasFileRemarks>().SelectMany(material => material.Remarks))
        {
            remark.Log(logger);
        }
    }
}
