using System.Collections.Immutable;
using Microsoft.Extensions.Time.Testing;
using MutualAuth.Authorization;
using MutualAuth.Credentials;
using MutualAuth.Evidence;
using MutualAuth.Revalidation;

namespace MutualAuth.Tests.Support;

/// <summary>The real registry over users who have logged in, without sockets.</summary>
internal sealed class LiveUsersWorld : IDisposable
{
    internal static readonly TimeSpan Interval = TimeSpan.FromMinutes(1);

    private readonly RevalidationWorld _world = new();

    internal LiveUsersWorld(
        RevalidationPolicy? policy = null,
        Func<CredentialPolicy, CredentialPolicy>? rules = null,
        Func<double>? nextShare = null,
        Func<FakeTimeProvider, TimeProvider>? clock = null)
    {
        var credentials = Require.CertificateOrUser(SaslServer.Scram(Store)) with { Users = UserRules.From(Rule) };
        var options = _world.Options with
        {
            Credentials = rules?.Invoke(credentials) ?? credentials,
            TimeProvider = clock?.Invoke(_world.Clock) ?? _world.Clock,
        };
        Registry = new ConnectionRevalidator(_world.Stage, options, policy ?? new RevalidationPolicy(), PeerRole.Server)
        {
            NextShare = nextShare ?? Random.Shared.NextDouble,
        };
    }

    internal MemoryCredentialStore Store { get; } = new();

    internal ReplaceableUserRule Rule { get; } = new(UserRules.Any);

    internal ConnectionRevalidator Registry { get; }

    internal RevalidationWorld Certificates => _world;

    internal FakeTimeProvider Clock => _world.Clock;

    internal EventLog Log => _world.Log;

    internal static ScramVerifier Verifier(string password) =>
        ScramVerifier.Create(Password.From(password), iterations: ScramVerifier.MinIterations);

    /// <summary>A user with a verifier in the store.</summary>
    internal async Task<LoginFact> AddAsync(string name)
    {
        var verifier = Verifier(name);
        await Store.SetAsync(name, verifier);
        return LoginFacts.Verifier(Store, name, verifier);
    }

    /// <summary>A user that is in the store and has logged in.</summary>
    internal async Task<FakeConnection> LogInAsync(string name, bool hasCertificate = false) =>
        Connect(User(name, null, null, await AddAsync(name)), hasCertificate);

    internal static AuthenticatedUser User(string name, DateTimeOffset? notAfter = null, string? actsAs = null, params LoginFact[] facts) =>
        new(name, actsAs, "SCRAM-SHA-256", PeerProofs.Password, [], notAfter, [.. facts]);

    internal FakeConnection Connect(AuthenticatedUser user, bool hasCertificate = false)
    {
        using var scope = Registry.Begin();
        return Register(scope, user, hasCertificate);
    }

    internal FakeConnection Register(RegistrationScope scope, AuthenticatedUser user, bool hasCertificate = false)
    {
        var certified = hasCertificate ? _world.Judge() : null;
        var connection = new FakeConnection(
            AuthenticatedPeer.WithUser(certified, certified?.Evidence ?? new PeerEvidence(PeerRole.Client, []), user));
        scope.Register(connection, null);
        return connection;
    }

    /// <summary>The end of the next question about users: of how many, and how many connections were lost.</summary>
    internal async Task<(int Users, int Lost)> AskedAsync()
    {
        var asked = await Log.NextAsync(1459);
        return ((int)asked.Values["Users"]!, (int)asked.Values["Lost"]!);
    }

    public void Dispose() => _world.Dispose();
}

/// <summary>A store of an application's own: it can be asked about one user at a time, announces nothing, and fails when it is told to.</summary>
internal sealed class PlainStore(MemoryCredentialStore users) : ICredentialStore
{
    private int _count;
    private TaskCompletionSource _asked = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Thrown at each question; null for none.</summary>
    internal Exception? Fault { get; set; }

    /// <summary>Waited for at each question; null for nothing.</summary>
    internal ManualResetEventSlim? Hold { get; set; }

    internal int Count => Volatile.Read(ref _count);

    /// <summary>Waits until it has been asked so often.</summary>
    internal async Task AskedAsync(int count)
    {
        while (Count < count)
        {
            var next = Volatile.Read(ref _asked).Task;
            if (Count < count)
            {
                await next.WaitAsync(ConnectedPair.Deadline);
            }
        }
    }

    public ValueTask<StoredCredential?> FindAsync(string userName, CancellationToken cancellationToken)
    {
        Interlocked.Increment(ref _count);
        Interlocked.Exchange(ref _asked, new(TaskCreationOptions.RunContinuationsAsynchronously)).TrySetResult();
        Hold?.Wait(CancellationToken.None);
        return Fault is { } fault ? throw fault : users.FindAsync(userName, cancellationToken);
    }
}

/// <summary>A store that is asked about all its users at once, announces nothing, and answers when it is told to.</summary>
internal sealed class SlowStore(MemoryCredentialStore users) : IBulkCredentialStore
{
    private readonly System.Threading.Channels.Channel<Question> _questions = System.Threading.Channels.Channel.CreateUnbounded<Question>();

    internal sealed record Question(CancellationToken Cancellation)
    {
        private readonly TaskCompletionSource _answered = new(TaskCreationOptions.RunContinuationsAsynchronously);

        internal Task Answered => _answered.Task;

        internal void Answer() => _answered.TrySetResult();
    }

    /// <summary>The next question.</summary>
    internal async Task<Question> AskedAsync() => await _questions.Reader.ReadAsync().AsTask().WaitAsync(ConnectedPair.Deadline);

    public ValueTask<StoredCredential?> FindAsync(string userName, CancellationToken cancellationToken) =>
        users.FindAsync(userName, cancellationToken);

    public async ValueTask<ImmutableArray<StoredCredential>> FindManyAsync(
        IReadOnlyCollection<string> userNames, CancellationToken cancellationToken)
    {
        var question = new Question(cancellationToken);
        _questions.Writer.TryWrite(question);
        await question.Answered.WaitAsync(cancellationToken);
        return await users.FindManyAsync(userNames, cancellationToken);
    }
}

/// <summary>Second factors in memory, without announcements.</summary>
internal sealed class PlainFactors : ISecondFactorStore
{
    private readonly System.Collections.Concurrent.ConcurrentDictionary<(string User, string Id), StoredFactor> _factors = new();

    public ValueTask<ImmutableArray<StoredFactor>> FindFactorsAsync(string userName, CancellationToken cancellationToken = default) =>
        ValueTask.FromResult<ImmutableArray<StoredFactor>>([.. _factors.Where(each => each.Key.User == userName).Select(each => each.Value)]);

    public ValueTask SetFactorAsync(string userName, StoredFactor factor, CancellationToken cancellationToken = default)
    {
        _factors[(userName, factor.Id)] = factor;
        return default;
    }

    public ValueTask<bool> TryReplaceFactorAsync(
        string userName, StoredFactor before, StoredFactor after, CancellationToken cancellationToken = default) =>
        ValueTask.FromResult(_factors.TryUpdate((userName, before.Id), after, before));

    public ValueTask<bool> RemoveFactorAsync(string userName, string factorId, CancellationToken cancellationToken = default) =>
        ValueTask.FromResult(_factors.TryRemove((userName, factorId), out _));
}
