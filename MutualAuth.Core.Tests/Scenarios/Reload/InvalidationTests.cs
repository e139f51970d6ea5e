using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using Microsoft.Extensions.Time.Testing;
using MutualAuth.Audit;
using MutualAuth.Connections;
using MutualAuth.Evidence;
using MutualAuth.Paths;
using MutualAuth.Revocation;
using MutualAuth.Testing.Transports;
using MutualAuth.Tests.Support;
using MutualAuth.Trust;
using MutualAuth.Validation;

namespace MutualAuth.Tests.Scenarios;

/// <summary>What both ends of a real connection see when its ground is lost.</summary>
[CancelAfter(120000)]
public sealed class InvalidationTests
{
    private const string Gold = "1.3.6.1.4.1.55555.10";
    private const string Silver = "1.3.6.1.4.1.55555.20";

    private World _world = null!;
    private ReloadableLists _lists = null!;

    [SetUp]
    public void SetUp()
    {
        _world = new World(ofItsOwn: true);
        _lists = new ReloadableLists(CurrentLists());
    }

    [TearDown]
    public void TearDown() => _world.Dispose();

    [Test]
    public async Task Of_many_connections_exactly_the_revoked_one_is_reset_and_the_others_lose_no_byte()
    {
        const int Count = 24;
        var server = new MutualTlsServer(_world.ServerOptions with { Revocation = new RevocationPolicy { Lists = _lists } });
        await using var listener = MutualTlsListener.Start(new() { Server = server, EndPoint = new IPEndPoint(IPAddress.Loopback, 0) });
        using var stop = new CancellationTokenSource();
        var serving = EchoAllAsync(listener);
        var certificates = Enumerable.Range(0, Count).Select(_ => _world.Authority.IssueClient("client.test")).ToArray();
        var clients = await Task.WhenAll(certificates.Select(certificate =>
            new MutualTlsClient(_world.ClientOptions with { Identity = World.ToIdentity(certificate) })
                .ConnectAsync(listener.LocalEndPoint, "server.test")
                .WaitAsync(ConnectedPair.Deadline)));
        var talks = clients.Where((_, index) => index != 7).Select(client => TalkAsync(client, stop.Token)).ToArray();

        _world.Authority.Revoke(certificates[7]);
        _lists.Replace(CurrentLists());

        await MustBeResetAsync(clients[7]);
        await stop.CancelAsync();
        (await Task.WhenAll(talks).WaitAsync(ConnectedPair.Deadline)).Should().OnlyContain(rounds => rounds > 0);
        server.Live.Count.Should().Be(Count - 1);
        foreach (var client in clients)
        {
            await client.DisposeAsync();
        }

        await listener.StopAsync(TimeSpan.FromSeconds(20));
        (await serving.WaitAsync(ConnectedPair.Deadline)).OfType<Invalidation>().Select(lost => lost.Rejection.Reason).Should().Equal(
            RejectionReason.CertificateRevoked);
    }

    /// <summary>What an authority may certify counts for connections that are open, beside a rule that looks at policies and facts.</summary>
    [TestCase("excluded client.test", RejectionReason.NameConstraintViolated)]
    [TestCase("excluded other.test", null)]
    [TestCase("policy " + Silver, RejectionReason.PolicyRequired)]
    [TestCase("policy " + Gold, null)]
    public async Task A_constraint_of_an_anchor_that_is_tightened_ends_whom_it_no_longer_allows(string constraint, RejectionReason? reason)
    {
        using var certificate = _world.Authority.Issue(spec => spec with { DnsNames = ["client.test"], Policies = [Gold] });
        using var log = new EventLog();
        var trust = new ReplaceableTrustAnchors(_world.Trust);
        var posture = new ScriptedFacts { Always = _ => PeerFactVerdict.Holds(TimeSpan.FromHours(1), new PeerFact("compliant", "true")) };
        var server = new MutualTlsServer(_world.ServerOptions with
        {
            Trust = trust,
            AsyncValidators = [posture],
            Authorization = Authorize.AllOf(Authorize.Policy(Gold), Authorize.Fact("posture", "compliant", "true")),
            Revalidation = new RevalidationPolicy { OnUnauthorized = InvalidationAction.Abort },
            LoggerFactory = log,
        });
        var (clientSocket, serverSocket) = await ConnectedPair.SocketPairAsync();
        await using var ends = await ConnectedPair.ShakeAsync(
            new MutualTlsClient(_world.ClientOptions with { Identity = World.ToIdentity(certificate) }).UpgradeAsync(clientSocket, "server.test"),
            server.AcceptAsync(serverSocket));
        var connection = ends.Server.Accepted;

        trust.Replace(_world.Trust.WithConstraints(constraint.Split(' ') switch
        {
            ["excluded", var name] => new AnchorConstraints { ExcludedSubtrees = [GeneralSubtree.Dns(name)] },
            [_, var policy] => new AnchorConstraints { RequiredPolicies = [policy] },
            _ => throw new ArgumentOutOfRangeException(nameof(constraint)),
        }));
        (await log.NextAsync(1452)).Values["Judged"].Should().Be(1);

        (connection.Invalidation?.Rejection.Reason).Should().Be(reason);
        (server.Live.Count == 0).Should().Be(reason is not null);
    }

