using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Http;
using Microsoft.Extensions.Options;
using MutualAuth.Tests.Support;

namespace MutualAuth.Tests;

/// <summary>Clients of the platform's factory.</summary>
[CancelAfter(60000)]
public sealed class FactoryTests
{
    private HttpWorld _world = null!;

    [SetUp]
    public void SetUp() => _world = new HttpWorld();

    [TearDown]
    public void TearDown() => _world.Dispose();

    [Test]
    public async Task The_client_of_the_same_name_authenticates_else_the_one_without_a_name()
    {
        await using var server = await _world.StartAsync();
        using var another = _world.Authority.IssueClient("another.test");
        var services = new ServiceCollection();
        services.AddSingleton(new MutualTlsClient(_world.Client));
        services.AddKeyedSingleton("another", new MutualTlsClient(_world.Client with { Identity = another.ToIdentity() }));
        services.AddHttpClient("first").AddMutualTls(HttpWorld.Dialling(server));
        services.AddHttpClient("another").AddMutualTls(HttpWorld.Dialling(server));
        await using var provider = services.BuildServiceProvider();
        var factory = provider.GetRequiredService<IHttpClientFactory>();

        (await factory.CreateClient("first").GetStringAsync(server.At("/seen"))).Should().StartWith("https ");
        var refused = await FluentActions.Awaiting(() => factory.CreateClient("another").GetStringAsync(server.At("/seen")))
            .Should().ThrowAsync<HttpRequestException>();

        refused.Which.TryGetHandshakeFailure(out var failure).Should().BeTrue();
        failure!.Reason.Should().Be(RejectionReason.RefusedByPeer);
    }

    [Test]
    public async Task A_handler_that_the_factory_gives_up_leaves_no_connection()
    {
        await using var server = await _world.StartAsync();
        var mutualTls = new MutualTlsClient(_world.Client);
        var services = new ServiceCollection();
        services.AddHttpClient("ours").AddMutualTls(_ => mutualTls, HttpWorld.Dialling(server));
        await using var provider = services.BuildServiceProvider();
        var made = new Builder();
        foreach (var action in provider.GetRequiredService<IOptionsMonitor<HttpClientFactoryOptions>>().Get("ours").HttpMessageHandlerBuilderActions)
        {
            action(made);
        }

        using (var http = new HttpClient(made.PrimaryHandler))
        {
            await http.GetStringAsync(server.At("/seen"));
            mutualTls.Connections.Should().ContainSingle();
        }

        mutualTls.Connections.Should().BeEmpty();
    }

    private sealed class Builder : HttpMessageHandlerBuilder
    {
        public override string? Name { get; set; } = "ours";

        public override HttpMessageHandler PrimaryHandler { get; set; } = null!;

        public override IList<DelegatingHandler> AdditionalHandlers { get; } = [];

        public override HttpMessageHandler Build() => PrimaryHandler;
    }
}
