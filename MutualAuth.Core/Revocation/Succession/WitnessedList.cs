using System.Collections.Immutable;

namespace MutualAuth.Revocation;

/// <summary>A list that was in force, as a witness remembers it.</summary>
/// <param name="Mark">What later lists are compared with.</param>
/// <param name="IsProven">Whether a path has verified its signature; otherwise it may have been forged.</param>
/// <param name="Reserve">
/// The lists that it replaced, while it is not proven: they are remembered again when it turns out to be forged. Those have no reserve of their own.
/// </param>
internal sealed record WitnessedList(ListMark Mark, bool IsProven, ImmutableArray<WitnessedList> Reserve)
{
    internal WitnessedList(ListMark mark, bool isProven)
        : this(mark, isProven, [])
    {
    }

    /// <summary>What is to be remembered beneath a list that replaces this one and is not proven.</summary>
    internal ImmutableArray<WitnessedList> AsReserve => IsProven || Reserve.IsEmpty ? [new(Mark, IsProven)] : Reserve;

    /// <summary>Every list that is named here.</summary>
    internal IEnumerable<WitnessedList> All => Reserve.Prepend(this);
}
