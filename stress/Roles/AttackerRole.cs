using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;

namespace MutualAuth.Stress.Roles;

/// <summary>
/// A stranger: <c>attacker FOLDER PORT ADDRESSES KIND LEASH</c>. It comes from so many addresses of 127.66.0.0/16, and with a leash it takes that
/// share of a processor at most. <c>open COUNT SECONDS</c> begins so many attacks, or what the time allows, and keeps them; <c>rate N</c> begins N
/// new ones a second from then on, and lets the oldest go beyond those that were open; <c>send COUNT RATE</c> waits for the end of each; <c>close</c>
/// ends them all. Answers: attacks begun and failed.
/// </summary>
internal sealed class AttackerRole : IDisposable
{
    private const int AtOnce = 64;

    private readonly Attack _attack;
    private readonly IPEndPoint _server;
    private readonly int _addresses;
    private readonly double _leash;
    private readonly long _began = Stopwatch.GetTimestamp();
    private readonly ConcurrentQueue<IDisposable> _open = new();
    private CancellationTokenSource _stop = new();
    private int _next;
    private int _begun;
    private int _failed;

    private AttackerRole(string[] words)
    {
        _attack = Attack.Named(words[3], words[0]);
        _server = new IPEndPoint(IPAddress.Loopback, Lines.Number(words[1]));
        _addresses = Lines.Number(words[2]);
        _leash = Lines.Seconds(words[4]);
    }

    internal static async Task RunAsync(string[] words)
    {
        using var role = new AttackerRole(words);
        await Lines.AnswerAsync("", async asked =>
        {
            switch (asked[0])
            {
                case "open":
                    await role.OpenAsync(Lines.Number(asked[1]), Lines.Seconds(asked[2]));
                    break;
                case "rate":
                    _ = role.KeepOpeningAsync(Lines.Number(asked[1]), role._open.Count, role._stop.Token);
                    break;
                case "send":
                    await role.SendAsync(Lines.Number(asked[1]), Lines.Number(asked[2]));
                    break;
                case "close":
                    role.CloseAll();
                    break;
            }

            return string.Create(CultureInfo.InvariantCulture, $"{role._begun} {role._failed}");
        });
    }

    public void Dispose()
    {
        CloseAll();
        _stop.Dispose();
        _attack.Dispose();
    }

    private async Task OpenAsync(int count, double seconds)
    {
        var (left, began) = (count, Stopwatch.GetTimestamp());
        await Task.WhenAll(Enumerable.Range(0, AtOnce).Select(_ => Task.Run(async () =>
        {
            while (Stopwatch.GetElapsedTime(began).TotalSeconds < seconds && Interlocked.Decrement(ref left) >= 0)
            {
                await BeginAsync();
            }
        })));
    }

    private async Task KeepOpeningAsync(int perSecond, int most, CancellationToken stop)
    {
        await PaceAsync(perSecond, int.MaxValue, async () =>
        {
            await BeginAsync();
            while (_open.Count > most && _open.TryDequeue(out var oldest))
            {
                oldest.Dispose();
            }
        }, stop);
    }

    private async Task SendAsync(int count, int perSecond)
    {
        var ends = new ConcurrentBag<Task>();
        await PaceAsync(perSecond, count, () =>
        {
            ends.Add(SendOneAsync());
            return Task.CompletedTask;
        }, _stop.Token);
        await Task.WhenAll(ends);
    }

    private async Task SendOneAsync()
    {
        try
        {
            Interlocked.Increment(ref _begun);
            using var socket = await DialAsync();
            await _attack.SayAsync(socket, CancellationToken.None);
            using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(15));
            while (await socket.ReceiveAsync(new byte[512], patience.Token) > 0)
            {
            }
        }
        catch (Exception exception) when (exception is SocketException or OperationCanceledException)
        {
            Interlocked.Increment(ref _failed);
        }
    }

    private async Task BeginAsync()
    {
        while (Environment.CpuUsage.TotalTime > Stopwatch.GetElapsedTime(_began) * _leash)
        {
            await Task.Delay(10);
        }

        Interlocked.Increment(ref _begun);
        Socket? socket = null;
        try
        {
            socket = await DialAsync();
            _open.Enqueue(await _attack.BeginAsync(socket, _stop.Token));
        }
        catch (Exception exception)
            when (exception is SocketException or IOException or OperationCanceledException or System.Security.Authentication.AuthenticationException)
        {
            Interlocked.Increment(ref _failed);
            socket?.Dispose();
        }
    }

    private async Task<Socket> DialAsync()
    {
        var number = Interlocked.Increment(ref _next) % _addresses;
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            // The same port may be used towards another server, or from another address: the kernel need not keep it for this socket alone.
            socket.SetRawSocketOption(0, 24, BitConverter.GetBytes(1)); // IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT
            socket.Bind(new IPEndPoint(new IPAddress([127, 66, (byte)(number / 250), (byte)(number % 250 + 1)]), 0));
            using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(15));
            await socket.ConnectAsync(_server, patience.Token);
            return socket;
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    private void CloseAll()
    {
        _stop.Cancel();
        _stop.Dispose();
        _stop = new CancellationTokenSource();
        while (_open.TryDequeue(out var open))
        {
            open.Dispose();
        }
    }

    /// <summary>Begins something so many times a second, whether or not the last has ended, and catches up where the machine was late.</summary>
    private static async Task PaceAsync(int perSecond, int count, Func<Task> begin, CancellationToken stop)
    {
        var began = Stopwatch.GetTimestamp();
        List<Task> under = [];
        for (var done = 0; done < count && !stop.IsCancellationRequested;)
        {
            var due = Math.Min(count, (int)Math.Min(int.MaxValue, Stopwatch.GetElapsedTime(began).TotalSeconds * perSecond) + 1);
            under.RemoveAll(task => task.IsCompleted);
            for (; done < due && under.Count < perSecond; done++)
            {
                under.Add(Task.Run(begin, CancellationToken.None));
            }

            await Task.Delay(2, CancellationToken.None);
        }

        await Task.WhenAll(under);
    }
}
