using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using Microsoft.Extensions.Time.Testing;
using MutualAuth.Testing.Transports;

namespace MutualAuth.Testing.Tests.Transports;

[CancelAfter(20000)]
public sealed class DuplexPairTests
{
    [Test]
    public async Task What_one_end_writes_the_other_reads(CancellationToken token)
    {
        await using var pair = new DuplexPair();

        await pair.Client.WriteAsync("ping"u8.ToArray(), token);
        await pair.Server.WriteAsync("pong!"u8.ToArray(), token);

        (await ReadAsync(pair.Server, 4, token)).Should().Equal("ping"u8.ToArray());
        (await ReadAsync(pair.Client, 5, token)).Should().Equal("pong!"u8.ToArray());
    }

    [Test]
    public async Task A_closed_end_lets_the_other_read_what_was_sent_and_then_an_end_and_fails_its_writes(CancellationToken token)
    {
        await using var pair = new DuplexPair();

        await pair.Client.WriteAsync("bye"u8.ToArray(), token);
        await pair.Client.DisposeAsync();

        (await ReadAsync(pair.Server, 3, token)).Should().Equal("bye"u8.ToArray());
        (await pair.Server.ReadAsync(new byte[1], token)).Should().Be(0);
        await pair.Server.WriteAsync(new byte[1], token); // as with a socket: nobody has said yet that it is not read
        await FluentActions.Awaiting(() => pair.Server.WriteAsync(new byte[1], token).AsTask()).Should().ThrowAsync<IOException>();
    }

    [Test]
    public async Task A_half_closed_end_can_still_read_and_not_write(CancellationToken token)
    {
        await using var pair = new DuplexPair();

        pair.Client.ShutdownWrite();

        (await pair.Server.ReadAsync(new byte[1], token)).Should().Be(0);
        await pair.Server.WriteAsync("late"u8.ToArray(), token);
        (await ReadAsync(pair.Client, 4, token)).Should().Equal("late"u8.ToArray());
        await FluentActions.Awaiting(() => pair.Client.WriteAsync(new byte[1], token).AsTask()).Should().ThrowAsync<IOException>();
    }

    [Test]
    public async Task A_read_that_waits_fails_when_its_own_end_is_closed(CancellationToken token)
    {
        await using var pair = new DuplexPair();

        var read = pair.Client.ReadAsync(new byte[1], token).AsTask();
        await pair.Client.DisposeAsync();

        (await FluentActions.Awaiting(() => read).Should().ThrowAsync<IOException>())
            .WithInnerException<SocketException>().Which.SocketErrorCode.Should().Be(SocketError.OperationAborted);
    }

    [Test]
    public async Task A_read_that_waits_can_be_cancelled()
    {
        await using var pair = new DuplexPair();
        using var cancellation = new CancellationTokenSource();

        var read = pair.Client.ReadAsync(new byte[1], cancellation.Token).AsTask();
        await cancellation.CancelAsync();

        await FluentActions.Awaiting(() => read).Should().ThrowAsync<OperationCanceledException>();
    }

    [Test]
    public async Task A_read_of_nothing_waits_until_there_is_something(CancellationToken token)
    {
        await using var pair = new DuplexPair();

        var read = pair.Server.ReadAsync(Memory<byte>.Empty, token).AsTask();
        read.IsCompleted.Should().BeFalse();
        await pair.Client.WriteAsync(new byte[1], token);

        (await read).Should().Be(0);
        (await ReadAsync(pair.Server, 1, token)).Should().Equal(0);
    }

    [Test]
    public async Task A_writer_waits_when_the_wire_is_full(CancellationToken token)
    {
        await using var pair = new DuplexPair(capacity: 10);

        var write = pair.Client.WriteAsync(new byte[25], token).AsTask();
        write.IsCompleted.Should().BeFalse();

        (await ReadAsync(pair.Server, 25, token)).Should().HaveCount(25);
        await write;
    }

