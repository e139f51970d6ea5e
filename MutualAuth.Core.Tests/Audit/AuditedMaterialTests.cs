using System.Collections.Immutable;
using System.Net;
using System.Security.Cryptography;
using Microsoft.Data.Sqlite;
using MutualAuth.Audit;
using MutualAuth.Credentials;
using MutualAuth.Identities;
using MutualAuth.Names;
using MutualAuth.Paths;
using MutualAuth.Pinning;
using MutualAuth.Revocation;
using MutualAuth.Testing;
using MutualAuth.Tests.Support;
using static MutualAuth.Tests.Support.RecordingSink;

namespace MutualAuth.Tests.Audit;

/// <summary>What the library records beside connections: what it is made of, each change of that, and the trail's own beginning and end.</summary>
[CancelAfter(60000)]
public sealed class AuditedMaterialTests
{
    private World _world = null!;
    private RecordingSink _sink = null!;
    private TemporaryFolder _folder = null!;

    [SetUp]
    public void SetUp()
    {
        _world = new World { CloseTimeout = World.Moment };
        _sink = new RecordingSink();
        _folder = new TemporaryFolder();
    }

    [TearDown]
    public void TearDown()
    {
        SqliteConnection.ClearAllPools();
        _folder.Dispose();
        _world.Dispose();
    }

    private MutualTlsServerOptions Audited => _world.ServerOptions with { Audit = _sink.Policy };

    [Test]
    public async Task What_is_demanded_is_recorded_at_the_start()
    {
        _ = new MutualTlsServer(Audited with { Authorization = Authorize.Dns("client.test"), MinimumTlsVersion = TlsVersion.Tls13 });

        var configured = await _sink.NextAsync(AuditKinds.Configured);
        (Detail(configured, "role"), Detail(configured, "minimum_tls"), Detail(configured, "revocation"), Detail(configured, "serial")).Should().Be(
            ("server", "1.3", "not checked by lists", _world.ServerIdentity.Certificate.SerialNumber));
        Detail(configured, "authorization").Should().Be(Authorize.Dns("client.test").ToString());
        Detail(configured, "on_audit_failure").Should().Be("RefuseConnections");
    }

    [Test]
    public async Task A_listener_is_recorded_when_it_begins_and_when_it_has_stopped()
    {
        var listener = MutualTlsListener.Start(new() { EndPoint = new IPEndPoint(IPAddress.Loopback, 0), Server = new(Audited) });
        var address = listener.LocalEndPoint.ToString();

        await listener.StopAsync(TimeSpan.Zero);

        await _sink.NextAsync(AuditKinds.ListenerStopped);
        _sink.Kinds.Should().Equal(AuditKinds.Configured, AuditKinds.ListenerStarted, AuditKinds.ListenerStopped);
        _sink.All.Skip(1).Select(what => Detail(what, "local_address")).Should().AllBe(address);
    }

    [Test]
    public async Task Our_new_certificate_is_recorded_once_for_all_who_present_it()
    {
        using var next = _world.Authority.IssueServer("server.test");
        var identity = new ReplaceableIdentity(_world.ServerIdentity);
        _ = new MutualTlsServer(Audited with { Identity = identity });
        _ = new MutualTlsServer(Audited with { Identity = identity });
        _ = new MutualTlsClient(_world.ClientOptions with { Identity = identity, Audit = _sink.Policy });

        identity.Replace(World.ToIdentity(next));
        identity.Replace(_world.ServerIdentity);

        await _sink.NextAsync(AuditKinds.IdentityReplaced);
        await _sink.NextAsync(AuditKinds.IdentityReplaced);
        _sink.All.Where(what => what.What == AuditKinds.IdentityReplaced).Select(what => Detail(what, "sha256")).Should().Equal(
            World.ToIdentity(next).Certificate.Thumbprint, _world.ServerIdentity.Certificate.Thumbprint);
    }

