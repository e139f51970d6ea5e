using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.Logging;
using MutualAuth.AspNetCore;

namespace MutualAuth.Stress.Roles;

/// <summary>Kestrel over a listener of ours, echoing what each connection says.</summary>
internal sealed class KestrelEcho : IAsyncDisposable
{
    private readonly WebApplication _application;

    private KestrelEcho(WebApplication application) => _application = application;

    internal int Port => new Uri(_application.Urls.Single()).Port;

    internal static async Task<KestrelEcho> StartAsync(MutualTlsListenerOptions options)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ListenMutualTls(_ => options, listen => listen.UseConnectionHandler<Echo>());
        var application = builder.Build();
        await application.StartAsync();
        return new KestrelEcho(application);
    }

    public ValueTask DisposeAsync() => _application.DisposeAsync();

    private sealed class Echo : ConnectionHandler
    {
        public override async Task OnConnectedAsync(ConnectionContext connection)
        {
            while (await connection.Transport.Input.ReadAsync() is { IsCompleted: false } read)
            {
                foreach (var part in read.Buffer)
                {
                    await connection.Transport.Output.WriteAsync(part);
                }

                connection.Transport.Input.AdvanceTo(read.Buffer.End);
            }
        }
    }
}
