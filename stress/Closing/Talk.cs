using System.Net.Security;

namespace MutualAuth.Stress.Closing;

/// <summary>By which calls an application reads and writes.</summary>
internal enum Calls
{
    /// <summary>ReadAsync and WriteAsync.</summary>
    Asynchronous = 0,

    /// <summary>Read and Write, on threads of their own.</summary>
    Synchronous = 1,

    /// <summary>BeginRead and BeginWrite.</summary>
    Apm = 2,
}

/// <summary>One loop of an application: reads, or writes, by one kind of calls, until it is told to end or the connection has ended.</summary>
internal static class Talk
{
    /// <summary>How many calls may come one after the other before others have their turn: many connections share few processors.</summary>
    private const int Turn = 4;

    internal static Task ReadUntilItEndsAsync(SslStream stream, Calls calls, byte[] buffer, Action moved, CancellationToken cancellationToken) =>
        calls switch
        {
            Calls.Synchronous => OnAThreadOfItsOwn(() =>
            {
                while (!cancellationToken.IsCancellationRequested && stream.Read(buffer) > 0)
                {
                    moved();
                    Thread.Yield();
                }
            }),
            Calls.Apm =>
                LoopAsync(async () => await Task.Factory.FromAsync(stream.BeginRead, stream.EndRead, buffer, 0, buffer.Length, null) > 0, moved,
                    cancellationToken),
            _ => LoopAsync(async () => await stream.ReadAsync(buffer, cancellationToken) > 0, moved, cancellationToken),
        };

    internal static Task WriteUntilItEndsAsync(SslStream stream, Calls calls, byte[] message, Action moved, CancellationToken cancellationToken) =>
        calls switch
        {
            Calls.Synchronous => OnAThreadOfItsOwn(() =>
            {
                while (!cancellationToken.IsCancellationRequested)
                {
                    stream.Write(message);
                    moved();
                    Thread.Yield();
                }
            }),
            Calls.Apm => LoopAsync(
                async () =>
                {
                    await Task.Factory.FromAsync(stream.BeginWrite, stream.EndWrite, message, 0, message.Length, null);
                    return true;
                },
                moved,
                cancellationToken),
            _ => LoopAsync(
                async () =>
                {
                    await stream.WriteAsync(message, CancellationToken.None);
                    return true;
                },
                moved,
                cancellationToken),
        };

    private static async Task LoopAsync(Func<ValueTask<bool>> call, Action moved, CancellationToken cancellationToken)
    {
        for (var count = 1; !cancellationToken.IsCancellationRequested && await call(); count++)
        {
            moved();
            if (count % Turn == 0)
            {
                await Task.Yield();
            }
        }
    }

    private static Task OnAThreadOfItsOwn(Action loop) =>
        Task.Factory.StartNew(loop, CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
}
