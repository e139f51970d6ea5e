using System.Net.Sockets;

namespace MutualAuth.Testing.Tests.Transports;

/// <summary>
/// What the near end of a connection can live through, by the sentence that docs/reference/wires.md has for it. Each scene tells what it saw,
/// step by step; one that came too late for what it is about tells null, and is played again.
/// </summary>
internal static class WireScenes
{
    private static readonly CancellationToken s_cancelled = new(canceled: true);
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(2);
    private static readonly byte[] s_much = new byte[32 * 1024 * 1024]; // more than any socket buffers

    internal static IReadOnlyDictionary<string, Func<IWire, Task<string?>>> All { get; } = new Dictionary<string, Func<IWire, Task<string?>>>
    {
        // Tokens.
        ["Read with a cancelled token while octets wait; read"] = async wire =>
        {
            await WriteAsync(wire.Far, 3);
            wire.UntilArrived(3);
            return Told(await ReadAsync(wire.Near, 9, s_cancelled), await ReadAsync(wire.Near));
        },
        ["Write with a cancelled token; write 1, and the far end reads"] = async wire =>
            Told(await WriteAsync(wire.Near, 3, s_cancelled), await WriteAsync(wire.Near, 1), await ReadAsync(wire.Far)),
        ["Read nothing, write nothing, flush, each with a cancelled token"] = async wire => Told(
            await ReadAsync(wire.Near, 0, s_cancelled),
            await WriteAsync(wire.Near, 0, s_cancelled),
            await DoneAsync(() => wire.Near.FlushAsync(s_cancelled))),
        ["The token of a read that waits is cancelled; read"] = async wire =>
        {
            using var cancellation = new CancellationTokenSource();
            var read = ReadAsync(wire.Near, 9, cancellation.Token);
            await cancellation.CancelAsync();
            var first = await read;
            await WriteAsync(wire.Far, 5);
            return Told(first, await ReadAsync(wire.Near));
        },
        ["The token of a write that waits for room is cancelled"] = async wire =>
        {
            using var cancellation = new CancellationTokenSource();
            var write = ToldAsync(() => wire.Near.WriteAsync(s_much, cancellation.Token));
            await cancellation.CancelAsync();
            return await write;
        },
        ["Begin a read that waits, then a write; the far end reads, and writes 3"] = async wire =>
        {
            var read = Task.Factory.FromAsync(wire.Near.BeginRead, wire.Near.EndRead, new byte[9], 0, 9, null);
            var write = Task.Run(() => Task.Factory.FromAsync(wire.Near.BeginWrite, wire.Near.EndWrite, new byte[5], 0, 5, null));
            if (await Task.WhenAny(write, Task.Delay(s_patience)) != write)
            {
                return "the write waits for the read";
            }

            var far = await ReadAsync(wire.Far);
            await WriteAsync(wire.Far, 3);
            return Told(far, $"{await read} read");
        },
        ["Read and write with a cancelled token after closing"] = async wire =>
        {
            await wire.Near.DisposeAsync();
            return Told(await ReadAsync(wire.Near, 1, s_cancelled), await WriteAsync(wire.Near, 1, s_cancelled));
        },

        // The own end closes.
        ["Close while two reads wait"] = async wire =>
        {
            var (first, second) = (ReadAsync(wire.Near), ReadAsync(wire.Near));
            await wire.Near.DisposeAsync();
            return InTime(Told(await first, await second));
        },
        ["Close while a write waits for room"] = async wire =>
        {
            var write = ToldAsync(() => wire.Near.WriteAsync(s_much));
            await wire.Near.DisposeAsync();
            return InTime(await write);
        },
        ["Close while a synchronous read waits"] = async wire =>
        {
            var read = BlockingAsync(() => wire.Near.Read(new byte[1], 0, 1));
            await wire.Near.DisposeAsync();
            return InTime(await read);
        },
        ["Close while a synchronous write waits for room"] = async wire =>
        {
            var write = BlockingAsync(() =>
            {
                wire.Near.Write(s_much, 0, s_much.Length);
                return 0;
            });
            await wire.Far.ReadExactlyAsync(new byte[1]); // so the write has begun
            await wire.Near.DisposeAsync();
            return (await write).Split(' ')[0]; // the code in a socket's error is now one, now another
        },
        ["Read, write, read nothing, write nothing after closing"] = async wire =>
        {
            await wire.Near.DisposeAsync();
            return Told(
                await ReadAsync(wire.Near), await WriteAsync(wire.Near, 1), await ReadAsync(wire.Near, 0), await WriteAsync(wire.Near, 0));
        },
        ["Read and write synchronously, flush, shut down, close after closing"] = async wire =>
        {
            await wire.Near.DisposeAsync();
            return Told(
                await BlockingAsync(() => wire.Near.Read(new byte[1], 0, 1)),
                await DoneAsync(() => wire.Near.Write([1], 0, 1)),
                await DoneAsync(wire.Near.Flush),
                await DoneAsync(wire.ShutdownNear),
                await DoneAsync(wire.Near.Dispose));
        },
        ["CanRead, CanWrite, CanSeek, CanTimeout, before and after closing"] = wire =>
        {
            var before = Can(wire.Near);
            wire.Near.Dispose();
            return Task.FromResult<string?>(Told(before, Can(wire.Near)));

            static string Can(Stream stream) => $"{stream.CanRead} {stream.CanWrite} {stream.CanSeek} {stream.CanTimeout}";
        },

        // The far end closes.
        ["The far end closes while a read waits; read"] = async wire =>
        {
            var read = ReadAsync(wire.Near);
            await wire.Far.DisposeAsync();
            return Told(await read, await ReadAsync(wire.Near));
        },
        ["The far end writes 3 and closes; read three times"] = async wire =>
        {
            await WriteAsync(wire.Far, 3);
            await wire.Far.DisposeAsync();
            return Told(await ReadAsync(wire.Near), await ReadAsync(wire.Near), await ReadAsync(wire.Near));
        },
        ["The far end closes; write three times"] = async wire =>
        {
            await wire.Far.DisposeAsync();
            var first = await WriteAsync(wire.Near, 1);
            wire.UntilReset();
            return Told(first, await WriteAsync(wire.Near, 1), await WriteAsync(wire.Near, 1));
        },
        ["The far end closes; read, write, read, write nothing"] = async wire =>
        {
            await wire.Far.DisposeAsync();
            var (read, write) = (await ReadAsync(wire.Near), await WriteAsync(wire.Near, 1));
            wire.UntilReset();
            return Told(read, write, await ReadAsync(wire.Near), await WriteAsync(wire.Near, 0));
        },
        ["The far end closes; write nothing twice, write 1"] = async wire =>
        {
            await wire.Far.DisposeAsync();
            wire.UntilEnded();
            return Told(await WriteAsync(wire.Near, 0), await WriteAsync(wire.Near, 0), await WriteAsync(wire.Near, 1));
        },
        ["The far end writes 3 and closes; write, read twice, write"] = async wire =>
        {
            await WriteAsync(wire.Far, 3);
            await wire.Far.DisposeAsync();
            var write = await WriteAsync(wire.Near, 1);
            wire.UntilReset();
            return Told(write, await ReadAsync(wire.Near), await ReadAsync(wire.Near), await WriteAsync(wire.Near, 1));
        },
        ["The far end writes 3 and closes without having read; write, read twice"] = async wire =>
        {
            await WriteAsync(wire.Near, 5);
            await wire.Far.ReadExactlyAsync(new byte[1]); // so all five have come
            await WriteAsync(wire.Far, 3);
            await wire.Far.DisposeAsync();
            wire.UntilReset();
            return Told(await WriteAsync(wire.Near, 1), await ReadAsync(wire.Near), await ReadAsync(wire.Near));
        },
        ["The far end closes while a write waits for room"] = async wire =>
        {
            var write = ToldAsync(() => wire.Near.WriteAsync(s_much));
            await wire.Far.DisposeAsync();
            return await write;
        },

        // Half of the connection closes.
        ["Shut down; write, write nothing, shut down"] = async wire =>
        {
            wire.ShutdownNear();
            return Told(await WriteAsync(wire.Near, 1), await WriteAsync(wire.Near, 0), await DoneAsync(wire.ShutdownNear));
        },
        ["Shut down; the far end reads twice and writes 4; read"] = async wire =>
        {
            wire.ShutdownNear();
            return Told(
                await ReadAsync(wire.Far), await ReadAsync(wire.Far), await WriteAsync(wire.Far, 4), await ReadAsync(wire.Near));
        },
        ["Shut down while a write waits for room"] = async wire =>
        {
            var write = ToldAsync(() => wire.Near.WriteAsync(s_much));
            wire.ShutdownNear();
            return await write;
        },
        ["The far end shuts down; read, write twice, and the far end reads"] = async wire =>
        {
            wire.ShutdownFar();
            var read = await ReadAsync(wire.Near);
            var (first, second) = (await WriteAsync(wire.Near, 1), await WriteAsync(wire.Near, 2));
            await wire.Far.ReadExactlyAsync(new byte[2]);
            return Told(read, first, second, await ReadAsync(wire.Far));
        },

        // The connection breaks.
        ["A reset while a read waits"] = async wire =>
        {
            var read = ReadAsync(wire.Near);
            wire.Reset();
            return await read;
        },
        ["A reset while a write waits for room"] = async wire =>
        {
            var write = ToldAsync(() => wire.Near.WriteAsync(s_much));
            wire.Reset();
            return await write;
        },
        ["A reset; read nothing"] = async wire =>
        {
            wire.Reset();
            wire.UntilReset();
            return await ReadAsync(wire.Near, 0);
        },
        ["A reset; write nothing"] = async wire =>
        {
            wire.Reset();
            wire.UntilReset();
            return await WriteAsync(wire.Near, 0);
        },
        ["A reset; flush, shut down, close"] = async wire =>
        {
            wire.Reset();
            wire.UntilReset();
            return Told(await DoneAsync(wire.Near.Flush), await DoneAsync(wire.ShutdownNear), await DoneAsync(wire.Near.Dispose));
        },
        ["A reset; read three times"] = async wire =>
        {
            wire.Reset();
            wire.UntilReset();
            return Told(await ReadAsync(wire.Near), await ReadAsync(wire.Near), await ReadAsync(wire.Near));
        },
        ["A reset; write twice"] = async wire =>
        {
            wire.Reset();
            wire.UntilReset();
            return Told(await WriteAsync(wire.Near, 1), await WriteAsync(wire.Near, 1));
        },
        ["The far end writes 3, then a reset; read twice"] = async wire =>
        {
            await WriteAsync(wire.Far, 3);
            wire.UntilArrived(3);
            wire.Reset();
            wire.UntilReset();
            return Told(await ReadAsync(wire.Near), await ReadAsync(wire.Near));
        },

        // Reads and writes.
        ["The far end writes 3 and 4; read"] = async wire =>
        {
            await WriteAsync(wire.Far, 3);
            await WriteAsync(wire.Far, 4);
            wire.UntilArrived(7);
            return await ReadAsync(wire.Near);
        },
        ["The far end writes 3, reads 1 of ours and writes 4; read"] = async wire =>
        {
            await WriteAsync(wire.Far, 3);
            await WriteAsync(wire.Near, 1);
            await ReadAsync(wire.Far);
            await WriteAsync(wire.Far, 4);
            wire.UntilArrived(7);
            return await ReadAsync(wire.Near);
        },
        ["Read 1 and read 2 at once; the far end writes 3"] = async wire =>
        {
            var (first, second) = (ReadAsync(wire.Near, 1), ReadAsync(wire.Near, 2));
            await WriteAsync(wire.Far, 3);
            return Told(await first, await second);
        },
        ["Read 1 and read 2 at once, and the first is cancelled; the far end writes 3"] = async wire =>
        {
            using var cancellation = new CancellationTokenSource();
            var (first, second) = (ReadAsync(wire.Near, 1, cancellation.Token), ReadAsync(wire.Near, 2));
            await cancellation.CancelAsync();
            await WriteAsync(wire.Far, 3);
            return Told(await first, await second);
        },
        ["Write much and write a 1 at once; where the far end reads the 1"] = async wire =>
        {
            var (first, second) = (ToldAsync(() => wire.Near.WriteAsync(s_much)), ToldAsync(() => wire.Near.WriteAsync(new byte[] { 1 })));
            var received = new byte[s_much.Length + 1];
            await wire.Far.ReadExactlyAsync(received);
            return Told(await first, await second, Array.IndexOf(received, (byte)1) == s_much.Length ? "behind" : "within");
        },
        ["Read nothing while nothing is there; the far end writes 3; read nothing, read"] = async wire =>
        {
            var empty = ReadAsync(wire.Near, 0);
            var waits = empty.IsCompleted ? "does not wait" : "waits";
            await WriteAsync(wire.Far, 3);
            return Told(waits, await empty, await ReadAsync(wire.Near, 0), await ReadAsync(wire.Near));
        },
        ["Write the last 2 of 3 octets and an octet synchronously, and close; the far end reads 2, an octet and an octet"] = async wire =>
        {
            wire.Near.Write([1, 2, 3], 1, 2);
            wire.Near.WriteByte(4);
            await wire.Near.DisposeAsync();
            var buffer = new byte[3];
            await wire.Far.ReadExactlyAsync(buffer.AsMemory(0, 2));
            return Told(string.Join(' ', buffer), $"{wire.Far.ReadByte()}", $"{wire.Far.ReadByte()}");
        },
        ["Write more than there is room for, which is not read"] = wire =>
            Task.FromResult<string?>(ToldAsync(() => wire.Near.WriteAsync(s_much)).IsCompleted ? "does not wait" : "waits"),
        ["Write 2 where the pair has a capacity of 1, which is not read"] = wire =>
            Task.FromResult<string?>(WriteAsync(wire.Near, 2).IsCompleted ? "does not wait" : "waits"),

        // Timeouts.
        ["ReadTimeout and WriteTimeout as they begin"] = wire =>
            Task.FromResult<string?>(Told($"{wire.Near.ReadTimeout}", $"{wire.Near.WriteTimeout}")),
        ["Set ReadTimeout to 0, to -2 and to -1, WriteTimeout to 0, to -2 and to -1"] = async wire => Told(
            await DoneAsync(() => wire.Near.ReadTimeout = 0),
            await DoneAsync(() => wire.Near.ReadTimeout = -2),
            await DoneAsync(() => wire.Near.ReadTimeout = Timeout.Infinite),
            await DoneAsync(() => wire.Near.WriteTimeout = 0),
            await DoneAsync(() => wire.Near.WriteTimeout = -2),
            await DoneAsync(() => wire.Near.WriteTimeout = Timeout.Infinite)),
        ["Read synchronously with a ReadTimeout, and nothing comes; the far end writes 2; read so again"] = async wire =>
        {
            wire.Near.ReadTimeout = 1;
            var first = await BlockingAsync(() => wire.Near.Read(new byte[9], 0, 9));
            await WriteAsync(wire.Far, 2);
            wire.UntilArrived(2);
            return Told(first, await BlockingAsync(() => wire.Near.Read(new byte[9], 0, 9)));
        },
        ["Write much synchronously with a WriteTimeout, and the far end does not read"] = async wire =>
        {
            wire.Near.WriteTimeout = 1;
            return await DoneAsync(() => wire.Near.Write(s_much, 0, s_much.Length));
        },
        ["Read asynchronously with a ReadTimeout that passes; the far end writes 2"] = async wire =>
        {
            wire.Near.ReadTimeout = 1;
            var read = ReadAsync(wire.Near);
            wire.Far.ReadTimeout = 20; // ours passes in this time
            await BlockingAsync(() => wire.Far.Read(new byte[1], 0, 1));
            var waits = read.IsCompleted ? "does not wait" : "waits";
            await WriteAsync(wire.Far, 2);
            return Told(waits, await read);
        },
        ["Get and set ReadTimeout and WriteTimeout after closing"] = async wire =>
        {
            await wire.Near.DisposeAsync();
            return Told(
                await BlockingAsync(() => wire.Near.ReadTimeout),
                await DoneAsync(() => wire.Near.ReadTimeout = 1),
                await BlockingAsync(() => wire.Near.WriteTimeout),
                await DoneAsync(() => wire.Near.WriteTimeout = 1));
        },

        // What is not asked of a connection.
        ["Read into null, write null, read 2 into a buffer of 1, write -1"] = async wire => Told(
            await BlockingAsync(() => wire.Near.Read(null!, 0, 0)),
            await DoneAsync(() => wire.Near.WriteAsync(null!, 0, 0)),
            await DoneAsync(() => wire.Near.ReadAsync(new byte[1], 0, 2)),
            await DoneAsync(() => wire.Near.Write(new byte[1], 0, -1))),
        ["Length, Position, Seek, SetLength"] = async wire => Told(
            await BlockingAsync(() => (int)wire.Near.Length),
            await BlockingAsync(() => (int)wire.Near.Position),
            await DoneAsync(() => wire.Near.Seek(0, SeekOrigin.Begin)),
            await DoneAsync(() => wire.Near.SetLength(0))),
        ["Ask the stream for its Socket"] = wire =>
            Task.FromResult<string?>(wire.Near is NetworkStream { Socket: not null } ? "a socket" : "none"),
    };

