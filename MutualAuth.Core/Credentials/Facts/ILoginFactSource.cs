namespace MutualAuth.Credentials;

/// <summary>
/// A source of facts that logins rely on and that can be asked again while their connections are open: a directory, an introspection endpoint.
/// </summary>
/// <remarks>
/// A mechanism passes <see cref="LoginFacts.Of"/> to <see cref="SaslServerStep.Succeed"/>. From then on the source is asked at each
/// <see cref="RevalidationPolicy.RecheckInterval"/>, one call at a time, about all facts of open connections; never when there is none. A source
/// that is also an <see cref="IFactChangeSource"/> is asked at once about what it announces. Implementations must be safe for use from many
/// threads. A call may block its thread, which is not of the pool.
/// </remarks>
public interface ILoginFactSource
{
    /// <summary>The most keys that one call has.</summary>
    const int MaxKeys = 1000;

    /// <summary>Says which facts hold.</summary>
    /// <param name="keys">The keys of the facts, each once, and at most <see cref="MaxKeys"/>.</param>
    /// <param name="cancellationToken">Cancelled after 30 seconds.</param>
    /// <returns>
    /// An answer for each key. A key without an answer is one of which nothing can be said now. So is every key when the call throws.
    /// </returns>
    ValueTask<IReadOnlyDictionary<string, LoginFactAnswer>> AskAsync(IReadOnlyCollection<string> keys, CancellationToken cancellationToken);
}
