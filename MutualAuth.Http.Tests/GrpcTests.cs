using System.Net;
using Grpc.Core;
using Grpc.Net.Client;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using MutualAuth.Certificates;
using MutualAuth.Revocation;
using MutualAuth.Samples.Inventory;
using MutualAuth.Tests.Support;

namespace MutualAuth.Tests;

/// <summary>gRPC over confirmed connections.</summary>
[CancelAfter(60000)]
public sealed class GrpcTests
{
    private HttpWorld _world = null!;
    private ReplaceableDenyList _denied = null!;

    [SetUp]
    public void SetUp()
    {
        _denied = new ReplaceableDenyList(DenyList.Empty);
        _world = new HttpWorld();
        _world.Server = _world.Server with { Confirmation = ConfirmationPolicy.Required, DenyList = _denied };
    }

    [TearDown]
    public void TearDown() => _world.Dispose();

    [Test]
    public async Task A_thousand_calls_are_in_flight_and_each_gets_its_answers()
    {
        await using var server = await StartAsync();
        using var channel = Channel(server, _world.Client, out var mutualTls);
        var stock = new Stock.StockClient(channel);

        var calls = Enumerable.Range(0, 1000).Select(_ => stock.Move()).ToArray();
        for (var round = 1; round <= 2; round++)
        {
            var answers = await Task.WhenAll(calls.Select(async (call, index) =>
            {
                await call.RequestStream.WriteAsync(new Movement { Pieces = index });
                (await call.ResponseStream.MoveNext()).Should().BeTrue();
                return call.ResponseStream.Current.Pieces;
            }));

            answers.Should().Equal(Enumerable.Range(0, 1000).Select(index => index * round), "each call has its own sum, and all are open");
        }

        mutualTls.Connections.Should().OnlyContain(connection => connection.IsConfirmed).And.HaveCountLessThan(100);
        await Task.WhenAll(calls.Select(call => call.RequestStream.CompleteAsync()));
        (await Task.WhenAll(calls.Select(call => call.ResponseStream.MoveNext()))).Should().OnlyContain(more => !more);
    }

    [Test]
    public async Task The_streams_of_a_revoked_client_end_and_those_of_another_go_on()
    {
        using var otherCertificate = _world.Authority.IssueClient("client.test");
        await using var server = await StartAsync();
        using var channel = Channel(server, _world.Client, out _);
        using var otherChannel = Channel(server, _world.Client with { Identity = otherCertificate.ToIdentity() }, out _);
        using var stream = await OpenAsync(channel);
        using var other = await OpenAsync(otherChannel);

        _denied.Replace(DenyList.Of(DenyEntry.Certificate(Certificate.Parse(_world.Pair.ClientCertificate.RawCertificate))));

        var ended = await FluentActions.Awaiting(() => stream.ResponseStream.MoveNext()).Should().ThrowAsync<RpcException>();
        ended.Which.StatusCode.Should().Be(StatusCode.Unavailable);
        var refused = await FluentActions.Awaiting(() => OpenAsync(channel)).Should().ThrowAsync<RpcException>();
        refused.Which.StatusCode.Should().Be(StatusCode.Internal);
        refused.Which.TryGetHandshakeFailure(out var failure).Should().BeTrue();
        (failure!.Reason, failure.PeerReason).Should().Be((RejectionReason.RefusedByPeer, PublicReason.AccessDenied));

        await other.RequestStream.WriteAsync(new Movement { Pieces = 3 });
        (await other.ResponseStream.MoveNext()).Should().BeTrue();
        other.ResponseStream.Current.Pieces.Should().Be(4);
    }

    [Test]
    public async Task A_server_that_we_no_longer_accept_ends_our_streams_with_the_reason()
    {
        var denied = new ReplaceableDenyList(DenyList.Empty);
        await using var server = await StartAsync();
        using var channel = Channel(server, _world.Client with { DenyList = denied }, out _);
        using var stream = await OpenAsync(channel);

        denied.Replace(DenyList.Of(DenyEntry.Certificate(Certificate.Parse(_world.Pair.ServerCertificate.RawCertificate))));

        var ended = await FluentActions.Awaiting(() => stream.ResponseStream.MoveNext()).Should().ThrowAsync<RpcException>();
        ended.Which.TryGetRejection(out var rejection).Should().BeTrue();
        rejection!.Reason.Should().Be(RejectionReason.DenyListed);
        var next = await FluentActions.Awaiting(() => OpenAsync(channel)).Should().ThrowAsync<RpcException>();
        next.Which.TryGetHandshakeFailure(out var failure).Should().BeTrue();
        (failure!.Failure, failure.Reason).Should().Be((HandshakeFailure.PeerRejected, RejectionReason.DenyListed));
    }

    [Test]
    public async Task A_deadline_ends_the_call_and_not_the_connection()
    {
        await using var server = await StartAsync();
        using var channel = Channel(server, _world.Client, out var mutualTls);
        using var stream = await OpenAsync(channel);

        using var late = new Stock.StockClient(channel).Move(deadline: DateTime.UtcNow.AddMilliseconds(50));
        var ended = await FluentActions.Awaiting(() => late.ResponseStream.MoveNext()).Should().ThrowAsync<RpcException>();

        ended.Which.StatusCode.Should().Be(StatusCode.DeadlineExceeded);
        await stream.RequestStream.WriteAsync(new Movement { Pieces = 1 });
        (await stream.ResponseStream.MoveNext()).Should().BeTrue();
        mutualTls.Connections.Should().ContainSingle();
    }

    private Task<WebServer> StartAsync() =>
        WebServer.StartAsync(_world.Server, app => app.MapGrpcService<Sums>(), services => services.AddGrpc());

    private static GrpcChannel Channel(WebServer server, MutualTlsClientOptions options, out MutualTlsClient mutualTls)
    {
        mutualTls = new MutualTlsClient(options with { Confirmation = ConfirmationPolicy.Required });
        return GrpcChannel.ForAddress(server.At(string.Empty), new GrpcChannelOptions
        {
            HttpHandler = new MutualTlsHttpHandler(mutualTls, HttpWorld.Dialling(server)),
            DisposeHttpClient = true,
        });
    }

    private static async Task<AsyncDuplexStreamingCall<Movement, Amount>> OpenAsync(GrpcChannel channel)
    {
        var call = new Stock.StockClient(channel).Move();
        await call.RequestStream.WriteAsync(new Movement { Pieces = 1 });
        (await call.ResponseStream.MoveNext()).Should().BeTrue();
        return call;
    }

    /// <summary>Adds up what comes in.</summary>
    private sealed class Sums : Stock.StockBase
    {
        public override async Task Move(
            IAsyncStreamReader<Movement> requestStream, IServerStreamWriter<Amount> responseStream, ServerCallContext context)
        {
            var sum = 0;
            await foreach (var movement in requestStream.ReadAllAsync(context.CancellationToken))
            {
                await responseStream.WriteAsync(new Amount { Pieces = sum += movement.Pieces }, context.CancellationToken);
            }
        }
    }
}