    private static string Told(params string?[] steps) => string.Join(", ", steps);

    /// <summary>
    /// Null if a call did not wait yet when its stream was closed, of which it may be told in several ways, or if it ended between the two steps in
    /// which a stream closes its socket: it shuts it down before it closes it.
    /// </summary>
    private static string? InTime(string told) =>
        told.Split(", ").All(step => step.StartsWith($"{nameof(IOException)} (") && !step.Contains(nameof(SocketError.Shutdown))) ? told : null;

    private static Task<string> ReadAsync(Stream stream, int most = 100, CancellationToken token = default) => ToldAsync(async () =>
    {
        var count = await stream.ReadAsync(new byte[most], token);
        return count > 0 ? $"{count} read" : most > 0 ? "end" : "0 read";
    });

    private static Task<string> WriteAsync(Stream stream, int count, CancellationToken token = default) =>
        ToldAsync(() => stream.WriteAsync(new byte[count], token));

    private static Task<string> ToldAsync(Func<ValueTask> write) => ToldAsync(async () =>
    {
        await write();
        return "written";
    });

    private static Task<string> BlockingAsync(Func<int> call) =>
        ToldAsync(() => Task.Factory.StartNew(() => $"{call()}", CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default));

    private static Task<string> DoneAsync(Action call) => BlockingAsync(() =>
    {
        call();
        return 0;
    }).ContinueWith(told => told.Result == "0" ? "done" : told.Result, TaskScheduler.Default);

    private static Task<string> DoneAsync(Func<Task> call) => ToldAsync(async () =>
    {
        await call();
        return "done";
    });

    private static async Task<string> ToldAsync(Func<Task<string>> call)
    {
        try
        {
            return await call();
        }
        catch (IOException error) when (error.InnerException is SocketException inner)
        {
            return $"{nameof(IOException)} ({inner.SocketErrorCode})";
        }
        catch (Exception error) when (error is not OutOfMemoryException)
        {
            return error.GetType().Name;
        }
    }
}
