namespace MutualAuth.Certificates;

/// <summary>A certificate of a bundle that cannot be read and was left out. Immutable.</summary>
public sealed class UnreadableCertificate
{
    internal UnreadableCertificate(string source, int position, Rejection problem, string thumbprint)
    {
        Source = source;
        Position = position;
        Problem = problem;
        Thumbprint = thumbprint;
    }

    /// <summary>Where it comes from: the path of a file, or words such as <c>the text</c>.</summary>
    public string Source { get; }

    /// <summary>Its place among the certificates of its source, from 1.</summary>
    public int Position { get; }

    /// <summary>Why it cannot be read: subject, if that can be read, extension or field, and the byte where it begins.</summary>
    public Rejection Problem { get; }

    /// <summary>SHA-256 of its encoding, as 64 upper-case hex digits.</summary>
    public string Thumbprint { get; }

    /// <summary>All facts on one line; safe to log.</summary>
    public override string ToString() => $"{Source}, {Problem.Element}: {Problem.Presented}";
}
