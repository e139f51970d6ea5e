using System.IO.Compression;
using System.Net;
using System.Text;
using MutualAuth.Revocation;
using MutualAuth.Testing.Responders;
using MutualAuth.Tests.Support;

namespace MutualAuth.Tests.Revocation;

/// <summary>Servers and handlers that do what they can to cost time, memory or places, at the wrong moment.</summary>
[CancelAfter(60_000)]
public sealed class HostileListServerTests
{
    private FetchWorld _world = null!;

    [SetUp]
    public void SetUp() => _world = new FetchWorld();

    [TearDown]
    public async Task TearDown() => await _world.DisposeAsync();

    [Test]
    public async Task An_answer_without_end_is_left_at_the_bound(CancellationToken cancellationToken)
    {
        long sent = 0;
        await using var server = new RawHttpServer(async (_, stream, token) =>
        {
            await stream.WriteAsync(Encoding.ASCII.GetBytes("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"), token);
            var block = Encoding.ASCII.GetBytes("10000\r\n" + new string('0', 0x10000) + "\r\n");
            while (true)
            {
                await stream.WriteAsync(block, token);
                Interlocked.Add(ref sent, block.Length);
            }
        });
        await using var lists = _world.Fetch(options => options with { Addresses = [server.Uri], MaxBytes = 1 << 20 });

        (await lists.FetchAsync(cancellationToken)).Should().BeFalse();

        lists.Status[0].Failure.Should().Be(RevocationFetchFailure.TooLarge);
        Interlocked.Read(ref sent).Should().BeLessThan(32 << 20, "what the system's buffers hold, and no more");
    }

    [TestCase(0, true)]
    [TestCase(1, false)]
    public async Task The_bound_is_exact(int beyond, bool isTaken, CancellationToken cancellationToken)
    {
        var crl = _world.World.IssuingCrl(spec => spec with
        {
            Revoked = [.. Enumerable.Range(1, 100).Select(serial => new MutualAuth.Testing.Revocation.RevokedCertificate(serial, spec.ThisUpdate))],
        }).Raw.ToArray();
        await using var server = new RawHttpServer(async (_, stream, token) =>
        {
            // Without a length, so that the octets alone decide.
            await stream.WriteAsync(Encoding.ASCII.GetBytes("HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n"), token);
            await stream.WriteAsync(crl, token);
        });
        await using var lists = _world.Fetch(options => options with { Addresses = [server.Uri], MaxBytes = crl.Length - beyond });

        (await lists.FetchAsync(cancellationToken)).Should().Be(isTaken);
    }

    [Test]
    [NonParallelizable] // allocations are counted for the process
    public async Task A_length_that_is_only_announced_costs_no_memory(CancellationToken cancellationToken)
    {
        var maxBytes = 512 << 20;
        await using var server = new RawHttpServer((_, stream, token) => stream.WriteAsync(
            Encoding.ASCII.GetBytes($"HTTP/1.1 200 OK\r\nContent-Length: {maxBytes}\r\nConnection: close\r\n\r\n0"), token).AsTask());
        await using var lists = _world.Fetch(options => options with { Addresses = [server.Uri], MaxBytes = maxBytes });
        var before = GC.GetTotalAllocatedBytes();

        (await lists.FetchAsync(cancellationToken)).Should().BeFalse();

        lists.Status[0].Failure.Should().Be(RevocationFetchFailure.Malformed);
        (GC.GetTotalAllocatedBytes() - before).Should().BeLessThan(64 << 20);
    }

    [Test]
    public async Task A_content_coding_that_nobody_asked_for_is_refused(CancellationToken cancellationToken)
    {
        await using var server = ServeZeroes(64 << 20);
        await using var lists = _world.Fetch(options => options with { Addresses = [server.Uri] });

        (await lists.FetchAsync(cancellationToken)).Should().BeFalse();

        lists.Status[0].Failure.Should().Be(RevocationFetchFailure.Encoded);
        server.Heads[0].Should().NotContain("Accept-Encoding");
    }

    [Test]
    [NonParallelizable] // allocations are counted for the process
    public async Task What_a_client_of_the_application_decompresses_is_bounded_as_it_is_read(CancellationToken cancellationToken)
    {
        await using var server = ServeZeroes(256 << 20);
        using var client = new HttpClient(new SocketsHttpHandler { AutomaticDecompression = DecompressionMethods.GZip });
        await using var lists = _world.Fetch(options => options with { Addresses = [server.Uri], HttpClient = client, MaxBytes = 1 << 20 });
        var before = GC.GetTotalAllocatedBytes();

        (await lists.FetchAsync(cancellationToken)).Should().BeFalse();

        lists.Status[0].Failure.Should().Be(RevocationFetchFailure.TooLarge);
        (GC.GetTotalAllocatedBytes() - before).Should().BeLessThan(64 << 20);
    }

