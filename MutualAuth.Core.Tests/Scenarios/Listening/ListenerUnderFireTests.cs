using System.Net;
using System.Net.Sockets;
using System.Runtime.CompilerServices;
using System.Threading.Channels;
using Microsoft.Extensions.Logging;
using MutualAuth.Authorization;
using MutualAuth.Credentials;
using MutualAuth.Tests.Support;

namespace MutualAuth.Tests.Scenarios;

/// <summary>
/// Whatever the application's own code, the file system or a hasty stop does to a listener: it neither dies nor hangs, and it stops.
/// </summary>
[CancelAfter(120000)]
public sealed class ListenerUnderFireTests
{
    private World _world = null!;
    private string _directory = null!;

    [SetUp]
    public void SetUp()
    {
        _world = new World { CloseTimeout = World.Moment };
        _directory = Directory.CreateTempSubdirectory("mutualauth").FullName;
    }

    [TearDown]
    public void TearDown()
    {
        _world.Dispose();
        if (Directory.Exists(_directory))
        {
            Directory.Delete(_directory, recursive: true);
        }
    }

    [TestCase(double.MaxValue)]
    [TestCase(50 * 86_400_000.0)]
    [TestCase(-2)]
    public async Task A_stop_with_an_impossible_timeout_is_refused_and_nothing_of_it_remains(double milliseconds)
    {
        await using var listener = Listen();
        var timeout = milliseconds == double.MaxValue ? TimeSpan.MaxValue : TimeSpan.FromMilliseconds(milliseconds);

        var stop = () => listener.StopAsync(timeout);

        await stop.Should().ThrowAsync<ArgumentOutOfRangeException>();
        await using (await ConnectAsync(listener))
        {
        }

        await listener.StopAsync(TimeSpan.Zero).WaitAsync(ConnectedPair.Deadline);
        await AcceptMustSayStoppedAsync(listener);
    }

    [Test]
    public async Task A_stop_without_a_deadline_waits_until_a_token_or_another_stop_ends_it([Values] bool byToken)
    {
        await using var listener = Listen();
        await using var client = await ConnectAsync(listener);
        await using var server = await listener.AcceptAsync().AsTask().WaitAsync(ConnectedPair.Deadline);
        using var hurry = new CancellationTokenSource();

        var stopping = listener.StopAsync(Timeout.InfiniteTimeSpan, hurry.Token);
        await server.DrainRequested.WaitHandleAsync();
        stopping.IsCompleted.Should().BeFalse();
        if (byToken)
        {
            await hurry.CancelAsync();
        }
        else
        {
            await listener.DisposeAsync().AsTask().WaitAsync(ConnectedPair.Deadline);
        }

        await stopping.WaitAsync(ConnectedPair.Deadline);
        var read = () => server.Stream.ReadAsync(new byte[1]).AsTask();
        (await read.Should().ThrowAsync<ConnectionEndedException>()).Which.End.Should().Be(ConnectionEnd.ListenerStopped);
    }

    [Test]
    public async Task A_stop_closes_everything_although_the_directory_of_its_socket_is_gone()
    {
        var listener = Listen(new UnixDomainSocketEndPoint(Path.Combine(_directory, "s")));
        await using var client = await ConnectAsync(listener);
        await using var server = await listener.AcceptAsync().AsTask().WaitAsync(ConnectedPair.Deadline);
        Directory.Delete(_directory, recursive: true);

        await listener.StopAsync(TimeSpan.Zero).WaitAsync(ConnectedPair.Deadline);
        await listener.DisposeAsync();

        await AcceptMustSayStoppedAsync(listener);
        (await client.Stream.ReadAsync(new byte[1]).AsTask().WaitAsync(ConnectedPair.Deadline)).Should().Be(0, "such sockets have no reset");
        client.EndedCleanly.Should().BeFalse();
    }

