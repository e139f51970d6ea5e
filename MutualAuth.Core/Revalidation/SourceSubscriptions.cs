using System.Collections.Concurrent;
using System.Collections.Immutable;
using MutualAuth.Reloading;

namespace MutualAuth.Revalidation;

/// <summary>Listens to the sources of what live connections stand on for as long as there is one, or a handshake.</summary>
/// <remarks>
/// Meanwhile the registry is kept alive, even if the application holds nothing but a stream; and no longer, so that a source that outlives many
/// clients does not keep them all.
/// </remarks>
internal sealed class SourceSubscriptions
{
    private static readonly ConcurrentDictionary<ConnectionRevalidator, bool> s_inUse = new();

    private readonly ConnectionRevalidator _registry;
    private readonly ImmutableArray<IReloadable> _statements;
    private readonly ImmutableArray<IReloadable> _rules;
    private readonly ImmutableArray<IReloadable> _userRules;

    // Taken before a source's own lock, if it has one, and never by what a source calls.
    private readonly Lock _lock = new();
    private int _users;

    internal SourceSubscriptions(
        ConnectionRevalidator registry, IEnumerable<IReloadable> statements, IEnumerable<IReloadable> rules, IEnumerable<IReloadable> userRules)
    {
        _registry = registry;
        _statements = [.. statements];
        _rules = [.. rules];
        _userRules = [.. userRules];
    }

    /// <summary>There is no source to listen to.</summary>
    internal bool IsEmpty => _statements.IsEmpty && _rules.IsEmpty && _userRules.IsEmpty;

    /// <summary>Enters if that touches no source, and does not wait for users that do.</summary>
    /// <returns>False when there is no user yet, or one is just coming or going.</returns>
    internal bool TryJoin()
    {
        if (!_lock.TryEnter())
        {
            return false;
        }

        try
        {
            if (_users == 0)
            {
                return false;
            }

            _users++;
            return true;
        }
        finally
        {
            _lock.Exit();
        }
    }

    /// <summary>Returns true for the first user. If a source throws, no user is entered.</summary>
    internal bool Enter()
    {
        lock (_lock)
        {
            if (_users++ > 0)
            {
                return false;
            }

            try
            {
                s_inUse[_registry] = true;
                foreach (var source in _statements)
                {
                    source.Replaced += OnStatementsReplaced;
                }

                foreach (var source in _rules)
                {
                    source.Replaced += OnRulesReplaced;
                }

                foreach (var source in _userRules)
                {
                    source.Replaced += OnUserRulesReplaced;
                }

                return true;
            }
            catch
            {
                LeaveLocked();
                throw;
            }
        }
    }

    internal void Leave()
    {
        lock (_lock)
        {
            LeaveLocked();
        }
    }

    private void LeaveLocked()
    {
        if (--_users > 0)
        {
            return;
        }

        s_inUse.TryRemove(_registry, out _);
        foreach (var source in _statements)
        {
            Try(() => source.Replaced -= OnStatementsReplaced);
        }

        foreach (var source in _rules)
        {
            Try(() => source.Replaced -= OnRulesReplaced);
        }

        foreach (var source in _userRules)
        {
            Try(() => source.Replaced -= OnUserRulesReplaced);
        }
    }

    private static void Try(Action leave)
    {
        try
        {
            leave();
        }
        catch (Exception)
        {
            // One that was disposed of, say. Should it still call us, that does no harm; the others must be left.
        }
    }

    private void OnStatementsReplaced(object? sender, EventArgs e) => _registry.OnReplaced(concernsAll: false);

    private void OnRulesReplaced(object? sender, EventArgs e) => _registry.OnReplaced(concernsAll: true);

    private void OnUserRulesReplaced(object? sender, EventArgs e) => _registry.OnUserRulesReplaced();
}