    [Test]
    public async Task A_client_of_the_application_that_follows_a_redirection_is_not_believed(CancellationToken cancellationToken)
    {
        await using var server = new RawHttpServer(
            (_, stream, token) => RawHttpServer.SendAsync(stream, "302 Found", $"Location: {_world.Responder.FullUri}\r\n", [], token));
        using var client = new HttpClient();
        await using var lists = _world.Fetch(options => options with { Addresses = [server.Uri], HttpClient = client });

        (await lists.FetchAsync(cancellationToken)).Should().BeFalse();

        lists.Status[0].Failure.Should().Be(RevocationFetchFailure.Redirected);
        lists.Current.Lists.Should().BeEmpty();
    }

    [Test]
    public async Task An_answer_that_trickles_ends_at_the_time_limit()
    {
        await using var server = new RawHttpServer(async (_, stream, token) =>
        {
            await stream.WriteAsync(Encoding.ASCII.GetBytes("HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n0"), token);
            await Task.Delay(Timeout.InfiniteTimeSpan, token);
        });
        await using var lists = _world.Fetch(options => options with { Addresses = [server.Uri] });
        var fetching = lists.FetchAsync();
        await _world.Clock.UntilWaitAsync(_world.Options.Timeout);

        _world.Clock.Advance(_world.Options.Timeout);

        (await fetching.WaitAsync(ConnectedPair.Deadline)).Should().BeFalse();
        lists.Status[0].Failure.Should().Be(RevocationFetchFailure.TimedOut);
    }

    [Test]
    public async Task Each_address_is_asked_by_one_fetch_at_a_time(CancellationToken cancellationToken)
    {
        using var handler = new GatedHandler(() => _world.World.IssuingCrl().Raw.ToArray());
        using var client = new HttpClient(handler);
        await using var lists = _world.Fetch(options => options with { HttpClient = client });
        var many = Enumerable.Range(0, 50).Select(_ => lists.FetchAsync(cancellationToken)).ToArray();
        await handler.Arrived.WaitAsync(cancellationToken);

        handler.Open();
        (await Task.WhenAll(many)).Should().AllBeEquivalentTo(true);

        handler.MostAtOnce.Should().Be(1);
    }

    [Test]
    public async Task No_more_addresses_are_asked_at_once_than_there_are_places(CancellationToken cancellationToken)
    {
        using var handler = new GatedHandler(() => _world.World.IssuingCrl().Raw.ToArray());
        using var client = new HttpClient(handler);
        await using var lists = _world.Fetch(options => options with
        {
            Addresses = [.. Enumerable.Range(0, 20).Select(index => new Uri($"http://crl.test/{index}"))],
            HttpClient = client,
            MaxConcurrentFetches = 3,
        });
        var all = lists.FetchAsync(cancellationToken);
        for (var arrived = 0; arrived < 3; arrived++)
        {
            await handler.Arrived.WaitAsync(cancellationToken);
        }

        handler.Open();
        (await all).Should().BeTrue();

        handler.MostAtOnce.Should().Be(3);
    }

    [TestCase(false)]
    [TestCase(true)]
    public async Task A_handler_that_ignores_the_time_limit_is_left_behind_and_not_called_again_before_it_ends(bool isBlocking)
    {
        using var handler = new GatedHandler(() => _world.World.IssuingCrl().Raw.ToArray()) { IsDeaf = true, IsBlocking = isBlocking };
        using var client = new HttpClient(handler);
        await using var lists = _world.Fetch(options => options with { HttpClient = client });
        var fetching = lists.FetchAsync();
        await handler.Arrived.WaitAsync(ConnectedPair.Deadline);
        await _world.Clock.UntilWaitAsync(_world.Options.Timeout);

        _world.Clock.Advance(_world.Options.Timeout);
        (await fetching.WaitAsync(ConnectedPair.Deadline)).Should().BeFalse();
        (await lists.FetchAsync().WaitAsync(ConnectedPair.Deadline)).Should().BeFalse();
        lists.Status[0].Failure.Should().Be(RevocationFetchFailure.TimedOut);
        handler.Calls.Should().Be(1);

        handler.Open();
        await handler.Left.WaitAsync(ConnectedPair.Deadline);
        await UntilAsync(() => lists.FetchAsync());
        handler.MostAtOnce.Should().Be(1);
    }

    [Test]
    public async Task What_a_handler_throws_is_a_failure_and_nothing_else()
    {
        using var client = new HttpClient(new ThrowingHandler());
        await using var lists = _world.Fetch(options => options with { HttpClient = client });

        (await lists.FetchAsync().WaitAsync(ConnectedPair.Deadline)).Should().BeFalse();

        lists.Status[0].Failure.Should().Be(RevocationFetchFailure.Unreachable);
        lists.Status[0].Detail.Should().Contain("\\u000a", "a text of somebody else's must not begin a line of the log");
    }

