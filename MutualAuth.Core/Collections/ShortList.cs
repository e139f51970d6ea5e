using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;

namespace MutualAuth.Collections;

/// <summary>A list that lives on the stack as long as it is short, and has an array of its own from the fifth item on.</summary>
/// <remarks>A copy is another list: keep it in one variable, and never in a field that is fixed.</remarks>
internal ref struct ShortList<T>
{
    private const int Few = 4;

    private FewItems _few;
    private T[]? _many;

    /// <summary>How many items it has.</summary>
    internal int Count { readonly get; private set; }

    /// <summary>Its items, in the order in which they were added; valid until the list changes.</summary>
    [UnscopedRef]
    internal readonly ReadOnlySpan<T> Items => _many is null ? ((ReadOnlySpan<T>)_few)[..Count] : _many.AsSpan(0, Count);

    internal readonly T this[int index] => Items[index];

    internal void Add(T item)
    {
        if (_many is null && Count < Few)
        {
            _few[Count++] = item;
            return;
        }

        if (Count == (_many?.Length ?? Few))
        {
            var larger = new T[2 * Count];
            Items.CopyTo(larger);
            _many = larger;
        }

        _many![Count++] = item;
    }

    /// <summary>Takes the last item away; there must be one.</summary>
    internal void RemoveLast() => Count--;

    [InlineArray(Few)]
    private struct FewItems
    {
        private T _first;
    }
}
