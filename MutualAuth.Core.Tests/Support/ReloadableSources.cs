using MutualAuth.Authorization;
using MutualAuth.Paths;
using MutualAuth.Pinning;
using MutualAuth.Reloading;
using MutualAuth.Revocation;

namespace MutualAuth.Tests.Support;

/// <summary>A source whose material tests replace, in one step or in the two that it has: taking the place, and saying so.</summary>
internal abstract class ReloadableSource<T>(T first) : IReloadable
{
    private Func<T> _current = () => first;

    public event EventHandler? Replaced;

    public T Current
    {
        get => _current();
        set => _current = () => value;
    }

    /// <summary>Whether there is a handler.</summary>
    internal bool IsWatched => Replaced is not null;

    internal void Replace(T material)
    {
        Current = material;
        SayReplaced();
    }

    /// <summary>Breaks the source: asking it throws from now on.</summary>
    internal void Break() => _current = () => throw new InvalidOperationException("The source is broken.");

    internal void SayReplaced() => Replaced?.Invoke(this, EventArgs.Empty);
}

internal sealed class ReloadableLists(RevocationLists first) : ReloadableSource<RevocationLists>(first), IRevocationListSource;

internal sealed class ReloadableDenyList(DenyList first) : ReloadableSource<DenyList>(first), IDenyListSource;

internal sealed class ReloadableTrust(TrustAnchors first) : ReloadableSource<TrustAnchors>(first), ITrustAnchorSource;

internal sealed class ReloadablePins(PinSet first) : ReloadableSource<PinSet>(first), IPinSource;

internal sealed class ReloadableRule(AuthorizationRule first) : ReloadableSource<AuthorizationRule>(first), IAuthorizationSource;