    [Test]
    public async Task Nobody_at_the_address_is_a_failure()
    {
        string address;
        await using (var gone = new CrlResponder(_world.World.Issuing))
        {
            address = gone.FullUri;
        }

        await using var lists = _world.Fetch(options => options with { Addresses = [new Uri(address)] });

        (await lists.FetchAsync().WaitAsync(ConnectedPair.Deadline)).Should().BeFalse();

        lists.Status[0].Failure.Should().Be(RevocationFetchFailure.Unreachable);
    }

    [Test]
    public async Task The_end_breaks_off_what_is_under_way_and_nothing_is_asked_afterwards()
    {
        _world.Responder.Mode = ResponderMode.Hang;
        var lists = _world.Fetch();
        var fetching = lists.FetchAsync();
        await _world.Clock.UntilWaitAsync(_world.Options.Timeout);

        await lists.DisposeAsync().AsTask().WaitAsync(ConnectedPair.Deadline);

        await fetching.Awaiting(task => task).Should().ThrowAsync<OperationCanceledException>();
        await lists.Awaiting(ended => ended.FetchAsync()).Should().ThrowAsync<ObjectDisposedException>();
        _world.Clock.Advance(TimeSpan.FromDays(1));
        _world.Responder.Hits.Should().BeLessThanOrEqualTo(1);
        lists.Status[0].NextAttempt.Should().BeNull();
        await lists.DisposeAsync();
    }

    [Test]
    public async Task The_last_good_list_stays_after_the_end(CancellationToken cancellationToken)
    {
        var lists = _world.Fetch();
        await lists.FetchAsync(cancellationToken);

        await lists.DisposeAsync();

        _world.Judge(lists).Should().Be((null, RejectionReason.CertificateRevoked));
    }

    [Test]
    public async Task A_handler_of_replacements_that_throws_stops_nothing(CancellationToken cancellationToken)
    {
        _world.Responder.Mode = ResponderMode.NotFound;
        await using var lists = _world.Fetch();
        await lists.FetchAsync(cancellationToken);
        lists.Replaced += (_, _) => throw new InvalidOperationException("of the application's");
        _world.Responder.Mode = ResponderMode.Normal;

        (await lists.FetchAsync(cancellationToken)).Should().BeTrue();

        await _world.Events.NextAsync(1402);
        _world.Judge(lists).Revoked.Should().Be(RejectionReason.CertificateRevoked);
    }

    private static RawHttpServer ServeZeroes(int length) => new(async (_, stream, token) =>
    {
        using var packed = new MemoryStream();
        await using (var gzip = new GZipStream(packed, CompressionLevel.Fastest, leaveOpen: true))
        {
            var block = new byte[1 << 20];
            for (var left = length; left > 0; left -= block.Length)
            {
                await gzip.WriteAsync(block, token);
            }
        }

        await RawHttpServer.SendAsync(stream, "200 OK", "Content-Encoding: gzip\r\n", packed.ToArray(), token);
    });

    /// <summary>The handler has returned; what waits for it hears of that a moment later.</summary>
    private static async Task UntilAsync(Func<Task<bool>> isDone)
    {
        using var deadline = new CancellationTokenSource(ConnectedPair.Deadline);
        while (!await isDone())
        {
            deadline.Token.ThrowIfCancellationRequested();
            await Task.Yield();
        }
    }

    private sealed class ThrowingHandler : HttpMessageHandler
    {
        protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken) =>
            throw new InvalidOperationException("first line\nsecond line");
    }

    /// <summary>Answers once it is open, and counts who waits.</summary>
    private sealed class GatedHandler(Func<byte[]> answer) : HttpMessageHandler
    {
        private readonly TaskCompletionSource _gate = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private int _now;

        internal bool IsDeaf { get; init; }

        internal bool IsBlocking { get; init; }

        internal SemaphoreSlim Arrived { get; } = new(0);

        internal SemaphoreSlim Left { get; } = new(0);

        internal int Calls { get; private set; }

        internal int MostAtOnce { get; private set; }

        internal void Open() => _gate.TrySetResult();

        protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            lock (Arrived)
            {
                Calls++;
                MostAtOnce = Math.Max(MostAtOnce, ++_now);
            }

            Arrived.Release();
            try
            {
                if (IsBlocking)
                {
                    _gate.Task.Wait(CancellationToken.None);
                }

                await _gate.Task.WaitAsync(IsDeaf ? CancellationToken.None : cancellationToken);
                return new HttpResponseMessage(HttpStatusCode.OK) { RequestMessage = request, Content = new ByteArrayContent(answer()) };
            }
            finally
            {
                lock (Arrived)
                {
                    _now--;
                }

                Left.Release();
            }
        }
    }
}
