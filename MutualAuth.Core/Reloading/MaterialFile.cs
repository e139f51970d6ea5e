using System.Diagnostics.CodeAnalysis;

namespace MutualAuth.Reloading;

/// <summary>What a <see cref="MaterialFile{T}"/> is for, which decides who must not be able to write or read it.</summary>
public enum MaterialFileUse
{
    /// <summary>Keys that decide which tokens are accepted: refused when every user may write the file, a warning when its group may.</summary>
    TokenKeys = 1,

    /// <summary>A token of ours: as <see cref="TokenKeys"/>, and a warning when others can read it.</summary>
    Token = 2,
}

/// <summary>Material of a kind that this library does not know, read from a file and followed as every other file is.</summary>
/// <remarks>For packages beside this one; <c>MutualAuth.Tokens</c> reads key sets and tokens so.</remarks>
/// <typeparam name="T">The type of the material.</typeparam>
/// <example>
/// <code>
/// using var keys = new MaterialFile&lt;KeySet&gt;("jwks.json", MaterialFileUse.TokenKeys, 65_536, text =&gt; KeySet.Parse(text));
/// </code>
/// </example>
public sealed class MaterialFile<T> : WatchedFiles<T>
    where T : class
{
    /// <summary>Reads the file and begins to follow it.</summary>
    /// <param name="path">The file.</param>
    /// <param name="use">What it is for.</param>
    /// <param name="maxBytes">Its maximum size.</param>
    /// <param name="read">
    /// Makes the material of the file's text, without a byte order mark. It throws a <see cref="MaterialException"/> that says what is wrong with the
    /// text; other exceptions refuse it too.
    /// </param>
    /// <param name="options">How it is followed. Null for the defaults.</param>
    /// <exception cref="ArgumentException">The options contradict themselves, or there is no path.</exception>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="use"/> is not one, or <paramref name="maxBytes"/> is not above zero.</exception>
    /// <exception cref="MaterialException">The file cannot be read, or what it holds cannot be used.</exception>
    public MaterialFile(string path, MaterialFileUse use, int maxBytes, Func<string, T> read, WatchOptions? options = null)
        : base(
            use == MaterialFileUse.Token ? "token" : "token keys",
            UseOf(use),
            [Check(path, maxBytes, read)],
            maxBytes,
            contents => read(contents[0].Text),
            material => material.ToString() ?? typeof(T).Name,
            options)
    {
    }

    private static FileUse UseOf(MaterialFileUse use) => use switch
    {
        MaterialFileUse.TokenKeys => FileUse.TokenKeys,
        MaterialFileUse.Token => FileUse.Token,
        _ => throw new ArgumentOutOfRangeException(nameof(use), use, "Not a use of a file."),
    };

    private static string Check([NotNull] string? path, int maxBytes, [NotNull] Func<string, T>? read)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(maxBytes);
        ArgumentNullException.ThrowIfNull(read);
        return path;
    }
}
