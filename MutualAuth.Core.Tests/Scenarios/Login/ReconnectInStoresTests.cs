using Microsoft.Data.Sqlite;
using Microsoft.Extensions.Time.Testing;
using MutualAuth.Credentials;
using MutualAuth.Tests.Support;

namespace MutualAuth.Tests.Scenarios;

/// <summary>
/// Reconnect credentials of users in a file and in a database: another second factor, which an administrator's process writes, ends what was issued
/// and the connection that it opened.
/// </summary>
[CancelAfter(60000)]
[TestFixture("file")]
[TestFixture("sqlite")]
public sealed class ReconnectInStoresTests(string kind)
{
    private static readonly StoredFactor s_phone = new("phone", "own-kind", "1");

    private World _world = null!;
    private FakeTimeProvider _clock = null!;
    private string _directory = null!;
    private ICredentialStore _users = null!;
    private IWritableCredentialStore _administration = null!;
    private ReconnectCredentials _reconnects = null!;
    private HeldReconnectCredential _held = null!;

    /// <summary>A file is looked at each second, a database at each look at the users of open connections.</summary>
    private TimeSpan Promise => kind == "file" ? TimeSpan.FromSeconds(1) : TimeSpan.FromMinutes(1);

    [SetUp]
    public async Task SetUp()
    {
        _world = new World { CloseTimeout = World.Moment };
        _clock = new FakeTimeProvider(TimeProvider.System.GetUtcNow());
        _directory = Directory.CreateTempSubdirectory("mutualauth-reconnect-").FullName;
        (_users, _administration) = await OpenAsync();
        await _administration.SetAsync("alice", ScramVerifier.Create(Password.From("right"), iterations: ScramVerifier.MinIterations));
        await ((ISecondFactorStore)_administration).SetFactorAsync("alice", s_phone);
        _clock.Advance(TimeSpan.FromSeconds(2)); // a file is looked at again
        _reconnects = new ReconnectCredentials(
            new ReconnectCredentialsOptions { Server = "vpn.test", Store = _users, TimeProvider = _clock });
        _held = new HeldReconnectCredential(_clock);
    }

    [TearDown]
    public async Task TearDown()
    {
        _held.Dispose();
        _reconnects.Dispose();
        (_users as IDisposable)?.Dispose();
        (_administration as IDisposable)?.Dispose();
        _world.Dispose();
        await BusyFolder.DeleteAsync(_directory);
    }

    [TestCase("nothing", true)]
    [TestCase("the same one written again", true)]
    [TestCase("another one of the same name", false)]
    [TestCase("one more", false)]
    [TestCase("none any more", false)]
    public async Task Another_factor_ends_it_and_the_connection_that_it_opened(string change, bool counts)
    {
        await using var first = await ConnectAsync();
        await using var open = await ConnectAsync();
        var connection = open.Server.Accepted;
        connection.Peer.User!.Mechanisms.Should().Equal("RECONNECT-PLUS");
        var ended = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var registration = connection.NoLongerValid.Register(ended.SetResult);
        var factors = (ISecondFactorStore)_administration;

        await (change switch
        {
            "the same one written again" => factors.SetFactorAsync("alice", s_phone).AsTask(),
            "another one of the same name" => factors.SetFactorAsync("alice", new StoredFactor(s_phone.Id, s_phone.Kind, "2")).AsTask(),
            "one more" => factors.SetFactorAsync("alice", new StoredFactor("tablet", s_phone.Kind, "1")).AsTask(),
            "none any more" => factors.RemoveFactorAsync("alice", s_phone.Id).AsTask(),
            _ => Task.CompletedTask,
        });
        _clock.Advance(Promise);
        await using var next = await ConnectAsync();

        if (counts)
        {
            next.Server.Accepted.Peer.User!.Mechanisms.Should().Equal("RECONNECT-PLUS");
            connection.Invalidation.Should().BeNull();
            return;
        }

        next.Server.Refusal.Reason.Should().Be(RejectionReason.ReconnectCredentialNoLongerValid);
        next.Client.Refusal.PeerReason.Should().Be(PublicReason.CredentialsWrong);
        await ended.Task.WaitAsync(ConnectedPair.Deadline);
        connection.Invalidation!.Rejection.Reason.Should().Be(RejectionReason.ReconnectCredentialRevoked);
        first.Server.Accepted.Invalidation.Should().BeNull("it relies on the password alone");
    }

    /// <summary>The store of the server, and one that another process has of the same users.</summary>
    private async Task<(ICredentialStore Users, IWritableCredentialStore Administration)> OpenAsync()
    {
        if (kind == "file")
        {
            var path = Path.Combine(_directory, "users");
            return (FileCredentialStore.OpenOrCreate(path, _clock), FileCredentialStore.OpenOrCreate(path));
        }

        DatabaseCredentialStore Open() => new(
            SqliteFactory.Instance.CreateDataSource($"Data Source={Path.Combine(_directory, "users.db")}"));
        var administration = Open();
        await administration.MigrateAsync();
        return (Open(), administration);
    }

    /// <summary>A login by what the client holds, or in full; then it holds what it was issued, where the user comes in full.</summary>
    private async Task<ConnectedPair> ConnectAsync()
    {
        var ends = await ConnectedPair.ShakeAsync(
            _world.ClientOptions with { Credentials = Login.WithPassword("alice", "right").Reconnecting(_held) },
            _world.ServerOptions with
            {
                Credentials = Require.CertificateAndUser(SaslServer.Scram(_users), _reconnects.Mechanism),
                TimeProvider = _clock,
            });
        if (ends.Server.Connection is { } connection && connection.Peer.User!.Mechanisms is ["SCRAM-SHA-256-PLUS"])
        {
            var issue = await connection.IssueReconnectCredentialAsync(_reconnects);
            issue.Rejection.Should().BeNull();
            _held.Receive(ends.Client.Accepted.Peer, issue.Octets).Should().BeTrue();
        }

        return ends;
    }
}