    [Test]
    public async Task A_stop_returns_although_an_observer_stops_the_listener_and_waits_for_it()
    {
        MutualTlsListener listener = null!;
        var entered = new TaskCompletionSource();
        listener = Listen(configure: options => options with
        {
            OnHandshakeFailed = _ =>
            {
                entered.TrySetResult();
                listener.StopAsync(TimeSpan.Zero).Wait();
            },
        });
        await using var client = await ConnectAsync(listener);
        await using var server = await listener.AcceptAsync().AsTask().WaitAsync(ConnectedPair.Deadline);

        using (await DialAsync(listener))
        {
        }

        await entered.Task.WaitAsync(ConnectedPair.Deadline);
        await listener.StopAsync(TimeSpan.Zero).WaitAsync(ConnectedPair.Deadline);
        await MustEndAsync(client);
    }

    [Test]
    public async Task A_stop_returns_although_an_observer_does_not()
    {
        using var never = new ManualResetEventSlim();
        var entered = new TaskCompletionSource();
        var listener = Listen(configure: options => options with
        {
            OnHandshakeFailed = _ =>
            {
                entered.TrySetResult();
                never.Wait();
            },
        });
        await using var client = await ConnectAsync(listener);
        await using var server = await listener.AcceptAsync().AsTask().WaitAsync(ConnectedPair.Deadline);
        using (await DialAsync(listener))
        {
        }

        await entered.Task.WaitAsync(ConnectedPair.Deadline);
        await listener.StopAsync(TimeSpan.Zero).WaitAsync(ConnectedPair.Deadline);
        never.Set();
        await MustEndAsync(client);
    }

    [Test]
    public async Task What_a_successor_has_bound_at_the_same_path_is_not_deleted()
    {
        var endPoint = new UnixDomainSocketEndPoint(Path.Combine(_directory, "s"));
        var first = Listen(endPoint);
        File.Delete(endPoint.ToString());
        PassATickOfTheFileSystem();
        await using var second = Listen(endPoint);

        await first.DisposeAsync();

        await using var client = await ConnectAsync(second);
        client.IsConfirmed.Should().BeTrue();
        await second.DisposeAsync();
        File.Exists(endPoint.ToString()).Should().BeFalse("what it has bound it removes");
    }

    [Test]
    public async Task An_abstract_name_works_and_no_file_of_its_name_is_deleted()
    {
        if (!OperatingSystem.IsLinux())
        {
            Assert.Ignore("Abstract names are Linux's.");
        }

        var name = $"mutualauth-{Guid.NewGuid():N}";
        var bystander = Path.Combine(Directory.GetCurrentDirectory(), "@" + name);
        await File.WriteAllTextAsync(bystander, "not a socket's");
        try
        {
            var listener = Listen(new UnixDomainSocketEndPoint("\0" + name));
            await using (await ConnectAsync(listener))
            {
            }

            await listener.DisposeAsync();
            File.Exists(bystander).Should().BeTrue();
        }
        finally
        {
            File.Delete(bystander);
        }
    }

    [Test]
    public async Task A_path_that_a_crash_left_is_taken_over_where_that_is_asked_for([Values] bool asked)
    {
        var endPoint = new UnixDomainSocketEndPoint(Path.Combine(_directory, "s"));
        var crashed = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        crashed.Bind(endPoint);
        crashed.SafeHandle.Dispose(); // as the kernel does it for a process that is gone: the path stays

        var start = () => Listen(endPoint, options => options with { TakesOverStaleUnixSocket = asked });

        if (!asked)
        {
            start.Should().Throw<SocketException>().Which.SocketErrorCode.Should().Be(SocketError.AddressAlreadyInUse);
            return;
        }

        await using var listener = start();
        await using var client = await ConnectAsync(listener);
        client.IsConfirmed.Should().BeTrue();
    }

    [Test]
    public async Task A_path_at_which_somebody_listens_or_that_is_no_socket_is_never_taken_over([Values] bool isFile)
    {
        var endPoint = new UnixDomainSocketEndPoint(Path.Combine(_directory, "s"));
        await using var other = isFile ? null : Listen(endPoint);
        if (isFile)
        {
            await File.WriteAllTextAsync(endPoint.ToString(), "somebody's");
        }

        var start = () => Listen(endPoint, options => options with { TakesOverStaleUnixSocket = true });

        start.Should().Throw<SocketException>();
        File.Exists(endPoint.ToString()).Should().BeTrue();
    }

