using System.Collections.Immutable;

namespace MutualAuth.Collections;

/// <summary>An immutable array that compares by its elements, so that a record which holds one compares by value.</summary>
internal readonly struct EquatableArray<T>(ImmutableArray<T> items) : IEquatable<EquatableArray<T>>
{
    internal ImmutableArray<T> Items { get; } = items;

    public bool Equals(EquatableArray<T> other) =>
        Items.IsDefault || other.Items.IsDefault ? Items.IsDefault == other.Items.IsDefault : Items.SequenceEqual(other.Items);

    public override bool Equals(object? obj) => obj is EquatableArray<T> other && Equals(other);

    public override int GetHashCode()
    {
        var hash = default(HashCode);
        foreach (var item in Items.IsDefault ? [] : Items)
        {
            hash.Add(item);
        }

        return hash.ToHashCode();
    }
}
