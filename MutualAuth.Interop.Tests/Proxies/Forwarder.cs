using System.Net;
using System.Net.Sockets;
using MutualAuth.Tests.Support;

namespace MutualAuth.Tests.Proxies;

/// <summary>A load balancer or TLS wrapper that listens on a port of its own, with a configuration of the test's.</summary>
internal sealed class Forwarder : IAsyncDisposable
{
    private readonly RunningProgram _program;

    private Forwarder(RunningProgram program, int port)
    {
        _program = program;
        Port = port;
    }

    internal int Port { get; }

    /// <summary>Starts it, and waits until it listens. Should another program take the port first, it tries another one.</summary>
    internal static async Task<Forwarder> StartAsync(Workshop workshop, string program, Func<int, string> configure, Func<string, string[]> arguments)
    {
        for (var trial = 1; ; trial++)
        {
            var port = FreePorts.Next();
            var file = workshop.Write($"forwarder-{port}.conf", configure(port));
            var forwarder = new Forwarder(RunningProgram.Start(program, arguments(file)), port);
            try
            {
                await forwarder.ListensAsync();
                return forwarder;
            }
            catch (AssertionException) when (trial < 3)
            {
                await forwarder.DisposeAsync();
            }
        }
    }

    internal static Task<Forwarder> HAProxyAsync(Workshop workshop, int target, string options, string bind = "") => StartAsync(
        workshop,
        FindSystemProgram("haproxy"),
        port => $"""
            defaults
                mode tcp
                timeout connect 5s
                timeout client 30s
                timeout server 30s
                timeout check 5s
            frontend mutual-tls
                bind 127.0.0.1:{port}
                {bind}
                default_backend servers
            backend servers
                server one 127.0.0.1:{target} {options}

            """,
        file => ["-db", "-f", file]);

    /// <summary>nginx with one server of its stream module.</summary>
    internal static Task<Forwarder> NginxAsync(Workshop workshop, int target, string ofTheServer, string afterListen = "") => StartAsync(
        workshop,
        FindSystemProgram("nginx"),
        port => $$"""
            load_module {{Tool.FindFile("The stream module of nginx", "/usr/lib/nginx/modules/ngx_stream_module.so")}};
            daemon off;
            master_process off;
            pid {{workshop.Directory}}/nginx-{{port}}.pid;
            error_log stderr info;
            events {}
            stream {
                server {
                    listen 127.0.0.1:{{port}} {{afterListen}};
                    proxy_pass 127.0.0.1:{{target}};
                    {{ofTheServer}}
                }
            }

            """,
        file => ["-e", "stderr", "-p", workshop.Directory, "-c", file]);

    internal static Task<Forwarder> StunnelAsync(Workshop workshop, int target, string ofTheService) => StartAsync(
        workshop,
        Tool.Find("stunnel4"),
        port => $"""
            foreground = yes
            pid =
            [wrapped]
            accept = 127.0.0.1:{port}
            connect = 127.0.0.1:{target}
            {ofTheService}

            """,
        file => [file]);

    /// <summary>A connection to it, from an address of the test's choice.</summary>
    internal async Task<Socket> DialAsync(string from = "127.0.0.1")
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        try
        {
            socket.Bind(new IPEndPoint(IPAddress.Parse(from), 0));
            await socket.ConnectAsync(new IPEndPoint(IPAddress.Loopback, Port)).WaitAsync(RunningProgram.Deadline);
            return socket;
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    public override string ToString() => _program.ToString();

    public ValueTask DisposeAsync() => _program.DisposeAsync();

    /// <summary>It listens once somebody can connect, which no program says in a way of its own.</summary>
    private async Task ListensAsync()
    {
        using var deadline = new CancellationTokenSource(RunningProgram.Deadline);
        while (true)
        {
            try
            {
                (await DialAsync()).Dispose();
                return;
            }
            catch (SocketException) when (!deadline.IsCancellationRequested && !_program.HasEnded)
            {
                await Task.Delay(20, CancellationToken.None);
            }
            catch (SocketException)
            {
                throw new AssertionException($"It does not listen.\n{this}");
            }
        }
    }

    // Debian keeps it where only root looks for programs.
    internal static string FindSystemProgram(string name) => File.Exists($"/usr/sbin/{name}") ? $"/usr/sbin/{name}" : Tool.Find(name);
}
