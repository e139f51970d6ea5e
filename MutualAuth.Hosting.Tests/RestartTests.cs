using Microsoft.Extensions.DependencyInjection;
using MutualAuth.Hosting;
using MutualAuth.Testing.Responders;
using MutualAuth.Tests.Support;

namespace MutualAuth.Tests;

/// <summary>What a host remembers over a restart, and what its settings say of names.</summary>
[CancelAfter(60_000)]
public sealed class RestartTests
{
    private HostWorld _world = null!;

    [SetUp]
    public void SetUp() => _world = new HostWorld();

    [TearDown]
    public void TearDown() => _world.Dispose();

    [TestCase(false)]
    [TestCase(true)]
    public async Task A_list_that_was_put_back_while_the_host_was_down_is_refused_at_its_start(bool hasWitness)
    {
        var settings = HostWorld.Listener();
        settings["RevocationLists"] = "authority.crl";
        if (hasWitness)
        {
            (settings["RevocationListWitness"], settings["DangerouslyCreateRevocationListWitness"]) = ("lists.witness", true);
        }

        _world.Configure(("inventory", settings));
        _world.Write("authority.crl", _world.Authority.IssueCrl(crl => crl with { Number = 6 }).Pem);
        await (await _world.EchoAsync()).DisposeAsync();

        settings.Remove("DangerouslyCreateRevocationListWitness");
        _world.Configure(("inventory", settings));
        _world.Write("authority.crl", _world.Authority.IssueCrl(crl => crl with { Number = 5 }).Pem);
        var starting = () => _world.EchoAsync();

        if (hasWitness)
        {
            (await starting.Should().ThrowAsync<HostingConfigurationException>()).Which.Problems.Should().ContainSingle()
                .Which.Should().StartWith("MutualTls:inventory:RevocationLists: ").And.Contain("lists.witness");
            _world.Write("authority.crl", _world.Authority.IssueCrl(crl => crl with { Number = 7 }).Pem);
        }

        await (await starting()).DisposeAsync();
    }

    [Test]
    public async Task A_witness_that_somebody_removed_is_no_first_start()
    {
        var settings = HostWorld.Listener();
        settings["RevocationLists"] = "authority.crl";
        (settings["RevocationListWitness"], settings["DangerouslyCreateRevocationListWitness"]) = ("lists.witness", true);
        _world.Configure(("inventory", settings));
        _world.Write("authority.crl", _world.Authority.IssueCrl().Pem);
        await (await _world.EchoAsync()).DisposeAsync();
        settings.Remove("DangerouslyCreateRevocationListWitness");
        _world.Configure(("inventory", settings));
        File.Delete(_world["lists.witness"]);

        var starting = () => _world.EchoAsync();

        (await starting.Should().ThrowAsync<HostingConfigurationException>()).Which.Problems.Should().ContainSingle()
            .Which.Should().StartWith("MutualTls:inventory:RevocationListWitness: ");
    }

    [Test]
    public async Task Fetched_lists_have_the_same_witness()
    {
        await using var responder = new CrlResponder(_world.Authority);
        var settings = HostWorld.Listener();
        settings["RevocationListAddresses"] = responder.FullUri;
        (settings["RevocationListWitness"], settings["DangerouslyCreateRevocationListWitness"]) = ("lists.witness", true);
        _world.Configure(("inventory", settings));
        await using (await _world.EchoAsync())
        {
            await _world.Events.NextAsync(1400);
        }

        responder.Mode = ResponderMode.Stale;
        await using var host = await _world.EchoAsync();

        (await _world.Events.NextAsync(1640)).Text.Should().Contain("Older");
    }

    [TestCase("*.shop.test", "test\n", true)]
    [TestCase("*.shop.test", "test\nshop.test\n", false)]
    [TestCase("www.shop.test", "test\nshop.test\n", true)]
    public async Task A_client_goes_by_the_public_suffixes_of_its_settings(string certified, string suffixes, bool isAccepted)
    {
        using var server = _world.Authority.IssueServer(certified);
        server.WriteTo(_world[""], "wild");
        _world.Write("suffixes.dat", suffixes);
        var (listener, client) = (HostWorld.Listener(), HostWorld.Client());
        listener["Identity"] = new Dictionary<string, object?> { ["Certificate"] = "wild.pem", ["Key"] = "wild.key" };
        listener["Allow"] = "dns us.test";
        client["PublicSuffixFile"] = "suffixes.dat";
        _world.Configure(("inventory", listener), ("billing", client));
        await using var host = await _world.EchoAsync(
            builder => builder.Services.AddMutualTlsClient("billing", HostWorld.Section(builder, "billing")));
        using var deadline = new CancellationTokenSource(HostWorld.Deadline);

        var connecting = async () => await host.Host.Services.GetRequiredKeyedService<MutualTlsClient>("billing")
            .ConnectAsync(host.EndPoint, "www.shop.test", deadline.Token);

        if (isAccepted)
        {
            await using var connection = await connecting();
            (await HostWorld.SayAsync(connection, "x")).Should().Be("x");
        }
        else
        {
            (await connecting.Should().ThrowAsync<HandshakeException>()).Which.Rejection!.Reason.Should().Be(RejectionReason.ServerNameMismatch);
        }
    }
}
