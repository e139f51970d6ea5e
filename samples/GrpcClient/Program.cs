// The client of the gRPC server beside it, which prints how to start it: unary, streaming and duplex calls over a confirmed connection, and a
// thousand streams at once.
//   dotnet run --project samples/GrpcClient -- https://localhost:8443 FOLDER [--watch]
// With --watch it goes on watching until the server ends the stream, and says how it ended.
// Exit codes: 0; 2 usage; 10 our side rejected the server; 11 the server refused us; 12 a call ended for another reason.
using Grpc.Core;
using Grpc.Net.Client;
using MutualAuth;
using MutualAuth.Http;
using MutualAuth.Samples.Inventory;

if (args is not ([_, _] or [_, _, "--watch"]))
{
    Console.Error.WriteLine("GrpcClient https://HOST:PORT FOLDER [--watch]");
    return 2;
}

var (address, files) = (args[0], args[1]);
var mutualTls = new MutualTlsClient(new MutualTlsClientOptions
{
    Identity = Identity.FromPemFiles(Path.Combine(files, "client.pem"), Path.Combine(files, "client.key")),
    Trust = TrustAnchors.FromPemFiles(Path.Combine(files, "authority.pem")),
    Authorization = Authorize.ServerName,           // the server must have the name in the address
    Confirmation = ConfirmationPolicy.Required,
});
using var channel = GrpcChannel.ForAddress(
    address, new GrpcChannelOptions { HttpHandler = new MutualTlsHttpHandler(mutualTls), DisposeHttpClient = true });
var stock = new Stock.StockClient(channel);
try
{
    var bolts = await stock.CountAsync(new Item { Name = "bolts" });
    Console.WriteLine($"{bolts.Pieces} bolts, told to {bolts.ToldTo}");
    Console.WriteLine($"connection: {mutualTls.Connections.Single()}");

    using (var moving = stock.Move())
    {
        foreach (var pieces in new[] { 5, -3, -2 })
        {
            await moving.RequestStream.WriteAsync(new Movement { Name = "bolts", Pieces = pieces });
            await moving.ResponseStream.MoveNext();
            Console.WriteLine($"moved {pieces}: {moving.ResponseStream.Current.Pieces}");
        }

        await moving.RequestStream.CompleteAsync();
    }

    var streams = Enumerable.Range(0, 1000).Select(_ => stock.Watch(new Item { Name = "nuts" })).ToArray();
    var told = await Task.WhenAll(streams.Select(async stream => await stream.ResponseStream.MoveNext() ? stream.ResponseStream.Current.Pieces : 0));
    Console.WriteLine($"{told.Length} streams at once, {told.Sum()} nuts told of, over {mutualTls.Connections.Length} connections");
    Array.ForEach(streams, stream => stream.Dispose());

    if (args.Length == 3)
    {
        using var watching = stock.Watch(new Item { Name = "bolts" });
        await watching.ResponseStream.MoveNext();
        Console.WriteLine("watching");
        while (await watching.ResponseStream.MoveNext())
        {
        }
    }

    return 0;
}
catch (RpcException exception) when (exception.TryGetHandshakeFailure(out var failure))
{
    Console.WriteLine($"not connected: {failure.Message}");
    return failure.Failure == HandshakeFailure.RefusedByPeer ? 11 : 10;
}
catch (RpcException exception)
{
    Console.WriteLine($"the call ended: {exception.StatusCode}");
    return 12;
}
