using System.Text;
using Microsoft.Extensions.Time.Testing;
using MutualAuth.Credentials;
using MutualAuth.Tests.Credentials;
using MutualAuth.Tests.Support;

namespace MutualAuth.Tests.Scenarios;

/// <summary>
/// For each change: the connection of exactly that user ends within the promised time, for the reason and in the way that the policy says. The
/// administrator is another process, as far as the store can tell.
/// </summary>
[CancelAfter(60000)]
public abstract class LiveUsersTableTests
{
    private World _world = null!;
    private ICredentialStore _store = null!;
    private IWritableCredentialStore _administration = null!;

    /// <summary>The clock of the server, and of the store where it has one.</summary>
    protected FakeTimeProvider Clock { get; private set; } = null!;

    /// <summary>Within what time a change is found.</summary>
    protected abstract TimeSpan Promise { get; }

    [SetUp]
    public async Task OpenAsync()
    {
        _world = new World { CloseTimeout = World.Moment };
        Clock = new FakeTimeProvider(TimeProvider.System.GetUtcNow());
        (_store, _administration) = await CreateAsync();
        await _administration.SetAsync("alice", Verifier("right"));
        await _administration.SetAsync("bob", Verifier("battery"));
        Clock.Advance(TimeSpan.FromSeconds(2)); // a file is looked at again
    }

    [TearDown]
    public async Task CloseAsync()
    {
        (_store as IDisposable)?.Dispose();
        (_administration as IDisposable)?.Dispose();
        _world.Dispose();
        await DeleteAsync();
    }

    [TestCase("disable", RejectionReason.UserDisabled, InvalidationAction.Abort)]
    [TestCase("remove", RejectionReason.UserRemoved, InvalidationAction.Abort)]
    [TestCase("password change", RejectionReason.PasswordChanged, InvalidationAction.Drain)]
    [TestCase("device taken", RejectionReason.UserNotAllowed, InvalidationAction.Abort)]
    [TestCase("token expired", RejectionReason.TokenExpired, InvalidationAction.Drain)]
    [TestCase("second factor removed", RejectionReason.SecondFactorRemoved, InvalidationAction.Abort)]
    [TestCase("rule changed", RejectionReason.UserNotAllowed, InvalidationAction.Abort)]
    public async Task A_change_ends_the_connection_of_that_user_and_no_other(string change, RejectionReason reason, InvalidationAction action)
    {
        var factors = (ISecondFactorStore)_administration;
        await factors.SetFactorAsync("alice", new StoredFactor("totp-1", "totp", "x"));
        await factors.SetFactorAsync("bob", new StoredFactor("totp-1", "totp", "x"));
        Clock.Advance(TimeSpan.FromSeconds(2));
        var rule = new ReplaceableUserRule(Devices("alice", "bob"));
        var end = Clock.GetUtcNow() + TimeSpan.FromHours(1);
        var server = new MutualTlsServer(_world.ServerOptions with
        {
            TimeProvider = Clock,
            Credentials = Require.CertificateAndUser(
                SaslServer.Scram(_store), SaslServer.DangerouslyUnboundTokens(new Tokens(end)), TwoFactors(_store, (ISecondFactorStore)_store)) with
            { Users = UserRules.From(rule), DecoyIterations = ScramVerifier.MinIterations },
        });
        ClientCredentials Credentials(string user, string password) => change switch
        {
            "token expired" when user == "alice" => Login.WithToken(user),
            "second factor removed" => Login.With(new OneMessage("TWO", user)),
            _ => Login.WithPassword(user, password),
        };
        await using var alice = await LogInAsync(server, Credentials("alice", "right"));
        await using var bob = await LogInAsync(server, Credentials("bob", "battery"));
        await using var late = await LogInAsync(server, Credentials("bob", "battery"));

        await (change switch
        {
            "disable" => _administration.SetDisabledAsync("alice", isDisabled: true).AsTask(),
            "remove" => _administration.RemoveAsync("alice").AsTask(),
            "password change" => _administration.SetPasswordAsync(
                "alice", Password.From("another"), iterations: ScramVerifier.MinIterations).AsTask(),
            "second factor removed" => factors.RemoveFactorAsync("alice", "totp-1").AsTask(),
            _ => Task.Run(() => rule.Replace(change switch
            {
                "device taken" => Devices("bob"),
                "rule changed" => UserRules.Named("bob"),
                _ => Devices("alice", "bob"),
            })),
        });
        var ended = EndedAsync(alice.Server.Accepted);
        Clock.Advance(change switch
        {
            "token expired" => end - Clock.GetUtcNow() + TimeSpan.FromMilliseconds(1),
            "device taken" or "rule changed" => TimeSpan.Zero,
            _ => Promise,
        });
        await ended;

        var invalidation = alice.Server.Accepted.Invalidation!;
        (invalidation.Rejection.Reason, invalidation.Action).Should().Be((reason, action));
        if (action == InvalidationAction.Abort)
        {
            await alice.Client.Accepted.Invoking(
                connection => connection.Stream.ReadExactlyAsync(new byte[1]).AsTask().WaitAsync(ConnectedPair.Deadline))
                .Should().ThrowAsync<IOException>();
        }
        else
        {
            alice.Server.Accepted.DrainRequested.IsCancellationRequested.Should().BeTrue();
            await EchoAsync(alice);
        }

        foreach (var other in new[] { bob, late })
        {
            other.Server.Accepted.Invalidation.Should().BeNull();
            await EchoAsync(other);
        }

        // The application is told before the transport is closed.
        var left = action == InvalidationAction.Abort ? 2 : 3;
        var start = TimeProvider.System.GetTimestamp();
        while (server.Connections.Length != left && TimeProvider.System.GetElapsedTime(start) < ConnectedPair.Deadline)
        {
            await Task.Yield();
        }

        server.Connections.Should().HaveCount(left);
    }

