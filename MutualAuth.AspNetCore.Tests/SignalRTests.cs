using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http.Connections;
using Microsoft.AspNetCore.SignalR;
using Microsoft.AspNetCore.SignalR.Client;
using Microsoft.Extensions.DependencyInjection;
using MutualAuth.AspNetCore;
using MutualAuth.Http;
using MutualAuth.Tests.Support;

namespace MutualAuth.Tests;

/// <summary>A SignalR hub on confirmed connections, and .NET's own client to it.</summary>
[CancelAfter(60000)]
public sealed class SignalRTests
{
    private static readonly World s_world = new();

    [TestCase(HttpTransportType.ServerSentEvents)]
    [TestCase(HttpTransportType.LongPolling)]
    public async Task A_hub_knows_its_caller_and_streams_to_it(HttpTransportType transport, CancellationToken cancellationToken)
    {
        await using var site = await StartAsync("client.test");
        await using var hub = Connect(site, transport);

        await hub.StartAsync(cancellationToken);

        (await hub.InvokeAsync<string?>(nameof(Room.WhoAmI), cancellationToken)).Should().Be("client.test");
        (await hub.StreamAsync<int>(nameof(Room.Count), 3, cancellationToken).ToListAsync(cancellationToken)).Should().Equal(0, 1, 2);
    }

    [TestCase(HttpTransportType.ServerSentEvents)]
    [TestCase(HttpTransportType.LongPolling)]
    public async Task A_caller_that_the_listener_does_not_accept_reaches_no_hub(HttpTransportType transport, CancellationToken cancellationToken)
    {
        await using var site = await StartAsync("another.test");
        await using var hub = Connect(site, transport);

        var starting = () => hub.StartAsync(cancellationToken);

        (await starting.Should().ThrowAsync<HttpRequestException>())
            .Which.InnerException.Should().BeOfType<HandshakeException>().Which.PeerReason.Should().Be(PublicReason.AccessDenied);
    }

    private static Task<Site> StartAsync(string accepted) => Site.StartAsync(
        s_world.ServerOptions with { Authorization = Authorize.Dns(accepted) },
        app => app.MapHub<Room>("/room"),
        builder =>
        {
            builder.Services.AddSignalR();
            builder.Services.AddAuthentication(MutualTlsDefaults.AuthenticationScheme).AddMutualTls();
        });

    private static HubConnection Connect(Site site, HttpTransportType transport) => new HubConnectionBuilder()
        .WithUrl($"https://{Clients.Host}:{site.Port}/room", options =>
        {
            options.Transports = transport;
            options.HttpMessageHandlerFactory = _ => new MutualTlsHttpHandler(new MutualTlsClient(s_world.ClientOptions));
        })
        .Build();

    private sealed class Room : Hub
    {
        // By the user: with long polling, a hub has a copy of the request's context, without the features of the connection.
        public string? WhoAmI() => Context.User?.GetMutualTlsPeer()?.Name;

        public async IAsyncEnumerable<int> Count(int most)
        {
            for (var number = 0; number < most && !Context.ConnectionAborted.IsCancellationRequested; number++)
            {
                await Task.Yield();
                yield return number;
            }
        }
    }
}
