using System.Security.Cryptography;
using System.Text.Json;
using Microsoft.Extensions.DependencyInjection;
using MutualAuth.Audit;
using MutualAuth.Hosting;
using MutualAuth.Tests.Support;

namespace MutualAuth.Tests;

/// <summary>The audit trail that a configuration names: begun once, shared, closed with the host; and no host without it.</summary>
public sealed class AuditTests
{
    private HostWorld _world = null!;

    [SetUp]
    public void SetUp()
    {
        _world = new HostWorld();
        _world.Write("audit.key", Convert.ToHexString(RandomNumberGenerator.GetBytes(AuditTrail.KeyLength)) + "\n");
    }

    [TearDown]
    public void TearDown() => _world.Dispose();

    [Test]
    public async Task Connections_are_in_the_trail_which_ends_with_the_host()
    {
        _world.Configure(("inventory", Audited()));
        string id;
        await using (var host = await _world.EchoAsync())
        {
            await using var connection = await _world.ConnectAsync(host.EndPoint);
            (await HostWorld.SayAsync(connection, "hello")).Should().Be("hello");
            id = host.Listener.Connections[0].Id;
        }

        Entries().Should().StartWith(["trail.opened", AuditKinds.Configured, AuditKinds.ListenerStarted]).And.EndWith("trail.closed");
        Entries(id).Should().Equal(AuditKinds.ConnectionBegun, AuditKinds.Authenticated, AuditKinds.ConnectionEnded);
        Verify().IsIntact.Should().BeTrue();
    }

    [Test]
    public async Task A_trail_that_was_begun_goes_on_without_the_key()
    {
        var key = AuditTrail.ReadKey(_world["audit.key"]);
        _world.Configure(("inventory", Audited()));
        await using (await _world.EchoAsync())
        {
            (await _world.Events.NextAsync(2011)).Text.Should().Contain(_world["audit.key"]);
        }

        File.Delete(_world["audit.key"]);
        await using (await _world.EchoAsync())
        {
        }

        Entries().Count(what => what == "trail.opened").Should().Be(2);
        AuditTrail.Verify(_world["audit.log"], key).IsIntact.Should().BeTrue();
    }

    [Test]
    public async Task A_listener_and_a_client_share_a_trail()
    {
        var client = HostWorld.Client();
        client["Audit"] = new Dictionary<string, object?> { ["File"] = "audit.log" };
        _world.Configure(("inventory", Audited()), ("billing", client));
        await using (var host = await _world.EchoAsync(
            builder => builder.Services.AddMutualTlsClient("billing", HostWorld.Section(builder, "billing"))))
        {
        }

        Entries().Where(what => what is AuditKinds.Configured or "trail.opened" or "trail.closed").Should().Equal(
            "trail.opened", AuditKinds.Configured, AuditKinds.Configured, "trail.closed");
    }

    [TestCase("no key and no trail", ":Audit: ")]
    [TestCase("no file", ":Audit: File is missing")]
    [TestCase("a key that is none", ":Audit: ")]
    [TestCase("an action that is none", ":Audit:OnFailure")]
    [TestCase("a trail that was cut", ":Audit: ")]
    [TestCase("a key of another name", ":Audit:Key is not known")]
    public async Task A_host_does_not_start_without_the_trail_that_it_should_keep(string what, string said)
    {
        var audit = new Dictionary<string, object?> { ["File"] = "audit.log", ["KeyFile"] = "audit.key" };
        switch (what)
        {
            case "no key and no trail":
                audit.Remove("KeyFile");
                break;
            case "no file":
                audit.Remove("File");
                break;
            case "a key that is none":
                _world.Write("audit.key", "nothing");
                break;
            case "an action that is none":
                audit["OnFailure"] = "Ignore";
                break;
            case "a key of another name":
                audit["Key"] = "audit.key";
                break;
            default:
                AuditTrail.Begin(_world["audit.log"], AuditTrail.ReadKey(_world["audit.key"]));
                await using (var trail = AuditTrail.Open(_world["audit.log"]))
                {
                    await trail.RecordAsync(new AuditEvent("one", "text"));
                }

                File.WriteAllText(_world["audit.log"], string.Empty);
                break;
        }

        var listener = HostWorld.Listener();
        listener["Audit"] = audit;
        _world.Configure(("inventory", listener));

        var starting = () => _world.EchoAsync();

        (await starting.Should().ThrowAsync<HostingConfigurationException>()).Which.Problems.Should().ContainSingle()
            .Which.Should().StartWith("MutualTls:inventory" + said);
    }

    private static Dictionary<string, object?> Audited()
    {
        var listener = HostWorld.Listener();
        listener["Audit"] = new Dictionary<string, object?> { ["File"] = "audit.log", ["KeyFile"] = "audit.key" };
        return listener;
    }

    private AuditVerification Verify() => AuditTrail.Verify(_world["audit.log"], AuditTrail.ReadKey(_world["audit.key"]));

    private IEnumerable<string> Entries(string? id = null)
    {
        foreach (var line in File.ReadAllLines(_world["audit.log"]))
        {
            using var entry = JsonDocument.Parse(line[97..]);
            var root = entry.RootElement;
            if (id is null || (root.TryGetProperty("connection", out var connection) && connection.GetString() == id))
            {
                yield return root.GetProperty("what").GetString()!;
            }
        }
    }
}