    /// <summary>Whoever is told of the first does not decide when the others go.</summary>
    [Test]
    public async Task An_observer_that_does_not_return_keeps_nobody_who_has_to_go([Values] bool returns)
    {
        using var never = new ManualResetEventSlim(initialState: returns);
        var told = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var rule = new ReloadableRule(Authorize.Dns("client.test"));
        var policy = new RevalidationPolicy
        {
            OnUnauthorized = InvalidationAction.Abort,
            OnInvalidated = _ =>
            {
                told.TrySetResult();
                never.Wait();
            },
        };
        var server = new MutualTlsServer(_world.ServerOptions with { Authorization = Authorize.From(rule), Revalidation = policy });
        await using var listener = MutualTlsListener.Start(new() { Server = server, EndPoint = new IPEndPoint(IPAddress.Loopback, 0) });
        var clients = await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => new MutualTlsClient(_world.ClientOptions)
            .ConnectAsync(listener.LocalEndPoint, "server.test").WaitAsync(ConnectedPair.Deadline)));
        var held = new List<MutualTlsConnection>();
        while (held.Count < clients.Length)
        {
            held.Add(await listener.AcceptAsync().AsTask().WaitAsync(ConnectedPair.Deadline));
        }

        try
        {
            rule.Replace(Authorize.Dns("other.test"));

            foreach (var client in clients)
            {
                await MustBeResetAsync(client);
            }

            // The client may see the reset before the server has struck the connection off its list.
            using var deadline = new CancellationTokenSource(ConnectedPair.Deadline);
            while (server.Live.Count > 0)
            {
                deadline.Token.ThrowIfCancellationRequested();
                await Task.Yield();
            }

            held.Should().OnlyContain(connection => connection.Invalidation != null);
            await told.Task.WaitAsync(ConnectedPair.Deadline); // it is told after they have ended
        }
        finally
        {
            never.Set();
        }
    }

    [Test]
    public async Task A_client_leaves_a_server_that_was_revoked()
    {
        var told = new TaskCompletionSource<MutualTlsConnection>();
        await using var ends = await ConnectedPair.ShakeAsync(
            _world.ClientOptions with
            { Revocation = new RevocationPolicy { Lists = _lists }, Revalidation = new RevalidationPolicy { OnInvalidated = told.SetResult } },
            _world.ServerOptions);

        _world.Authority.Revoke(_world.ServerCertificate);
        _lists.Replace(CurrentLists());

        await MustBeResetAsync(ends.Server.Accepted);
        (await told.Task.WaitAsync(ConnectedPair.Deadline)).Should().BeSameAs(ends.Client.Accepted);
        ends.Client.Accepted.Invalidation!.Rejection.Reason.Should().Be(RejectionReason.CertificateRevoked);
    }

    /// <summary>The change comes after the certificate stage has said yes and before there is a connection.</summary>
    [Test]
    public async Task A_change_that_races_a_handshake_is_found_before_anybody_gets_the_connection([Values] bool theServerIsRevoked)
    {
        var race = new AsyncRace(() =>
        {
            _world.Authority.Revoke(theServerIsRevoked ? _world.ServerCertificate : _world.ClientCertificate);
            _lists.Replace(CurrentLists());
        });
        var policy = new RevocationPolicy { Lists = _lists };
        await using var ends = theServerIsRevoked
            ? await ConnectedPair.ShakeAsync(_world.ClientOptions with { Revocation = policy, AsyncValidators = [race] }, _world.ServerOptions)
            : await ConnectedPair.ShakeAsync(_world.ClientOptions, _world.ServerOptions with { Revocation = policy, AsyncValidators = [race] });

        var (judge, judged) = theServerIsRevoked ? (ends.Client, ends.Server) : (ends.Server, ends.Client);
        judge.Accepted.Invalidation.Should().BeEquivalentTo(
            new { Action = InvalidationAction.Abort, Rejection = new { Reason = RejectionReason.CertificateRevoked } });
        judge.Accepted.DrainRequested.IsCancellationRequested.Should().BeTrue();
        await MustBeResetAsync(judged.Accepted);
    }

    /// <summary>An application may wait for either token, and then ask for the other, or for the reason.</summary>
    [Test]
    public async Task Who_sees_one_sign_of_the_end_sees_the_others([Values] bool waitsForDrain)
    {
        await using var pair = await ConnectedPair.ShakeAsync(_world.ClientOptions, _world.ServerOptions);
        var connection = pair.Server.Accepted;
        var lost = new Invalidation(new Rejection(RejectionReason.NotAuthorized, "x", "y"), InvalidationAction.Drain);
        for (var round = 0; round < 300; round++)
        {
            var sign = waitsForDrain ? connection.DrainRequested : connection.NoLongerValid;
            await using var heard = sign.Register(static () => { });
            var looks = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            var looking = Task.Run(() =>
            {
                looks.SetResult();
                var start = TimeProvider.System.GetTimestamp();
                while (!sign.IsCancellationRequested && TimeProvider.System.GetElapsedTime(start) < ConnectedPair.Deadline)
                {
                    // It looks in the very moment.
                }

                return (connection.Invalidation, connection.NoLongerValid.IsCancellationRequested, connection.DrainRequested.IsCancellationRequested);
            });
            await looks.Task.WaitAsync(ConnectedPair.Deadline);

            ((IRevalidated)connection).Invalidate(lost);

            (await looking.WaitAsync(ConnectedPair.Deadline)).Should().Be((lost, true, true));
            ((IRevalidated)connection).Restore();
        }
    }

    [Test]
    public async Task A_drained_connection_finishes_what_is_under_way_and_the_peer_sees_a_clean_end()
    {
        var rule = new ReloadableRule(Authorize.Dns("client.test"));
        await using var ends = await ConnectedPair.ShakeAsync(
            _world.ClientOptions, _world.ServerOptions with { Authorization = Authorize.From(rule), CloseTimeout = World.Moment });
        var server = ends.Server.Accepted;

        rule.Replace(Authorize.Dns("somebody-else.test"));
        await server.DrainRequested.WaitHandleAsync();
        server.NoLongerValid.IsCancellationRequested.Should().BeTrue();
        server.Invalidation!.Rejection.Reason.Should().Be(RejectionReason.NotAuthorized);
        await server.Stream.WriteAsync("last words"u8.ToArray());
        await server.DisposeAsync();

        (await new StreamReader(ends.Client.Accepted.Stream).ReadToEndAsync().WaitAsync(ConnectedPair.Deadline)).Should().Be("last words");
    }

    [Test]
    public async Task An_application_that_does_not_listen_is_cut_off_after_the_grace_period_and_the_peer_sees_a_clean_end([Values] bool reads)
    {
        var clock = new FakeTimeProvider(DateTimeOffset.UtcNow);
        var rule = new ReloadableRule(Authorize.Dns("client.test"));
        var options = _world.ServerOptions with { Authorization = Authorize.From(rule), TimeProvider = clock };
        await using var ends = await ConnectedPair.ShakeAsync(_world.ClientOptions, options);
        var (server, client) = (ends.Server.Accepted, ends.Client.Accepted);
        var reading = reads ? server.Stream.ReadAsync(new byte[1]).AsTask() : null;
        if (!reads)
        {
            await client.Stream.WriteAsync("nobody reads this"u8.ToArray());
        }

        rule.Replace(Authorize.Dns("somebody-else.test"));
        await server.DrainRequested.WaitHandleAsync();
        clock.Advance(options.Revalidation.GracePeriod);

        (await client.Stream.ReadAsync(new byte[1]).AsTask().WaitAsync(ConnectedPair.Deadline)).Should().Be(
            0, "close_notify is the end of the stream, and a reset is not");
        await client.DisposeAsync();
        if (reading is not null)
        {
            await reading.WaitAsync(ConnectedPair.Deadline).ContinueWith(_ => { }, TaskScheduler.Default);
        }
    }

    /// <summary>An abort ends at once: who is told of it first can make of it neither a clean end, nor an end of its own in the record.</summary>
    [Test]
    public async Task An_application_that_closes_in_the_moment_of_an_abort_does_not_soften_it(
        [Values("connection", "stream", "stream that blocks", "abort")] string closes)
    {
        for (var round = 0; round < 10; round++)
        {
            var rule = new ReloadableRule(Authorize.Dns("client.test"));
            var sink = new RecordingSink();
            var policy = new RevalidationPolicy { OnUnauthorized = InvalidationAction.Abort };
            await using var ends = await ConnectedPair.ShakeAsync(
                _world.ClientOptions,
                _world.ServerOptions with { Authorization = Authorize.From(rule), Revalidation = policy, Audit = sink.Policy });
            var connection = ends.Server.Accepted;
            var isWaiting = new TaskCompletionSource();
            var closing = Task.Factory.StartNew(Close, CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default).Unwrap();
            await isWaiting.Task;

            rule.Replace(Authorize.Dns("somebody-else.test"));

            await MustBeResetAsync(ends.Client.Accepted);
            await closing.WaitAsync(ConnectedPair.Deadline);
            var ended = await sink.NextAsync(AuditKinds.ConnectionEnded);
            (RecordingSink.Detail(ended, "end"), RecordingSink.Detail(ended, "reason")).Should().Be(
                ("invalidated", connection.Invalidation!.Rejection.Reason.ToCode()));

            async Task Close()
            {
                var start = TimeProvider.System.GetTimestamp();
                isWaiting.SetResult();
                while (connection.Invalidation is null && TimeProvider.System.GetElapsedTime(start) < ConnectedPair.Deadline)
                {
                    // It is as quick as can be.
                }

                switch (closes)
                {
                    case "connection":
                        await connection.DisposeAsync();
                        break;
                    case "stream":
                        await connection.Stream.DisposeAsync();
                        break;
                    case "abort":
                        connection.Abort();
                        break;
                    default:
                        connection.Stream.Close();
                        break;
                }
            }
        }
    }

    [Test]
    public async Task Notify_tells_and_does_nothing_else()
    {
        var rule = new ReloadableRule(Authorize.Dns("client.test"));
        var policy = new RevalidationPolicy { OnUnauthorized = InvalidationAction.Notify };
        await using var ends = await ConnectedPair.ShakeAsync(
            _world.ClientOptions, _world.ServerOptions with { Authorization = Authorize.From(rule), Revalidation = policy });

        rule.Replace(Authorize.Dns("somebody-else.test"));
        await ends.Server.Accepted.NoLongerValid.WaitHandleAsync();

        ends.Server.Accepted.DrainRequested.IsCancellationRequested.Should().BeFalse();
        await ends.Server.Accepted.Stream.WriteAsync("still here"u8.ToArray());
        (await new StreamReader(ends.Client.Accepted.Stream).ReadAsync(new char[10]).AsTask().WaitAsync(ConnectedPair.Deadline))
            .Should().BeGreaterThan(0);
    }

    [Test]
    public async Task A_certificate_ends_its_connection_by_the_clock_of_the_options()
    {
        var clock = new FakeTimeProvider(DateTimeOffset.UtcNow);
        using var shortLived = _world.Authority.Issue(spec => spec with { DnsNames = ["client.test"], NotAfter = clock.GetUtcNow().AddMinutes(5) });
        await using var ends = await ConnectedPair.ShakeAsync(
            _world.ClientOptions with { Identity = World.ToIdentity(shortLived) },
            _world.ServerOptions with { TimeProvider = clock, Revalidation = new RevalidationPolicy { OnExpired = InvalidationAction.Abort } });

        clock.Advance(TimeSpan.FromMinutes(5) + TimeSpan.FromSeconds(1));

        await MustBeResetAsync(ends.Client.Accepted);
        ends.Server.Accepted.Invalidation!.Rejection.Reason.Should().Be(RejectionReason.CertificateExpired);
    }

    [Test]
    public async Task An_upgraded_stream_is_watched_over_like_a_socket()
    {
        await using var wire = new DuplexPair();
        var options = _world.ServerOptions with { Revocation = new RevocationPolicy { Lists = _lists } };
        await using var ends = await ConnectedPair.ShakeAsync(
            new MutualTlsClient(_world.ClientOptions).UpgradeAsync(wire.Client, "server.test"),
            new MutualTlsServer(options).AcceptAsync(wire.Server));

        _world.Authority.Revoke(_world.ClientCertificate);
        _lists.Replace(CurrentLists());

        await ends.Server.Accepted.NoLongerValid.WaitHandleAsync();
        var read = async () => await ends.Client.Accepted.Stream.ReadAsync(new byte[1]).AsTask().WaitAsync(ConnectedPair.Deadline) == 0
            ? throw new IOException("It has ended.")
            : 0;
        await read.Should().ThrowAsync<IOException>();
    }

    [Test]
    public async Task The_server_that_was_chosen_by_name_watches_over_what_it_let_in()
    {
        var chosen = new MutualTlsServer(_world.ServerOptions with { Revocation = new RevocationPolicy { Lists = _lists } });
        var front = new MutualTlsServer(_world.ServerOptions with { SelectServer = (_, _, _) => ValueTask.FromResult<MutualTlsServer?>(chosen) });
        var (clientSocket, serverSocket) = await ConnectedPair.SocketPairAsync();
        await using var ends = await ConnectedPair.ShakeAsync(
            new MutualTlsClient(_world.ClientOptions).UpgradeAsync(clientSocket, "server.test"), front.AcceptAsync(serverSocket));
        (front.Live.Count, chosen.Live.Count).Should().Be((0, 1));

        _world.Authority.Revoke(_world.ClientCertificate);
        _lists.Replace(CurrentLists());

        await MustBeResetAsync(ends.Client.Accepted);
    }

    [Test]
    public async Task A_connection_whose_stream_alone_is_closed_is_let_go()
    {
        var client = new MutualTlsClient(_world.ClientOptions with { CloseTimeout = World.Moment });
        var (clientSocket, serverSocket) = await ConnectedPair.SocketPairAsync();
        await using var ends = await ConnectedPair.ShakeAsync(
            client.UpgradeAsync(clientSocket, "server.test"), new MutualTlsServer(_world.ServerOptions).AcceptAsync(serverSocket));
        client.Live.Count.Should().Be(1);

        await ends.Client.Accepted.Stream.DisposeAsync();

        client.Live.Count.Should().Be(0);
    }

    private static async Task MustBeResetAsync(MutualTlsConnection connection)
    {
        var read = async () =>
        {
            while (await connection.Stream.ReadAsync(new byte[4096]).AsTask().WaitAsync(ConnectedPair.Deadline) > 0)
            {
                // What was echoed before.
            }
        };
        (await read.Should().ThrowAsync<IOException>("an abort is a reset, and no end of the stream"))
            .Which.GetBaseException().Should().BeOfType<SocketException>().Which.SocketErrorCode.Should().Be(SocketError.ConnectionReset);
    }

    /// <summary>Sends random octets and compares what comes back, until it is told to stop, and once more.</summary>
    private static async Task<int> TalkAsync(MutualTlsConnection client, CancellationToken stop)
    {
        var answer = new byte[2000];
        for (var rounds = 0; ; rounds++)
        {
            var isLast = stop.IsCancellationRequested;
            var question = RandomNumberGenerator.GetBytes(answer.Length);
            await client.Stream.WriteAsync(question, CancellationToken.None);
            await client.Stream.ReadExactlyAsync(answer, CancellationToken.None).AsTask().WaitAsync(ConnectedPair.Deadline, CancellationToken.None);
            answer.Should().Equal(question);
            if (isLast)
            {
                return rounds + 1;
            }
        }
    }

    /// <summary>Echoes on every connection; gives what each had lost at its end.</summary>
    private static async Task<Invalidation?[]> EchoAllAsync(MutualTlsListener listener)
    {
        var echoes = new List<Task<Invalidation?>>();
        await foreach (var connection in listener.AcceptAllAsync())
        {
            echoes.Add(EchoAsync(connection));
        }

        return await Task.WhenAll(echoes);
    }

    private static async Task<Invalidation?> EchoAsync(MutualTlsConnection connection)
    {
        await using var owned = connection;
        var buffer = new byte[4096];
        try
        {
            while (await connection.Stream.ReadAsync(buffer) is > 0 and var count)
            {
                await connection.Stream.WriteAsync(buffer.AsMemory(0, count));
            }
        }
        catch (Exception exception) when (exception is IOException or ObjectDisposedException)
        {
            // It was ended, and says why.
        }

        return connection.Invalidation;
    }

    private RevocationLists CurrentLists() => RevocationLists.FromDer(_world.Authority.IssueCrl().Raw);

    private sealed class AsyncRace(Action change) : IAsyncPeerValidator
    {
        public ValueTask<Rejection?> ExamineAsync(AuthenticatedPeer peer, CancellationToken cancellationToken)
        {
            change();
            return ValueTask.FromResult<Rejection?>(null);
        }
    }
}
