namespace MutualAuth.Evidence;

/// <summary>Something that an outside service says of a peer, such as that its device is compliant. It is not the peer's own claim.</summary>
/// <remarks>Immutable. Its text form leaves out the value, which may be personal; logs have the name alone.</remarks>
public sealed record PeerFact
{
    /// <summary>The longest name, in characters.</summary>
    public const int MaxNameLength = 64;

    /// <summary>The longest value, in characters.</summary>
    public const int MaxValueLength = 1024;

    /// <summary>Makes a fact, for a <see cref="Validation.PeerFactVerdict"/>.</summary>
    /// <param name="name">What it is about: 1 to 64 characters of ASCII, letters, digits and <c>._:/-</c>. It appears in logs.</param>
    /// <param name="value">What holds; at most 1,024 characters. It is compared character by character, and never logged.</param>
    /// <exception cref="ArgumentNullException"><paramref name="name"/> or <paramref name="value"/> is null.</exception>
    /// <exception cref="ArgumentException"><paramref name="name"/> is no such name, or <paramref name="value"/> is too long.</exception>
    public PeerFact(string name, string value)
    {
        ArgumentNullException.ThrowIfNull(value);
        Name = Checked(name, nameof(name));
        Value = value.Length <= MaxValueLength
            ? value
            : throw new ArgumentException(
                $"The value of a fact has at most {MaxValueLength} characters; this one has {value.Length}.", nameof(value));
    }

    /// <summary>Who says it: the name of the validator. Empty until the library has taken the answer.</summary>
    public string Source { get; internal init; } = string.Empty;

    /// <summary>What it is about.</summary>
    public string Name { get; }

    /// <summary>What holds. It may be personal; do not log it.</summary>
    public string Value { get; }

    /// <summary>The source and the name, without the value.</summary>
    public override string ToString() => Source.Length == 0 ? Name : $"{Source}: {Name}";

    /// <summary>The name of a fact or of a source, which appears in logs as it is.</summary>
    /// <exception cref="ArgumentException">It is none.</exception>
    internal static string Checked(string name, string parameter)
    {
        ArgumentNullException.ThrowIfNull(name, parameter);
        return IsName(name)
            ? name
            : throw new ArgumentException(
                $"Expected 1 to {MaxNameLength} letters, digits and the characters . _ : / - of ASCII, got {Errors.SafeText.Quote(name)}.",
                parameter);
    }

    internal static bool IsName(string? name) => name is { Length: >= 1 and <= MaxNameLength }
        && name.All(static character => char.IsAsciiLetterOrDigit(character) || "._:/-".Contains(character, StringComparison.Ordinal));
}
