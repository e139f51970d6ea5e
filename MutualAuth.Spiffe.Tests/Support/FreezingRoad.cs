using System.Net.Sockets;
using MutualAuth.Spiffe;

namespace MutualAuth.Tests.Support;

/// <summary>
/// Stands between a workload and its agent. Connections that are open when it freezes stay open and carry nothing any more, as of a
/// half-open TCP; later ones work.
/// </summary>
internal sealed class FreezingRoad : IAsyncDisposable
{
    private readonly string _directory = Directory.CreateTempSubdirectory("road").FullName;
    private readonly Socket _listener = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
    private readonly CancellationTokenSource _stop = new();
    private readonly WorkloadApiAddress _agent;
    private CancellationTokenSource _frozen = new();
    private Task _accepting = Task.CompletedTask;

    private FreezingRoad(WorkloadApiAddress agent) => _agent = agent;

    internal WorkloadApiAddress Address => WorkloadApiAddress.Parse($"unix://{Path.Combine(_directory, "road.sock")}");

    internal static ValueTask<FreezingRoad> OpenAsync(WorkloadApiAddress agent)
    {
        var road = new FreezingRoad(agent);
        road._listener.Bind(road.Address.EndPoint);
        road._listener.Listen();
        road._accepting = Task.Run(road.AcceptAsync);
        return ValueTask.FromResult(road);
    }

    internal void Freeze() => Interlocked.Exchange(ref _frozen, new CancellationTokenSource()).Cancel();

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _accepting;
        _listener.Dispose();
        _stop.Dispose();
        Directory.Delete(_directory, recursive: true);
    }

    private async Task AcceptAsync()
    {
        var roads = new List<Task>();
        try
        {
            while (true)
            {
                var near = await _listener.AcceptAsync(_stop.Token);
                roads.Add(CarryAsync(near, Volatile.Read(ref _frozen).Token));
            }
        }
        catch (OperationCanceledException)
        {
            await Task.WhenAll(roads);
        }
    }

    private async Task CarryAsync(Socket near, CancellationToken frozen)
    {
        using var far = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        using (near)
        {
            await far.ConnectAsync(_agent.EndPoint, _stop.Token);
            using var either = CancellationTokenSource.CreateLinkedTokenSource(frozen, _stop.Token);
            await Task.WhenAny(PumpAsync(near, far, either.Token), PumpAsync(far, near, either.Token));
            if (frozen.IsCancellationRequested)
            {
                await Task.Delay(Timeout.Infinite, _stop.Token).ContinueWith(static _ => { }, TaskScheduler.Default);
            }
        }
    }

    private static async Task PumpAsync(Socket from, Socket to, CancellationToken stop)
    {
        var buffer = new byte[16 * 1024];
        try
        {
            while (await from.ReceiveAsync(buffer, stop) is > 0 and var count)
            {
                await to.SendAsync(buffer.AsMemory(0, count), stop);
            }
        }
        catch (Exception exception) when (exception is OperationCanceledException or SocketException or ObjectDisposedException)
        {
            // One side has gone, or the road is frozen.
        }
    }
}