    [Test]
    public async Task Unix_peers_are_not_all_one_address()
    {
        var endPoint = new UnixDomainSocketEndPoint(Path.Combine(_directory, "s"));
        var evicted = new TaskCompletionSource<HandshakeException>();
        await using var listener = Listen(
            endPoint, options => options with { MaxPendingHellosPerAddress = 1, OnHandshakeFailed = failure => evicted.TrySetResult(failure) });
        using var first = await DialAsync(listener);
        using var second = await DialAsync(listener);

        await using var honest = await ConnectAsync(listener);

        evicted.Task.IsCompleted.Should().BeFalse();
        first.Poll(0, SelectMode.SelectRead).Should().BeFalse("it still has its place");
    }

    [Test]
    public async Task A_stopped_listener_says_so_with_one_type_to_calls_that_wait_and_later_ones()
    {
        var listener = Listen();
        var waiting = listener.AcceptAsync().AsTask();

        await listener.DisposeAsync();

        var pending = () => waiting.WaitAsync(ConnectedPair.Deadline);
        await pending.Should().ThrowAsync<ListenerStoppedException>();
        await AcceptMustSayStoppedAsync(listener);
        await foreach (var connection in listener.AcceptAllAsync())
        {
            Assert.Fail($"{connection.Peer.Name} came out of a stopped listener.");
        }
    }

    [Test]
    public async Task A_connection_that_nobody_took_ends_with_the_listener()
    {
        var listener = Listen();
        await using var client = await ConnectAsync(listener);

        await listener.StopAsync(TimeSpan.Zero).WaitAsync(ConnectedPair.Deadline);

        await MustEndAsync(client);
        await AcceptMustSayStoppedAsync(listener);
    }

    /// <summary>The client's outcome and the server's are what they are without a log.</summary>
    [Test]
    public async Task A_logger_that_throws_changes_no_outcome(
        [Values] bool isForeign, [Values(1000, 1001, 1002, 1003, 1004, 1005, 1450, -1)] int failsAt)
    {
        var told = new TaskCompletionSource<HandshakeException>();
        using var log = new FailingLog(failsAt);
        await using var listener = MutualTlsListener.Start(new()
        {
            Server = new MutualTlsServer(_world.ServerOptions with { LoggerFactory = log }),
            EndPoint = new IPEndPoint(IPAddress.Loopback, 0),
            OnHandshakeFailed = told.SetResult,
        });
        using var foreign = _world.Foreign.IssueClient("client.test");
        var identity = isForeign ? World.ToIdentity(foreign) : _world.ClientIdentity;

        var client = await End.OfAsync(
            new MutualTlsClient(_world.ClientOptions with { Identity = identity, LoggerFactory = log }).ConnectAsync(
                listener.LocalEndPoint, "server.test"));

        if (isForeign)
        {
            client.Refusal.PeerReason.Should().Be(PublicReason.UnknownCa);
            (await told.Task.WaitAsync(ConnectedPair.Deadline)).Reason.Should().Be(RejectionReason.UnknownAuthority);
            return;
        }

        await using var server = await listener.AcceptAsync().AsTask().WaitAsync(ConnectedPair.Deadline);
        await client.Accepted.Stream.WriteAsync("x"u8.ToArray());
        (await server.Stream.ReadAsync(new byte[1]).AsTask().WaitAsync(ConnectedPair.Deadline)).Should().Be(1);
        await client.Accepted.DisposeAsync();
    }

