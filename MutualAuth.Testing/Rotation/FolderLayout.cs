namespace MutualAuth.Testing.Rotation;

/// <summary>How the files of a <see cref="CertificateFolder"/> lie there, and so how they are replaced. Values are stable.</summary>
public enum FolderLayout
{
    /// <summary>
    /// Plain files. Each is written under another name and renamed into its place: whole at any moment, but one file after the other, the key
    /// last.
    /// </summary>
    Files = 1,

    /// <summary>
    /// As Kubernetes mounts a secret: the files lie in a folder <c>..DATE</c>, <c>..data</c> is a link to it, and <c>tls.crt</c> is a link to
    /// <c>..data/tls.crt</c>. A rotation makes another folder, swaps <c>..data</c> in one step, and deletes the old folder. Not on Windows.
    /// </summary>
    KubernetesSecret = 2,
}
