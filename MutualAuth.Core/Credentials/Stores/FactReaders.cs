using System.Collections.Immutable;
using MutualAuth.Authorization;
using MutualAuth.Errors;

namespace MutualAuth.Credentials;

/// <summary>A reader of a source that may announce changes.</summary>
internal abstract class AnnouncedReader(object source) : FactReader
{
    private Action<IReadOnlyCollection<string>?>? _onChanged;

    internal override string Name => source.GetType().Name;

    internal override bool Subscribe(Action<IReadOnlyCollection<string>?> onChanged)
    {
        if (source is not IFactChangeSource announces)
        {
            return false;
        }

        _onChanged = onChanged;
        announces.FactsChanged += OnChanged;
        return true;
    }

    internal override void Unsubscribe()
    {
        if (source is IFactChangeSource announces)
        {
            announces.FactsChanged -= OnChanged;
        }
    }

    private void OnChanged(object? sender, FactsChangedEventArgs change) =>
        _onChanged?.Invoke(change is null || change.Keys.IsDefault ? null : change.Keys);
}

/// <summary>Asks a store about its users: all at once where it can, else one after the other.</summary>
internal sealed class VerifierReader(ICredentialStore store) : AnnouncedReader(store)
{
    internal override int MaxKeys => store is IBulkCredentialStore ? int.MaxValue : 1;

    internal override bool NeverBlocks => store is INeverBlocks;

    internal override async ValueTask<FactAnswers> AskAsync(IReadOnlyCollection<string> keys, CancellationToken cancellationToken)
    {
        var users = new Dictionary<string, StoredCredential>(keys.Count, StringComparer.Ordinal);
        if (store is IBulkCredentialStore bulk)
        {
            foreach (var user in await bulk.FindManyAsync(keys, cancellationToken).ConfigureAwait(false))
            {
                users[user.UserName] = user;
            }
        }
        else
        {
            foreach (var key in keys)
            {
                if (await store.FindAsync(key, cancellationToken).ConfigureAwait(false) is { } user)
                {
                    users[user.UserName] = user;
                }
            }
        }

        return new Answers(users, store is FileCredentialStore file ? file.AgeOfUsers : TimeSpan.Zero);
    }

    private sealed class Answers(Dictionary<string, StoredCredential> users, TimeSpan age) : FactAnswers
    {
        internal override TimeSpan Age => age;

        internal override FactState StateOf(LoginFact fact)
        {
            var name = SafeText.Quote(fact.Key);
            if (!users.TryGetValue(fact.Key, out var user))
            {
                return Lost(RejectionReason.UserRemoved, $"the user {name} in the store", "a store without that user");
            }

            if (user.IsDisabled)
            {
                return Lost(RejectionReason.UserDisabled, $"the user {name} enabled", "a user who is disabled");
            }

            var digest = ((VerifierFact)fact).Digest;
            foreach (var verifier in user.Verifiers.IsDefault ? [] : user.Verifiers)
            {
                if (string.Equals(VerifierFact.DigestOf(verifier), digest, StringComparison.Ordinal))
                {
                    return FactState.Holds;
                }
            }

            return Lost(RejectionReason.PasswordChanged, $"the verifier with which {name} logged in", "another one");
        }

        private static FactState Lost(RejectionReason reason, string expected, string presented) =>
            FactState.Lost(new Rejection(reason, expected, presented));
    }
}

/// <summary>Asks a store which factors its users have.</summary>
internal sealed class SecondFactorReader(ISecondFactorStore store) : AnnouncedReader(store)
{
    internal override int MaxKeys => store is IBulkSecondFactorStore ? int.MaxValue : 1;

    internal override bool NeverBlocks => store is INeverBlocks;

    internal override async ValueTask<FactAnswers> AskAsync(IReadOnlyCollection<string> keys, CancellationToken cancellationToken)
    {
        if (store is IBulkSecondFactorStore bulk)
        {
            return new Answers(await bulk.FindFactorIdsAsync(keys, cancellationToken).ConfigureAwait(false));
        }

        var found = new Dictionary<string, ImmutableArray<string>>(StringComparer.Ordinal);
        foreach (var key in keys)
        {
            found[key] = [.. (await store.FindFactorsAsync(key, cancellationToken).ConfigureAwait(false)).Select(factor => factor.Id)];
        }

        return new Answers(found);
    }

    private sealed class Answers(IReadOnlyDictionary<string, ImmutableArray<string>> factors) : FactAnswers
    {
        internal override FactState StateOf(LoginFact fact)
        {
            var id = ((SecondFactorFact)fact).FactorId;
            return factors.TryGetValue(fact.Key, out var ids) && !ids.IsDefault && ids.Contains(id, StringComparer.Ordinal)
                ? FactState.Holds
                : FactState.Lost(new Rejection(RejectionReason.SecondFactorRemoved, fact.ToString(), "a user who does not have it"));
        }
    }
}

/// <summary>Asks a source of another kind.</summary>
internal sealed class SourcedReader(ILoginFactSource source) : AnnouncedReader(source)
{
    internal override int MaxKeys => ILoginFactSource.MaxKeys;

    internal override async ValueTask<FactAnswers> AskAsync(IReadOnlyCollection<string> keys, CancellationToken cancellationToken) =>
        new Answers(await source.AskAsync(keys, cancellationToken).ConfigureAwait(false));

    private sealed class Answers(IReadOnlyDictionary<string, LoginFactAnswer> answers) : FactAnswers
    {
        internal override FactState StateOf(LoginFact fact) =>
            answers.TryGetValue(fact.Key, out var answer) && answer is { IsKnown: true }
                ? new FactState(IsKnown: true, answer.Objection)
                : FactState.Unknown;
    }
}