    /// <summary>Each was carried as far as the server's own flight, and then says nothing: they hold no place that an honest client needs.</summary>
    [Test]
    public async Task Hellos_that_are_complete_and_then_silence_keep_nobody_out()
    {
        await using var listener = Listen(configure: options => options with { MaxConcurrentHandshakes = 1, MaxQueuedHandshakes = 4 });
        var hello = await RecordHelloAsync();
        var silent = new List<Socket>();
        for (var count = 0; count < 20; count++)
        {
            var socket = await DialAsync(listener);
            await socket.SendAsync(hello);
            // Answered: it has been computed for, and is silent from here on.
            (await socket.ReceiveAsync(new byte[1]).WaitAsync(ConnectedPair.Deadline)).Should().Be(1);
            silent.Add(socket);
        }

        await using var client = await ConnectAsync(listener);

        client.IsConfirmed.Should().BeTrue();
        silent.ForEach(socket => socket.Dispose());
    }

    /// <summary>
    /// The two sockets are told apart by the times at which the file system made them: waits until it makes a file at another time than one before.
    /// </summary>
    private void PassATickOfTheFileSystem()
    {
        using var deadline = new CancellationTokenSource(ConnectedPair.Deadline);
        DateTime? first = null;
        for (var count = 0; ; count++)
        {
            deadline.Token.ThrowIfCancellationRequested();
            var file = Path.Combine(_directory, $"tick-{count}");
            File.WriteAllText(file, string.Empty);
            var made = File.GetLastWriteTimeUtc(file);
            if ((first ??= made) != made)
            {
                return;
            }
        }
    }

    /// <summary>
    /// Its client has finished, and holds it for done. Another one holds the only place; that keeps the one that has not finished TLS, its
    /// neighbour, and not this one.
    /// </summary>
    [Test]
    public async Task A_login_that_the_client_holds_for_done_does_not_time_out_on_a_saturated_server()
    {
        var clock = new PausingClock(DateTimeOffset.UtcNow);
        var store = new Waiting(Tests.Credentials.Sasl.Store(("alice", "right")));
        var place = new Occupied();
        var failures = Channel.CreateUnbounded<HandshakeException>();
        using var other = _world.Authority.IssueClient("other.test");
        await using var listener = MutualTlsListener.Start(new()
        {
            Server = new MutualTlsServer(_world.ServerOptions with
            {
                Credentials = Require.CertificateOrUser(SaslServer.Scram(store)),
                Validators = [place],
                TimeProvider = clock,
            }),
            EndPoint = new IPEndPoint(IPAddress.Loopback, 0),
            MaxConcurrentHandshakes = 1,
            OnHandshakeFailed = failure => failures.Writer.TryWrite(failure),
        });
        var login = new MutualTlsClient(_world.ClientOptions with { Credentials = Login.WithPassword("alice", "right") })
            .ConnectAsync(listener.LocalEndPoint, "server.test");
        await store.Entered.Task.WaitAsync(ConnectedPair.Deadline);
        var occupant = End.OfAsync(new MutualTlsClient(_world.ClientOptions with { Identity = World.ToIdentity(other) })
            .ConnectAsync(listener.LocalEndPoint, "server.test"));
        await place.Entered.Task.WaitAsync(ConnectedPair.Deadline);
        clock.Forget();
        var neighbour = End.OfAsync(new MutualTlsClient(_world.ClientOptions).ConnectAsync(listener.LocalEndPoint, "server.test"));
        await clock.UntilWaitAsync(_world.ServerOptions.HandshakeTimeout); // it has come, and its time runs

        store.Release.SetResult();
        await using var client = await login.WaitAsync(ConnectedPair.Deadline);
        await using var accepted = await listener.AcceptAsync().AsTask().WaitAsync(ConnectedPair.Deadline);
        clock.Advance(TimeSpan.FromSeconds(10));

        accepted.Peer.User!.Name.Should().Be("alice");
        await client.Stream.WriteAsync("x"u8.ToArray());
        (await accepted.Stream.ReadAsync(new byte[1]).AsTask().WaitAsync(ConnectedPair.Deadline)).Should().Be(1);
        place.Release.SetResult();
        (await occupant).Connection.Should().BeNull();
        (await neighbour).Connection.Should().BeNull();
        for (var count = 0; count < 2; count++)
        {
            (await failures.Reader.ReadAsync().AsTask().WaitAsync(ConnectedPair.Deadline)).Failure.Should().Be(HandshakeFailure.TimedOut);
        }
    }

