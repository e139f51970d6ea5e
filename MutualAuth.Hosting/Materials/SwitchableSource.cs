using System.Runtime.ExceptionServices;
using MutualAuth.Authorization;
using MutualAuth.Paths;
using MutualAuth.Pinning;
using MutualAuth.Reloading;
using MutualAuth.Revocation;

namespace MutualAuth.Hosting.Materials;

/// <summary>A source whose files a new configuration may replace by others, while connections that it accepted are open.</summary>
internal abstract class SwitchableSource<T> : ISwitchableSource
    where T : class
{
    private volatile Material<T> _material;

    private protected SwitchableSource(Material<T> first)
    {
        _material = first;
        Listen(first);
    }

    public event EventHandler? Replaced;

    public T Current => _material.Current;

    public IFileSource? Files => _material.Files;

    internal IEnumerable<RevocationFetchStatus> Fetches => _material.Fetches();

    internal void Switch(Material<T> next, Action<Exception> onHandlerFaulted)
    {
        Listen(next);
        var old = _material;
        _material = next;
        Forget(old);
        Raise(onHandlerFaulted);
        old.Dispose();
    }

    public void Dispose()
    {
        Forget(_material);
        _material.Dispose();
    }

    private void Listen(Material<T> material)
    {
        if (material.Source is { } source)
        {
            source.Replaced += Forward;
        }
    }

    private void Forget(Material<T> material)
    {
        if (material.Source is { } source)
        {
            source.Replaced -= Forward;
        }
    }

    // The source says of a handler that throws what there is to say, once all have heard.
    private void Forward(object? sender, EventArgs arguments)
    {
        ExceptionDispatchInfo? first = null;
        Raise(exception => first ??= ExceptionDispatchInfo.Capture(exception));
        first?.Throw();
    }

    private void Raise(Action<Exception> onHandlerFaulted)
    {
        foreach (var handler in Delegate.EnumerateInvocationList(Replaced))
        {
            try
            {
                handler(this, EventArgs.Empty);
            }
            catch (Exception exception)
            {
                onHandlerFaulted(exception);
            }
        }
    }
}

/// <summary>The same, whatever it holds.</summary>
internal interface ISwitchableSource : IReloadable, IDisposable
{
    /// <summary>The files that are followed; null for a value.</summary>
    IFileSource? Files { get; }
}

internal sealed class SwitchableTrust(Material<TrustAnchors> first) : SwitchableSource<TrustAnchors>(first), ITrustAnchorSource;

internal sealed class SwitchableRule(Material<AuthorizationRule> first) : SwitchableSource<AuthorizationRule>(first), IAuthorizationSource;

internal sealed class SwitchableLists(Material<RevocationLists> first) : SwitchableSource<RevocationLists>(first), IRevocationListSource;

internal sealed class SwitchableDenyList(Material<DenyList> first) : SwitchableSource<DenyList>(first), IDenyListSource;

internal sealed class SwitchablePins(Material<PinSet> first) : SwitchableSource<PinSet>(first), IPinSource;
