using System.Collections.Immutable;
using MutualAuth.Evidence;

namespace MutualAuth.Validation;

/// <summary>What an <see cref="IPeerFactValidator"/> answers: a yes for a time, with facts, or a no.</summary>
/// <remarks>Immutable.</remarks>
public sealed class PeerFactVerdict
{
    /// <summary>The most facts in one answer.</summary>
    public const int MaxFacts = 64;

    /// <summary>The most characters that the names and values of one answer have together.</summary>
    public const int MaxLength = 8192;

    /// <summary>The shortest time for which a yes may count: ten seconds. What changes faster is for the application to ask.</summary>
    public static readonly TimeSpan MinLifetime = TimeSpan.FromSeconds(10);

    /// <summary>The longest: seven days.</summary>
    public static readonly TimeSpan MaxLifetime = TimeSpan.FromDays(7);

    private PeerFactVerdict(Rejection? rejection, TimeSpan lifetime, ImmutableArray<PeerFact> facts) =>
        (Rejection, Lifetime, Facts) = (rejection, lifetime, facts);

    /// <summary>The no; null for a yes.</summary>
    public Rejection? Rejection { get; }

    /// <summary>For how long the yes counts, from the moment at which the question was asked; zero with a no.</summary>
    public TimeSpan Lifetime { get; }

    /// <summary>What is known of the peer; empty with a no.</summary>
    public ImmutableArray<PeerFact> Facts { get; }

    /// <summary>Yes, for a time.</summary>
    /// <param name="lifetime">How long it counts: <see cref="MinLifetime"/> to <see cref="MaxLifetime"/>.</param>
    /// <param name="facts">What is known of the peer: at most 64, with 8,192 characters together. The same name may come more than once.</param>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="lifetime"/> is too short or too long.</exception>
    /// <exception cref="ArgumentException">There are too many facts, they are too long, or one is null.</exception>
    /// <exception cref="ArgumentNullException"><paramref name="facts"/> is null.</exception>
    public static PeerFactVerdict Holds(TimeSpan lifetime, params IEnumerable<PeerFact> facts)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(lifetime, MinLifetime);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(lifetime, MaxLifetime);
        ArgumentNullException.ThrowIfNull(facts);
        ImmutableArray<PeerFact> known = [.. facts.Take(MaxFacts + 1)];
        if (known.Contains(null!))
        {
            throw new ArgumentException("Expected facts, got a null among them.", nameof(facts));
        }

        var length = known.Sum(static fact => fact.Name.Length + fact.Value.Length);
        return known.Length > MaxFacts || length > MaxLength
            ? throw new ArgumentException(
                $"Expected at most {MaxFacts} facts of {MaxLength} characters together, got {known.Length} or more of {length}.", nameof(facts))
            : new PeerFactVerdict(null, lifetime, known);
    }

    /// <summary>No. A live connection ends with this reason.</summary>
    /// <param name="rejection">Why; usually <see cref="RejectionReason.ValidatorRefused"/>.</param>
    /// <exception cref="ArgumentNullException"><paramref name="rejection"/> is null.</exception>
    public static PeerFactVerdict Refused(Rejection rejection)
    {
        ArgumentNullException.ThrowIfNull(rejection);
        return new PeerFactVerdict(rejection, TimeSpan.Zero, []);
    }

    /// <summary>No, because of this.</summary>
    /// <param name="expected">What would have been accepted.</param>
    /// <param name="presented">What was found instead; no secret, as it is logged.</param>
    /// <exception cref="ArgumentException">One of them is null or empty.</exception>
    public static PeerFactVerdict Refused(string expected, string presented)
    {
        ArgumentException.ThrowIfNullOrEmpty(expected);
        ArgumentException.ThrowIfNullOrEmpty(presented);
        return Refused(new Rejection(RejectionReason.ValidatorRefused, expected, presented));
    }
}