    [TestCase("trust", AuditKinds.TrustReplaced)]
    [TestCase("revocation lists", AuditKinds.RevocationReplaced)]
    [TestCase("deny list", AuditKinds.RulesReplaced)]
    [TestCase("pins", AuditKinds.RulesReplaced)]
    [TestCase("authorization", AuditKinds.RulesReplaced)]
    public async Task What_peers_are_judged_by_is_recorded_when_it_is_replaced(string material, string kind)
    {
        var lists = new ReloadableLists(RevocationLists.FromDer(_world.Authority.IssueCrl().Raw));
        var trust = new ReloadableTrust(_world.Trust);
        var denied = new ReloadableDenyList(DenyList.Empty);
        var pins = new ReloadablePins(PinSet.Of(SpkiPin.Of(_world.ClientCertificate.Certificate), SpkiPin.Of(_world.ServerCertificate.Certificate)));
        var rule = new ReloadableRule(Authorize.AnyTrustedPeer);
        _ = new MutualTlsServer(Audited with
        {
            Trust = trust,
            Revocation = new RevocationPolicy { Lists = lists },
            DenyList = denied,
            Pins = pins,
            Authorization = Authorize.From(rule),
        });

        ((Action)(material switch
        {
            "trust" => trust.SayReplaced,
            "revocation lists" => lists.SayReplaced,
            "deny list" => denied.SayReplaced,
            "pins" => pins.SayReplaced,
            _ => rule.SayReplaced,
        }))();

        Detail(await _sink.NextAsync(kind), "material").Should().Be(material);
    }

    [Test]
    public async Task Files_that_are_not_taken_are_recorded()
    {
        var (chain, key) = _folder.Write(_world.ServerCertificate);
        using var identity = IdentityFiles.FromPem(chain, key, options: _folder.Options);
        _ = new MutualTlsServer(Audited with { Identity = identity });

        _folder.Write("tls.crt", "nonsense");
        identity.Reload().Should().BeFalse();

        var refused = await _sink.NextAsync(AuditKinds.ReloadRefused);
        (Detail(refused, "material"), Detail(refused, "files")).Should().Be(("identity", $"{chain} {key}"));
    }

    [Test]
    public async Task Users_in_memory_that_change_are_recorded()
    {
        var users = await TestUsers.CreateAsync();
        _ = new MutualTlsServer(Audited with { Credentials = Require.CertificateAndUser(SaslServer.Scram(users)) });

        await users.SetDisabledAsync("alice", true);

        Detail(await _sink.NextAsync(AuditKinds.CredentialsChanged), "users").Should().Be("\"alice\"");
    }

    [Test]
    public async Task Users_of_a_file_that_change_are_recorded_and_so_are_new_ones_and_a_file_that_is_not_taken()
    {
        using var users = FileCredentialStore.OpenOrCreate(_folder["users"]);
        await users.SetAsync("alice", Verifier());
        _ = new MutualTlsServer(Audited with { Credentials = Require.CertificateAndUser(SaslServer.Scram(users)) });

        await users.SetAsync("bob", Verifier());
        var added = await _sink.NextAsync(AuditKinds.CredentialsChanged);
        await users.RemoveAsync("alice");
        await _sink.NextAsync(AuditKinds.CredentialsChanged);
        var removed = await _sink.NextAsync(AuditKinds.CredentialsChanged);

        (Detail(added, "count"), Detail(added, "store")).Should().Be(("2", $"FileCredentialStore {_folder["users"]}"));
        Detail(removed, "users").Should().Be("\"alice\"");
    }

    [Test]
    public async Task Users_of_a_database_that_this_process_changes_are_recorded_with_the_account()
    {
        var users = new DatabaseCredentialStore(SqliteFactory.Instance.CreateDataSource($"Data Source={_folder["users.db"]}"));
        await users.MigrateAsync();
        _ = new MutualTlsServer(Audited with { Credentials = Require.CertificateAndUser(SaslServer.Scram(users)) });

        await users.SetAsync("alice", Verifier());
        var changed = await _sink.NextAsync(AuditKinds.CredentialsChanged);
        await users.RemoveAsync("alice");

        (Detail(changed, "users"), Detail(changed, "by")).Should().Be(("\"alice\"", $"process {Environment.ProcessId}, {Environment.UserName}"));
        await _sink.NextAsync(AuditKinds.CredentialsChanged);
    }

    [Test]
    public async Task A_trail_that_servers_record_in_begins_and_ends_with_itself_and_is_intact()
    {
        var key = RandomNumberGenerator.GetBytes(AuditTrail.KeyLength);
        AuditTrail.Begin(_folder["audit.log"], key);
        await using (var trail = AuditTrail.Open(_folder["audit.log"]))
        {
            await using var ends = await ConnectedPair.ShakeAsync(
                _world.ClientOptions, _world.ServerOptions with { Audit = new AuditPolicy { Sink = trail } });
            ends.Server.Accepted.Abort(); // its end is in the trail before the trail can be closed
        }

        Whats().Should().Equal(
            "trail.opened", AuditKinds.Configured, AuditKinds.ConnectionBegun, AuditKinds.Authenticated, AuditKinds.ConnectionEnded, "trail.closed");
        AuditTrail.Verify(_folder["audit.log"], key).Should().BeEquivalentTo(new { IsIntact = true, Entries = 6L });
    }