    /// <summary>The store of the server, and one that another process has of the same users.</summary>
    protected abstract Task<(ICredentialStore Store, IWritableCredentialStore Administration)> CreateAsync();

    protected virtual Task DeleteAsync() => Task.CompletedTask;

    private static ScramVerifier Verifier(string password) =>
        ScramVerifier.Create(Password.From(password), iterations: ScramVerifier.MinIterations);

    private static UserRule Devices(params string[] users) =>
        UserRules.OfDevice(new Dictionary<PeerName, IEnumerable<string>> { [PeerName.Parse("client.test")] = users });

    private static async Task EndedAsync(MutualTlsConnection connection)
    {
        var ended = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var registration = connection.NoLongerValid.Register(ended.SetResult);
        await ended.Task.WaitAsync(ConnectedPair.Deadline);
    }

    private static async Task EchoAsync(ConnectedPair pair)
    {
        await pair.Server.Accepted.Stream.WriteAsync("x"u8.ToArray());
        await pair.Client.Accepted.Stream.ReadExactlyAsync(new byte[1]).AsTask().WaitAsync(ConnectedPair.Deadline);
    }

    private static ScriptedMechanism TwoFactors(ICredentialStore store, ISecondFactorStore factors) => new(["TWO"], async (_, token, message) =>
    {
        var name = Encoding.UTF8.GetString(message.Span);
        var user = (await store.FindAsync(name, token))!;
        return SaslServerStep.Succeed(
            name,
            PeerProofs.Other,
            facts: [LoginFacts.Verifier(store, name, user.Verifiers[0]), LoginFacts.SecondFactor(factors, name, "totp-1")]);
    });

    private async Task<ConnectedPair> LogInAsync(MutualTlsServer server, ClientCredentials credentials)
    {
        var (clientSocket, serverSocket) = await ConnectedPair.SocketPairAsync();
        var pair = await ConnectedPair.ShakeAsync(
            new MutualTlsClient(_world.ClientOptions with { Credentials = credentials }).UpgradeAsync(clientSocket, "server.test"),
            server.AcceptAsync(serverSocket));
        _ = (pair.Server.Accepted, pair.Client.Accepted);
        return pair;
    }

    private sealed class Tokens(DateTimeOffset end) : ITokenValidator
    {
        public ValueTask<TokenVerdict> ValidateAsync(string token, System.Net.IPAddress? remoteAddress, CancellationToken cancellationToken) =>
            ValueTask.FromResult(TokenVerdict.Valid(token, null, notAfter: end));
    }

    private sealed class OneMessage(string name, string message) : ISaslClientMechanism, ISaslClientExchange
    {
        public IEnumerable<string> NamesFor(SaslClientContext context) => [name];

        public ISaslClientExchange Begin(string mechanism, SaslClientContext context) => this;

        public ValueTask<ReadOnlyMemory<byte>?> StartAsync(CancellationToken cancellationToken) =>
            ValueTask.FromResult<ReadOnlyMemory<byte>?>(Encoding.UTF8.GetBytes(message));

        public ValueTask<SaslClientStep> StepAsync(ReadOnlyMemory<byte> challenge, CancellationToken cancellationToken) =>
            throw new NotSupportedException();

        public SaslClientEnd Complete(ReadOnlyMemory<byte>? additionalData) => new(null, PeerProofs.None);

        public void Dispose()
        {
        }
    }
}