    [Test]
    public async Task Flights_are_changes_of_direction_and_trips_are_what_had_to_follow_one_another(CancellationToken token)
    {
        await using var pair = new DuplexPair();

        await pair.Client.WriteAsync(new byte[3], token);
        await pair.Client.WriteAsync(new byte[4], token);
        await ReadAsync(pair.Server, 7, token);
        await pair.Server.WriteAsync(new byte[2], token);
        await ReadAsync(pair.Client, 2, token);
        await pair.Client.WriteAsync(new byte[1], token);

        pair.Flights.Should().Equal(
            new Flight(Direction.ClientToServer, 7), new Flight(Direction.ServerToClient, 2), new Flight(Direction.ClientToServer, 1));
        (pair.Client.Trips, pair.Server.Trips).Should().Be((2, 1));
        await ReadAsync(pair.Server, 1, token);
        pair.Server.Trips.Should().Be(3);
    }

    [Test]
    public async Task Sides_that_write_without_waiting_for_each_other_make_one_trip_each(CancellationToken token)
    {
        await using var pair = new DuplexPair();

        await pair.Client.WriteAsync(new byte[1], token);
        await pair.Server.WriteAsync(new byte[1], token);
        await pair.Client.WriteAsync(new byte[1], token);
        await ReadAsync(pair.Server, 2, token);
        await ReadAsync(pair.Client, 1, token);

        (pair.Client.Trips, pair.Server.Trips).Should().Be((1, 1));
    }

    [TestCase(SslProtocols.Tls12, 4, 3)]
    [TestCase(SslProtocols.Tls13, 2, 3)]
    public async Task A_mutual_TLS_handshake_takes_the_trips_that_its_RFC_says(
        SslProtocols protocol, int clientTrips, int serverTrips, CancellationToken token)
    {
        await using var pair = new DuplexPair();

        await HandshakeAsync(pair, protocol, token);

        (pair.Client.Trips, pair.Server.Trips).Should().Be((clientTrips, serverTrips));
    }

    [Test]
    public async Task TLS_survives_octets_that_come_one_by_one(CancellationToken token)
    {
        await using var pair = new DuplexPair();
        pair.ClientToServer.MaxReadSize = 1;
        pair.ServerToClient.MaxReadSize = 1;

        await HandshakeAsync(pair, SslProtocols.Tls13, token);

        pair.ClientToServer.Delivered.Should().BePositive();
    }

    [Test]
    public async Task TLS_notices_one_flipped_bit(CancellationToken token)
    {
        await using var pair = new DuplexPair();
        pair.ServerToClient.CorruptAt(700);

        await FluentActions.Awaiting(() => HandshakeAsync(pair, SslProtocols.Tls13, token)).Should().ThrowAsync<AuthenticationException>();
    }

    [Test]
    public async Task Exactly_the_named_octet_is_corrupted(CancellationToken token)
    {
        await using var pair = new DuplexPair();
        pair.ClientToServer.CorruptAt(2, 0xff);

        await pair.Client.WriteAsync(new byte[] { 1, 2 }, token);
        await pair.Client.WriteAsync(new byte[] { 3, 4 }, token);

        (await ReadAsync(pair.Server, 4, token)).Should().Equal(1, 2, 0xfc, 4);
    }

    [Test]
    public async Task A_stalled_wire_delivers_what_lies_before_and_the_rest_when_resumed(CancellationToken token)
    {
        await using var pair = new DuplexPair();
        pair.ClientToServer.StallAt(2);

        await pair.Client.WriteAsync(new byte[] { 1, 2, 3 }, token);
        (await ReadAsync(pair.Server, 2, token)).Should().Equal(1, 2);
        var read = pair.Server.ReadAsync(new byte[1], token).AsTask();
        read.IsCompleted.Should().BeFalse();
        pair.ClientToServer.Resume();

        (await read).Should().Be(1);
    }

