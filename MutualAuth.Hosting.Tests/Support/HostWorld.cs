using System.Net;
using System.Text;
using System.Text.Json;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using MutualAuth.Credentials;
using MutualAuth.Hosting;
using MutualAuth.Testing;

namespace MutualAuth.Tests.Support;

/// <summary>A folder with the files of one authority, one server and some clients, and hosts that are made of them.</summary>
internal sealed class HostWorld : IDisposable
{
    internal static readonly TimeSpan Deadline = TimeSpan.FromSeconds(20);

    private readonly string _folder = Directory.CreateTempSubdirectory("mutualauth-hosting-").FullName;

    internal HostWorld()
    {
        Authority.WriteTo(_folder, "authority");
        Foreign.WriteTo(_folder, "foreign");
        Authority.IssueServer("server.test", "localhost", "127.0.0.1").WriteTo(_folder, "server");
        Authority.IssueClient("us.test").WriteTo(_folder, "us");
        Write("rules.txt", "dns client.test\n");
    }

    internal TestAuthority Authority { get; } = new("Hosting Authority");

    internal TestAuthority Foreign { get; } = new("Foreign Authority");

    internal Events Events { get; } = new();

    internal string this[string name] => Path.Combine(_folder, name);

    /// <summary>The settings of a listener that works, which tests change.</summary>
    internal static Dictionary<string, object?> Listener() => new()
    {
        ["Listen"] = new[] { "127.0.0.1:0" },
        ["Identity"] = new Dictionary<string, object?> { ["Certificate"] = "server.pem", ["Key"] = "server.key" },
        ["Trust"] = new[] { "authority.pem" },
        ["Allow"] = new[] { "dns client.test" },
    };

    internal static Dictionary<string, object?> Client() => new()
    {
        ["Identity"] = new Dictionary<string, object?> { ["Certificate"] = "us.pem", ["Key"] = "us.key" },
        ["Trust"] = new[] { "authority.pem" },
        ["Allow"] = new[] { "server-name" },
        ["Confirmation"] = "Required",
    };

    internal string Write(string name, string text)
    {
        var path = this[name];
        File.WriteAllText(path + ".new", text);
        File.Move(path + ".new", path, overwrite: true);
        return path;
    }

    /// <summary>Writes a file of users with one of them, alice, whose password is sesame.</summary>
    internal async Task WriteUsersAsync(string file = "users.txt")
    {
        using var password = Password.From("sesame");
        using var store = FileCredentialStore.OpenOrCreate(this[file]);
        await store.SetAsync("alice", ScramVerifier.Create(password, ScramHash.Sha256, 4096));
    }

    /// <summary>Writes what follows <c>MutualTls</c> in the configuration; a host that is running takes it up.</summary>
    internal void Configure(params (string Name, object? Settings)[] sections) => Write(
        "appsettings.json",
        JsonSerializer.Serialize(new { MutualTls = sections.ToDictionary(section => section.Name, section => section.Settings) }));

    /// <summary>A builder over the files of the folder and the configuration that was written last.</summary>
    internal HostApplicationBuilder Builder()
    {
        var builder = Host.CreateApplicationBuilder(
            new HostApplicationBuilderSettings { ContentRootPath = _folder, DisableDefaults = true });
        if (File.Exists(this["appsettings.json"]))
        {
            builder.Configuration.AddJsonFile(source =>
            {
                source.Path = this["appsettings.json"];
                source.ReloadOnChange = true;
                source.OnLoadException = failure => failure.Ignore = true;
                source.ResolveFileProvider();
            });
        }

        builder.Logging.AddProvider(Events);
        builder.Services.AddMetrics();
        return builder;
    }

    internal static IConfigurationSection Section(HostApplicationBuilder builder, string name) =>
        builder.Configuration.GetSection("MutualTls:" + name);

    /// <summary>A running host with one listener, <c>inventory</c>, that echoes.</summary>
    internal async Task<RunningHost> EchoAsync(
        Action<HostApplicationBuilder>? more = null, Action<MutualTlsListenerBuilder>? listener = null)
    {
        var builder = Builder();
        var inventory = builder.Services.AddMutualTlsListener("inventory", Section(builder, "inventory")).HandledBy(EchoAsync);
        listener?.Invoke(inventory);
        more?.Invoke(builder);
        return await RunningHost.StartAsync(builder);
    }

    internal static async Task EchoAsync(MutualTlsConnection connection, CancellationToken draining)
    {
        var buffer = new byte[1024];
        int count;
        while ((count = await connection.Stream.ReadAsync(buffer, draining)) > 0)
        {
            await connection.Stream.WriteAsync(buffer.AsMemory(0, count), CancellationToken.None);
        }
    }

    internal async Task<MutualTlsConnection> ConnectAsync(EndPoint endPoint, string name = "client.test", TestAuthority? authority = null)
    {
        using var certificate = (authority ?? Authority).IssueClient(name);
        return await ConnectAsync(endPoint, certificate.ToIdentity());
    }

    internal async Task<MutualTlsConnection> ConnectAsync(
        EndPoint endPoint, ClientIdentity identity, Func<MutualTlsClientOptions, MutualTlsClientOptions>? change = null)
    {
        var options = new MutualTlsClientOptions
        {
            Identity = identity,
            Trust = Authority.ToTrustAnchors(),
            Authorization = Authorize.Dns("server.test"),
            Confirmation = ConfirmationPolicy.Required,
        };
        using var deadline = new CancellationTokenSource(Deadline);
        return await new MutualTlsClient(change is null ? options : change(options)).ConnectAsync(endPoint, "server.test", deadline.Token);
    }

    internal static async Task<string> SayAsync(MutualTlsConnection connection, string text)
    {
        using var deadline = new CancellationTokenSource(Deadline);
        await connection.Stream.WriteAsync(Encoding.UTF8.GetBytes(text), deadline.Token);
        var echo = new byte[Encoding.UTF8.GetByteCount(text)];
        await connection.Stream.ReadExactlyAsync(echo, deadline.Token);
        return Encoding.UTF8.GetString(echo);
    }

    public void Dispose()
    {
        Authority.Dispose();
        Foreign.Dispose();
        Directory.Delete(_folder, recursive: true);
    }
}

/// <summary>A host that has started. It is stopped when the test ends.</summary>
internal sealed class RunningHost : IAsyncDisposable
{
    private RunningHost(IHost host) => Host = host;

    internal IHost Host { get; }

    internal HostedListener Listener => Host.Services.GetRequiredKeyedService<HostedListener>("inventory");

    internal EndPoint EndPoint => Listener.EndPoints[0];

    internal static async Task<RunningHost> StartAsync(HostApplicationBuilder builder)
    {
        var host = builder.Build();
        try
        {
            using var deadline = new CancellationTokenSource(HostWorld.Deadline);
            await host.StartAsync(deadline.Token);
            return new RunningHost(host);
        }
        catch
        {
            host.Dispose();
            throw;
        }
    }

    public async ValueTask DisposeAsync()
    {
        using (var now = new CancellationTokenSource(TimeSpan.FromSeconds(2)))
        {
            await Host.StopAsync(now.Token);
        }

        Host.Dispose();
    }
}
