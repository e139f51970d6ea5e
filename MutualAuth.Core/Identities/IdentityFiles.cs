using System.Collections.Immutable;
using System.Security.Cryptography;
using MutualAuth.Certificates;
using MutualAuth.Identities;
using MutualAuth.Reloading;

namespace MutualAuth;

/// <summary>
/// Our identity, read from files and following them: certificate and key are taken up together, once they belong to each other and pass the check.
/// </summary>
public sealed class IdentityFiles : WatchedFiles<Identity>, IIdentitySource
{
    private IdentityFiles(IEnumerable<string> paths, Func<ImmutableArray<FileContent>, Identity> load, IIdentityCheck? check, WatchOptions? options)
        : base("identity", FileUse.Identity, paths, Identity.MaxFileBytes, Checked(load, check, options), identity => identity.ToString(), options)
    {
    }

    /// <summary>Follows a PEM chain and its key.</summary>
    /// <param name="chainPath">The chain, our own certificate first.</param>
    /// <param name="keyPath">The key; null when it stands in the same file.</param>
    /// <param name="passwordPath">A file whose first line is the password of an encrypted key, which is followed too; null
    /// for a key in the clear.</param>
    /// <param name="check">What else must hold of each identity, the first included; null checks the dates alone.</param>
    /// <param name="options">How the files are followed.</param>
    /// <exception cref="ArgumentException"><paramref name="options"/> contradict themselves.</exception>
    /// <exception cref="MaterialException">What the files hold now cannot be used; the message says what to do.</exception>
    public static IdentityFiles FromPem(
        string chainPath, string? keyPath = null, string? passwordPath = null, IIdentityCheck? check = null, WatchOptions? options = null)
    {
        ArgumentException.ThrowIfNullOrEmpty(chainPath);
        return new IdentityFiles(Given(chainPath, keyPath, passwordPath), Load, check, options);

        Identity Load(ImmutableArray<FileContent> files) =>
            Read(files[0], files[keyPath is null ? 0 : 1], PasswordIn(files, passwordPath));

        static Identity Read(FileContent chain, FileContent key, ReadOnlySpan<char> password) =>
            Identity.FromPem(chain.Bytes, new(chain.Path), key.Bytes, new(key.Path), password);
    }

    /// <summary>
    /// Follows a PEM chain whose key is already open, such as one that never leaves its hardware: its certificate is renewed, and the key stays.
    /// </summary>
    /// <param name="chainPath">The chain, our own certificate first.</param>
    /// <param name="key">An RSA or EC key; the caller owns it and disposes of it after this.</param>
    /// <param name="check">What else must hold of each identity, the first included; null checks the dates alone.</param>
    /// <param name="options">How the file is followed.</param>
    /// <exception cref="ArgumentNullException"><paramref name="key"/> is null.</exception>
    /// <exception cref="ArgumentException"><paramref name="options"/> contradict themselves.</exception>
    /// <exception cref="MaterialException">What the file holds now cannot be used; the message says what to do.</exception>
    public static IdentityFiles FromPem(string chainPath, AsymmetricAlgorithm key, IIdentityCheck? check = null, WatchOptions? options = null)
    {
        ArgumentException.ThrowIfNullOrEmpty(chainPath);
        ArgumentNullException.ThrowIfNull(key);
        return new IdentityFiles([chainPath], files => Identity.FromPem(files[0].Bytes, key, new(files[0].Path)), check, options);
    }

    /// <summary>Follows a PKCS#12 file (<c>.p12</c>, <c>.pfx</c>; RFC 7292).</summary>
    /// <param name="path">The file.</param>
    /// <param name="passwordPath">A file whose first line is its password, which is followed too; null for none.</param>
    /// <param name="check">What else must hold of each identity, the first included; null checks the dates alone.</param>
    /// <param name="options">How the files are followed.</param>
    /// <exception cref="ArgumentException"><paramref name="options"/> contradict themselves.</exception>
    /// <exception cref="MaterialException">What the files hold now cannot be used; the message says what to do.</exception>
    public static IdentityFiles FromPkcs12(string path, string? passwordPath = null, IIdentityCheck? check = null, WatchOptions? options = null)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        return FollowPkcs12(path, passwordPath, null, check, options);
    }

    /// <summary>Follows a PKCS#12 file (<c>.p12</c>, <c>.pfx</c>; RFC 7292) that holds several private keys.</summary>
    /// <param name="path">The file.</param>
    /// <param name="choose">Is asked, whenever the file is read, for each certificate with a private key, and says whether it is ours. It must say so
    /// of exactly one. A name lasts longer than a thumbprint, which changes with each renewal.</param>
    /// <param name="passwordPath">A file whose first line is its password, which is followed too; null for none.</param>
    /// <param name="check">What else must hold of each identity, the first included; null checks the dates alone.</param>
    /// <param name="options">How the files are followed.</param>
    /// <exception cref="ArgumentNullException"><paramref name="path"/> or <paramref name="choose"/> is null.</exception>
    /// <exception cref="ArgumentException"><paramref name="options"/> contradict themselves.</exception>
    /// <exception cref="MaterialException">What the files hold now cannot be used; the message says what to do.</exception>
    public static IdentityFiles FromPkcs12(
        string path, Func<Certificate, bool> choose, string? passwordPath = null, IIdentityCheck? check = null, WatchOptions? options = null)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        ArgumentNullException.ThrowIfNull(choose);
        return FollowPkcs12(path, passwordPath, choose, check, options);
    }

    private static IdentityFiles FollowPkcs12(
        string path, string? passwordPath, Func<Certificate, bool>? choose, IIdentityCheck? check, WatchOptions? options)
    {
        return new IdentityFiles(Given(path, passwordPath), Load, check, options);

        Identity Load(ImmutableArray<FileContent> files) =>
            Identity.FromPkcs12(files[0].Bytes, PasswordIn(files, passwordPath), new(files[0].Path), choose);
    }

    private static Func<ImmutableArray<FileContent>, Identity> Checked(
        Func<ImmutableArray<FileContent>, Identity> load, IIdentityCheck? check, WatchOptions? options)
    {
        check ??= ValidityCheck.Instance;
        var time = (options ?? WatchOptions.Default).TimeProvider;
        return files =>
        {
            var identity = load(files);
            return check.Examine(identity, time.GetUtcNow()) is { } problem ? throw problem : identity;
        };
    }

    private static IEnumerable<string> Given(params IEnumerable<string?> paths) => paths.OfType<string>();

    // The first line, without its end: editors add one.
    private static ReadOnlySpan<char> PasswordIn(ImmutableArray<FileContent> files, string? passwordPath)
    {
        if (passwordPath is null)
        {
            return default;
        }

        var text = files[^1].Text.AsSpan().TrimStart('\ufeff');
        return text.IndexOfAny('\r', '\n') is >= 0 and var end ? text[..end] : text;
    }
}