    [Test]
    public async Task A_reset_comes_after_the_named_octet_and_breaks_both_directions(CancellationToken token)
    {
        await using var pair = new DuplexPair();
        pair.ClientToServer.ResetAt(2);

        await pair.Client.WriteAsync(new byte[] { 1, 2, 3 }, token);

        (await ReadAsync(pair.Server, 2, token)).Should().Equal(1, 2);
        await FluentActions.Awaiting(() => pair.Server.ReadAsync(new byte[1], token).AsTask()).Should().ThrowAsync<IOException>();
        await FluentActions.Awaiting(() => pair.Client.ReadAsync(new byte[1], token).AsTask()).Should().ThrowAsync<IOException>();
        await FluentActions.Awaiting(() => pair.Client.WriteAsync(new byte[1], token).AsTask()).Should().ThrowAsync<IOException>();
    }

    [Test]
    public async Task A_cut_wire_ends_in_good_order_for_the_reader_and_unnoticed_by_the_writer(CancellationToken token)
    {
        await using var pair = new DuplexPair(capacity: 4);
        pair.ClientToServer.EndAt(2);

        await pair.Client.WriteAsync(new byte[100], token);

        (await ReadAsync(pair.Server, 2, token)).Should().HaveCount(2);
        (await pair.Server.ReadAsync(new byte[1], token)).Should().Be(0);
    }

    [Test]
    public async Task Latency_and_bandwidth_follow_the_clock_that_is_given(CancellationToken token)
    {
        var clock = new FakeTimeProvider();
        await using var pair = new DuplexPair(clock);
        pair.ClientToServer.Latency = TimeSpan.FromSeconds(1);
        pair.ClientToServer.BytesPerSecond = 10;

        await pair.Client.WriteAsync(new byte[5], token);
        await pair.Client.WriteAsync(new byte[10], token);
        var first = ReadAsync(pair.Server, 5, token);
        var second = first.ContinueWith(_ => ReadAsync(pair.Server, 10, token), token, TaskContinuationOptions.None, TaskScheduler.Default).Unwrap();

        clock.Advance(TimeSpan.FromMilliseconds(1499));
        first.IsCompleted.Should().BeFalse();
        clock.Advance(TimeSpan.FromMilliseconds(1));
        await first;
        second.IsCompleted.Should().BeFalse();
        while (!second.IsCompleted)
        {
            clock.Advance(TimeSpan.FromMilliseconds(100));
            await Task.Yield();
        }

        clock.GetUtcNow().Should().BeOnOrAfter(clock.Start.AddSeconds(2.5));
    }

    [Test]
    public async Task What_went_over_the_wire_is_recorded_when_asked_for(CancellationToken token)
    {
        await using var pair = new DuplexPair();
        pair.ClientToServer.Record = true;

        await pair.Client.WriteAsync(new byte[] { 1, 2 }, token);

        pair.ClientToServer.Recording.Should().Equal(1, 2);
        pair.ServerToClient.Recording.Should().BeEmpty();
    }

    private static async Task<byte[]> ReadAsync(Stream stream, int count, CancellationToken token)
    {
        var buffer = new byte[count];
        await stream.ReadExactlyAsync(buffer, token);
        return buffer;
    }

    private static async Task HandshakeAsync(DuplexPair pair, SslProtocols protocol, CancellationToken token)
    {
        using var authority = new TestAuthority();
        using var server = authority.IssueServer("server.test");
        using var client = authority.IssueClient("client.test");
        await using var serverStream = new SslStream(pair.Server);
        await using var clientStream = new SslStream(pair.Client);
        var serverRun = serverStream.AuthenticateAsServerAsync(
            new SslServerAuthenticationOptions
            {
                ServerCertificateContext = server.ToSslContext(),
                ClientCertificateRequired = true,
                RemoteCertificateValidationCallback = (_, certificate, _, _) => certificate is not null,
                EnabledSslProtocols = protocol,
                AllowTlsResume = false,
            },
            token);
        var clientRun = clientStream.AuthenticateAsClientAsync(
            new SslClientAuthenticationOptions
            {
                TargetHost = "server.test",
                ClientCertificateContext = client.ToSslContext(),
                RemoteCertificateValidationCallback = (_, certificate, _, _) => certificate is not null,
                EnabledSslProtocols = protocol,
                AllowTlsResume = false,
            },
            token);
        await await Task.WhenAny(serverRun, clientRun);
        await Task.WhenAll(serverRun, clientRun);
    }
}
