using System.Collections.Immutable;
using System.Globalization;
using MutualAuth.Credentials;
using MutualAuth.Evidence;
using MutualAuth.Revalidation;
using MutualAuth.Testing;
using MutualAuth.Validation;

namespace MutualAuth.Benchmarks.Scale;

/// <summary>Many users who are connected, without sockets: memory, one of them disabled, and an answer about all.</summary>
internal static class LiveLogins
{
    private const int Rounds = 7;

    internal static async Task RunAsync(bool isSmall)
    {
        var count = isSmall ? 1_000 : 100_000;
        using var authority = new TestAuthority();
        using var certificate = authority.IssueServer("server.test");
        var verifier = ScramVerifier.Create(Password.From("pencil"), iterations: ScramVerifier.MinIterations);
        var store = new MemoryCredentialStore();
        var database = new Answering(store);
        for (var number = 0; number < count; number++)
        {
            await store.SetAsync(Name(number), verifier);
        }

        var options = new MutualTlsServerOptions
        {
            Identity = Identity.From(certificate.Certificate),
            Trust = authority.ToTrustAnchors(),
            Authorization = Authorize.AnyTrustedPeer,
            Credentials = Require.User(SaslServer.Scram(store)),
        };
        var (memory, bytes) = Fill(options, store, verifier, count);
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{count} live logins: {bytes / count:N0} bytes each"));
        await DisableAsync(memory, store, count);
        var (polled, _) = Fill(options, database, verifier, count);
        await AskAllAsync(polled, database, count);
        GC.KeepAlive(memory);
        GC.KeepAlive(polled);
    }

    private static string Name(int number) => string.Create(CultureInfo.InvariantCulture, $"user{number}");

    private static ((ConnectionRevalidator Registry, BareConnection[] Connections) World, long Bytes) Fill(
        MutualTlsServerOptions options, ICredentialStore store, ScramVerifier verifier, int count)
    {
        var registry = new ConnectionRevalidator(
            new CertificateStage(options),
            options,
            new RevalidationPolicy { RecheckInterval = TimeSpan.FromHours(1), MaxUserStaleness = TimeSpan.FromDays(1) },
            PeerRole.Server);
        var evidence = new PeerEvidence(PeerRole.Client, []);
        var connections = new BareConnection[count];
        for (var number = 0; number < count; number++)
        {
            var user = new AuthenticatedUser(
                Name(number), null, "SCRAM-SHA-256", PeerProofs.Password, [], null, [LoginFacts.Verifier(store, Name(number), verifier)]);
            connections[number] = new BareConnection(AuthenticatedPeer.WithUser(null, evidence, user));
        }

        var before = GC.GetTotalMemory(forceFullCollection: true);
        foreach (var connection in connections)
        {
            using var scope = registry.Begin();
            scope.Register(connection, null);
        }

        return ((registry, connections), GC.GetTotalMemory(forceFullCollection: true) - before);
    }

    private static async Task DisableAsync(
        (ConnectionRevalidator Registry, BareConnection[] Connections) world, MemoryCredentialStore store, int count)
    {
        var best = double.MaxValue;
        for (var round = 0; round < Rounds; round++)
        {
            var number = (round + 1) * (count / (Rounds + 1));
            await world.Registry.Users.IdleAsync();
            var before = Environment.CpuUsage.TotalTime;
            await store.SetDisabledAsync(Name(number), isDisabled: true);
            await world.Connections[number].Ended;
            best = Math.Min(best, (Environment.CpuUsage.TotalTime - before).TotalMilliseconds);
            await store.SetDisabledAsync(Name(number), isDisabled: false); // the next measurement begins with all of them
        }

        Console.WriteLine(string.Create(
            CultureInfo.InvariantCulture, $"{count} live logins: one disabled user found in {best:F2} ms of processor time"));
    }

    private static async Task AskAllAsync((ConnectionRevalidator Registry, BareConnection[] Connections) world, Answering database, int count)
    {
        var best = double.MaxValue;
        for (var round = 0; round < Rounds; round++)
        {
            await world.Registry.Users.IdleAsync();
            var start = TimeProvider.System.GetTimestamp();
            database.Announce();
            await world.Registry.Users.IdleAsync();
            best = Math.Min(best, TimeProvider.System.GetElapsedTime(start).TotalMilliseconds);
        }

        if (world.Registry.Count != count)
        {
            throw new InvalidOperationException("Some were lost.");
        }

        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{count} live logins: all re-evaluated in {best:F0} ms"));
    }

    /// <summary>A store that answers about all at once, as a database does, with verifiers that it has just parsed.</summary>
    private sealed class Answering(MemoryCredentialStore users) : IBulkCredentialStore, IFactChangeSource
    {
        public event EventHandler<FactsChangedEventArgs>? FactsChanged;

        internal void Announce() => FactsChanged?.Invoke(this, new FactsChangedEventArgs());

        public ValueTask<StoredCredential?> FindAsync(string userName, CancellationToken cancellationToken) =>
            users.FindAsync(userName, cancellationToken);

        public async ValueTask<ImmutableArray<StoredCredential>> FindManyAsync(
            IReadOnlyCollection<string> userNames, CancellationToken cancellationToken) =>
            [.. (await users.FindManyAsync(userNames, cancellationToken)).Select(
                user => user with { Verifiers = [.. user.Verifiers.Select(verifier => ScramVerifier.Parse(verifier.ToString()))] })];
    }
}