    private static async Task<byte[]> RecordHelloAsync()
    {
        using var world = new World();
        using var recorder = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        recorder.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        recorder.Listen(1);
        var connecting = End.OfAsync(new MutualTlsClient(world.ClientOptions).ConnectAsync(recorder.LocalEndPoint!, "server.test"));
        using var accepted = await recorder.AcceptAsync().WaitAsync(ConnectedPair.Deadline);
        var buffer = new byte[4096];
        var length = await accepted.ReceiveAsync(buffer).WaitAsync(ConnectedPair.Deadline);
        accepted.Dispose();
        await connecting;
        return buffer[..length];
    }

    private static async Task AcceptMustSayStoppedAsync(MutualTlsListener listener)
    {
        var accept = () => listener.AcceptAsync().AsTask().WaitAsync(ConnectedPair.Deadline);
        (await accept.Should().ThrowAsync<ListenerStoppedException>()).Which.InnerException.Should().BeNull();
    }

    private static async Task MustEndAsync(MutualTlsConnection client)
    {
        var read = () => client.Stream.ReadAsync(new byte[1]).AsTask().WaitAsync(ConnectedPair.Deadline);
        await read.Should().ThrowAsync<IOException>();
    }

    private MutualTlsListener Listen(EndPoint? endPoint = null, Func<MutualTlsListenerOptions, MutualTlsListenerOptions>? configure = null)
    {
        var options = new MutualTlsListenerOptions
        { Server = new MutualTlsServer(_world.ServerOptions), EndPoint = endPoint ?? new IPEndPoint(IPAddress.Loopback, 0) };
        return MutualTlsListener.Start(configure?.Invoke(options) ?? options);
    }

    private Task<MutualTlsConnection> ConnectAsync(MutualTlsListener listener) =>
        new MutualTlsClient(_world.ClientOptions).ConnectAsync(listener.LocalEndPoint, "server.test").WaitAsync(ConnectedPair.Deadline);

    private static async Task<Socket> DialAsync(MutualTlsListener listener)
    {
        var endPoint = listener.LocalEndPoint;
        var socket = new Socket(
            endPoint.AddressFamily, SocketType.Stream, endPoint is UnixDomainSocketEndPoint ? ProtocolType.Unspecified : ProtocolType.Tcp);
        await socket.ConnectAsync(endPoint);
        return socket;
    }

    private sealed class Waiting(ICredentialStore inner) : ICredentialStore
    {
        internal TaskCompletionSource Entered { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        internal TaskCompletionSource Release { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public async ValueTask<StoredCredential?> FindAsync(string userName, CancellationToken cancellationToken)
        {
            Entered.TrySetResult();
            await Release.Task.WaitAsync(cancellationToken).ConfigureAwait(false);
            return await inner.FindAsync(userName, cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>Holds the thread of one client's handshake, and with it the place.</summary>
    private sealed class Occupied : ICertificateValidator
    {
        internal TaskCompletionSource Entered { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        internal TaskCompletionSource Release { get; } = new();

        public Rejection? Examine(CertificateContext context)
        {
            if (context.Certificate.DnsNames.Contains("other.test"))
            {
                Entered.TrySetResult();
                Release.Task.Wait(CancellationToken.None);
            }

            return null;
        }
    }

    /// <summary>Fails at one event, or, at -1, at all of them and in every other way.</summary>
    private sealed class FailingLog(int failsAt) : ILoggerFactory, ILogger
    {
        public ILogger CreateLogger(string categoryName) => this;

        public void AddProvider(ILoggerProvider provider) => throw new NotSupportedException();

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => failsAt == -1 ? throw Full() : null;

        public bool IsEnabled(LogLevel logLevel) => failsAt == -1 ? throw Full() : true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            if (failsAt == -1 || failsAt == eventId.Id)
            {
                throw Full();
            }
        }

        public void Dispose()
        {
        }

        [MethodImpl(MethodImplOptions.NoInlining)]
        private static AggregateException Full() => new(new IOException("The disk of the log is full."));
    }
}
