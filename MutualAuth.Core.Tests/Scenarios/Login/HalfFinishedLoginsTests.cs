using System.Net;
using System.Net.Sockets;
using MutualAuth.Confirmation;
using MutualAuth.Credentials;
using MutualAuth.Tests.Support;

namespace MutualAuth.Tests.Scenarios;

/// <summary>Clients that begin to log in and never go on hold nobody else up.</summary>
[CancelAfter(60000)]
public sealed class HalfFinishedLoginsTests
{
    private readonly List<HandshakeException> _failures = [];
    private SemaphoreSlim _failed = null!;
    private World _world = null!;
    private MemoryCredentialStore _users = null!;

    [SetUp]
    public async Task SetUp()
    {
        _failures.Clear();
        _failed = new SemaphoreSlim(0);
        _world = new World();
        _users = await TestUsers.CreateAsync();
    }

    [TearDown]
    public void TearDown()
    {
        _world.Dispose();
        _failed.Dispose();
    }

    [Test]
    public async Task More_of_them_than_there_are_places_do_not_keep_an_honest_client_waiting()
    {
        await using var listener = Listen(options => options with { MaxConcurrentHandshakes = 2, MaxQueuedHandshakes = 1 });
        var half = new List<ScriptedTlsPeer>();
        for (var count = 0; count < 6; count++)
        {
            half.Add(await BeginAsync(listener));
        }

        // Their deadline stands still: nothing but their giving up the places can let the honest client in.
        await using var honest = await Client().ConnectAsync(listener.LocalEndPoint, "server.test").WaitAsync(ConnectedPair.Deadline);

        honest.IsConfirmed.Should().BeTrue();
        _failures.Should().BeEmpty();
        foreach (var peer in half)
        {
            await peer.DisposeAsync();
        }
    }

    [Test]
    public async Task Exchanges_of_a_user_that_are_held_open_do_not_count_as_attempts_of_that_user()
    {
        await using var listener = Listen(options => options);
        var half = new List<ScriptedTlsPeer>();
        for (var count = 0; count < 70; count++)
        {
            half.Add(await BeginAsync(listener));
        }

        await using var honest = await Client().ConnectAsync(listener.LocalEndPoint, "server.test").WaitAsync(ConnectedPair.Deadline);

        honest.IsConfirmed.Should().BeTrue();
        foreach (var peer in half)
        {
            await peer.DisposeAsync();
        }
    }

    [Test]
    public async Task The_one_that_waits_longest_makes_room_for_the_newest()
    {
        await using var listener = Listen(options => options with { MaxWaitingHandshakesPerAddress = 2 });
        await using var first = await BeginAsync(listener);
        await using var second = await BeginAsync(listener);
        await using var third = await BeginAsync(listener);

        (await ReadAsync(first)).Should().Be(0, "the listener has ended it");
        (await _failed.WaitAsync(ConnectedPair.Deadline)).Should().BeTrue();
        lock (_failures)
        {
            (_failures.Single().Failure, _failures.Single().Reason).Should().Be((HandshakeFailure.NoCapacity, RejectionReason.Overloaded));
        }

        await second.SayFrameAsync(FrameType.Response, "c=x");
        (await second.HearCodeAsync()).Should().Be((int)PublicReason.ProtocolError, "it still has its place");
    }

    private static async Task<int> ReadAsync(ScriptedTlsPeer peer)
    {
        try
        {
            return await peer.Stream.ReadAsync(new byte[1]).AsTask().WaitAsync(ConnectedPair.Deadline);
        }
        catch (IOException)
        {
            return 0;
        }
    }

    private async Task<ScriptedTlsPeer> BeginAsync(MutualTlsListener listener)
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        await socket.ConnectAsync(listener.LocalEndPoint).WaitAsync(ConnectedPair.Deadline);
        var peer = await ScriptedTlsPeer.AsClientAsync(new NetworkStream(socket, ownsSocket: true), _world.ClientCertificate);
        await peer.BeginLoginAsync();
        await peer.SayStartAsync("SCRAM-SHA-256-PLUS", "p=tls-server-end-point,,n=alice,r=abcdefgh");
        await peer.HearFrameAsync(FrameType.Challenge);
        return peer;
    }

    private MutualTlsClient Client() =>
        new(_world.ClientOptions with { Identity = ClientIdentity.None, Credentials = Login.WithPassword("alice", "right") });

    private MutualTlsListener Listen(Func<MutualTlsListenerOptions, MutualTlsListenerOptions> change)
    {
        var clock = new Microsoft.Extensions.Time.Testing.FakeTimeProvider(TimeProvider.System.GetUtcNow());
        var server = new MutualTlsServer(_world.ServerOptions with { Credentials = Require.User(SaslServer.Scram(_users)), TimeProvider = clock });
        return MutualTlsListener.Start(change(new()
        {
            Server = server,
            EndPoint = new IPEndPoint(IPAddress.Loopback, 0),
            OnHandshakeFailed = failure =>
            {
                lock (_failures)
                {
                    _failures.Add(failure);
                }

                _failed.Release();
            },
        }));
    }
}
