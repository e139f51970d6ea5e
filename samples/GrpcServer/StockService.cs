using System.Collections.Concurrent;
using Grpc.Core;
using MutualAuth.AspNetCore;
using MutualAuth.Samples.Inventory;

namespace MutualAuth.Samples;

/// <summary>What is in stock. Every answer says to whom it is told: the name is that of the caller's certificate.</summary>
internal sealed class StockService : Stock.StockBase
{
    private static readonly ConcurrentDictionary<string, int> s_stock = new() { ["bolts"] = 70, ["nuts"] = 30 };

    public override Task<Amount> Count(Item request, ServerCallContext context) => Task.FromResult(AmountOf(request.Name, context));

    public override async Task Watch(Item request, IServerStreamWriter<Amount> responseStream, ServerCallContext context)
    {
        // The first amount at once, and another whenever there is a new one: here, every second.
        using var timer = new PeriodicTimer(TimeSpan.FromSeconds(1));
        do
        {
            await responseStream.WriteAsync(AmountOf(request.Name, context), context.CancellationToken);
        }
        while (await timer.WaitForNextTickAsync(context.CancellationToken));
    }

    public override async Task Move(
        IAsyncStreamReader<Movement> requestStream, IServerStreamWriter<Amount> responseStream, ServerCallContext context)
    {
        await foreach (var movement in requestStream.ReadAllAsync(context.CancellationToken))
        {
            s_stock.AddOrUpdate(movement.Name, movement.Pieces, (_, pieces) => pieces + movement.Pieces);
            await responseStream.WriteAsync(AmountOf(movement.Name, context), context.CancellationToken);
        }
    }

    private static Amount AmountOf(string name, ServerCallContext context) =>
        new() { Pieces = s_stock.GetValueOrDefault(name), ToldTo = context.GetHttpContext().GetMutualTlsPeer()!.Name };
}