    [Test]
    public async Task A_trail_that_is_closed_lets_nobody_in()
    {
        AuditTrail.Begin(_folder["audit.log"], RandomNumberGenerator.GetBytes(AuditTrail.KeyLength));
        var trail = AuditTrail.Open(_folder["audit.log"]);
        var server = _world.ServerOptions with { Audit = new AuditPolicy { Sink = trail } };
        await trail.DisposeAsync();

        await using var ends = await ConnectedPair.ShakeAsync(_world.ClientOptions, server);

        ends.Server.Refusal.Reason.Should().Be(RejectionReason.AuditNotRecorded);
    }

    [Test]
    public async Task A_source_that_outlives_its_trail_forgets_it()
    {
        var identity = new ReplaceableIdentity(_world.ServerIdentity);
        AuditTrail.Begin(_folder["audit.log"], RandomNumberGenerator.GetBytes(AuditTrail.KeyLength));
        var trail = AuditTrail.Open(_folder["audit.log"]);
        using var log = new EventLog();
        _ = new MutualTlsServer(_world.ServerOptions with { Identity = identity, Audit = new AuditPolicy { Sink = trail }, LoggerFactory = log });
        await trail.DisposeAsync();

        identity.Replace(_world.ServerIdentity);

        Whats().Should().Equal("trail.opened", AuditKinds.Configured, "trail.closed");
        log.Drain().Should().NotContain(what => what.Id == 1650);
    }

    [Test]
    public async Task Details_are_in_the_trail_and_bounded()
    {
        var key = RandomNumberGenerator.GetBytes(AuditTrail.KeyLength);
        AuditTrail.Begin(_folder["audit.log"], key);
        await using (var trail = AuditTrail.Open(_folder["audit.log"]))
        {
            await trail.RecordAsync(new AuditEvent(new string('€', 9000), new string('€', 90_000))
            {
                Connection = new string('€', 9000),
                Details = [.. Enumerable.Range(0, 50).Select(
                    number => new KeyValuePair<string, string>($"{number}{new string('€', 9000)}", new string('€', 90_000)))],
            });
            await trail.RecordAsync(new AuditEvent("act", "cabinet 7 was opened") { Details = [new("cabinet", "7")] });
        }

        AuditTrail.Verify(_folder["audit.log"], key).Should().BeEquivalentTo(new { IsIntact = true, Entries = 2L });
        var lines = File.ReadAllLines(_folder["audit.log"]);
        using var first = System.Text.Json.JsonDocument.Parse(lines[0][97..]);
        first.RootElement.GetProperty("details").EnumerateObject().Should().HaveCount(20).And.OnlyContain(
            detail => detail.Value.GetString()!.Length < 550 && detail.Name.Length < 60);
        lines[1].Should().EndWith("""
            "details":{"cabinet":"7"}}
            """);
    }

    [Test]
    public void Details_have_names_and_each_of_them_once()
    {
        FluentActions.Invoking(() => new AuditEvent("act", "x") { Details = [new("a", "1"), new("a", "2")] }).Should().Throw<ArgumentException>();
        FluentActions.Invoking(() => new AuditEvent("act", "x") { Details = [new("a", null!)] }).Should().Throw<ArgumentException>();
        new AuditEvent("act", "x") { Details = default }.Details.Should().BeEmpty();
        (new AuditEvent("act", "x") { Details = [new("a", "1")] } == new AuditEvent("act", "x") { Details = [new("a", "1")] }).Should().BeTrue();
    }

    private IEnumerable<string> Whats() => File.ReadAllLines(_folder["audit.log"]).Select(line =>
    {
        using var entry = System.Text.Json.JsonDocument.Parse(line[97..]);
        return entry.RootElement.GetProperty("what").GetString()!;
    });

    private static ScramVerifier Verifier() => ScramVerifier.Create(Password.From("x"), iterations: ScramVerifier.MinIterations);
}
