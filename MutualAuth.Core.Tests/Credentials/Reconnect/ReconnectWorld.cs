using System.Collections.Immutable;
using System.Net;
using Microsoft.Extensions.Logging.Abstractions;
using MutualAuth.Authorization;
using MutualAuth.Credentials;
using MutualAuth.Evidence;
using MutualAuth.Tests.Support;

namespace MutualAuth.Tests.Credentials;

/// <summary>A service that issues reconnect credentials, and a client that holds one, without a wire.</summary>
internal sealed class ReconnectWorld : IDisposable
{
    internal const string Service = "vpn.test";

    private readonly World _world = new();

    internal ReconnectWorld(Func<ReconnectCredentialsOptions, ReconnectCredentialsOptions>? change = null)
    {
        var options = new ReconnectCredentialsOptions { Server = Service, Store = Store, TimeProvider = Clock };
        Options = change?.Invoke(options) ?? options;
        Reconnects = new ReconnectCredentials(Options);
        Policy = PolicyOf(Reconnects);
        Held = new HeldReconnectCredential(Clock);
        Store.SetAsync("alice", Sasl.Verifier("right")).AsTask().GetAwaiter().GetResult();
        Store.SetAsync("bob", Sasl.Verifier("battery")).AsTask().GetAwaiter().GetResult();
    }

    internal MovedClock Clock { get; } = new();

    internal MemoryCredentialStore Store { get; } = new();

    internal ReconnectCredentialsOptions Options { get; }

    internal ReconnectCredentials Reconnects { get; }

    internal CredentialPolicy Policy { get; set; }

    internal HeldReconnectCredential Held { get; }

    internal NotingLimiter Limiter { get; } = new();

    internal Identity Device => _world.ClientIdentity;

    /// <summary>Another certificate of the same authority, with a key of its own.</summary>
    internal Identity OtherDevice => _world.ServerIdentity;

    internal static AuthenticatedPeer PeerOf(Identity identity, PeerRole role = PeerRole.Client) =>
        new(new PeerEvidence(role, [identity.Certificate.RawData]), [identity.Certificate], null);

    /// <summary>The peer that the client believes to have dialled.</summary>
    internal AuthenticatedPeer Server => PeerOf(_world.ServerIdentity, PeerRole.Server);

    internal CredentialPolicy PolicyOf(ReconnectCredentials reconnects) =>
        Require.CertificateAndUser(SaslServer.Scram(Store), reconnects.Mechanism) with { AttemptLimiter = Limiter };

    /// <summary>The user of a full login by password.</summary>
    internal async Task<AuthenticatedUser> LoggedInAsync(string name = "alice", string? actsAs = null, params LoginFact[] further)
    {
        var stored = await Store.FindAsync(name, default);
        ImmutableArray<LoginFact> facts = [LoginFacts.Verifier(Store, name, stored!.Verifiers[0]), .. further];
        return further.Aggregate(
            new AuthenticatedUser(name, actsAs, "SCRAM-SHA-256-PLUS", PeerProofs.Password | PeerProofs.ChannelBinding, [], null, [facts[0]]),
            (user, fact) => user.And(new AuthenticatedUser(name, actsAs, "TOTP", PeerProofs.OneTimeCode, [], null, [fact])));
    }

    internal async Task<ReconnectIssue> IssueAsync(AuthenticatedUser? user = null, DateTimeOffset? openedAt = null, Identity? device = null) =>
        await Reconnects.IssueAsync(
            user ?? await LoggedInAsync(), (device ?? Device).Certificate, openedAt ?? Clock.GetUtcNow(), Policy, default);

    /// <summary>A full login, and the client holds what it got for it.</summary>
    internal async Task HoldAsync(AuthenticatedUser? user = null)
    {
        var issue = await IssueAsync(user);
        issue.Rejection.Should().BeNull();
        Held.Receive(Server, issue.Octets).Should().BeTrue();
    }

    /// <summary>What the client sends on a connection.</summary>
    internal async Task<byte[]> ShownAsync(ChannelBinding? binding = null)
    {
        using var exchange = Held.Mechanism.Begin(ReconnectServer.Name, ClientContext(binding));
        return (await exchange.StartAsync(default))!.Value.ToArray();
    }

    internal SaslClientContext ClientContext(ChannelBinding? binding = null, Identity? own = null) =>
        new(Server, binding ?? Sasl.Binding, [ReconnectServer.Name, "SCRAM-SHA-256-PLUS"]) { OwnIdentity = own ?? Device };

    internal SaslServerSession Session(CredentialPolicy? policy = null, Identity? device = null, LoginServices? services = null) => new(
        policy ?? Policy,
        new SaslServerContext(
            policy ?? Policy,
            services ?? new LoginServices(policy ?? Policy, Clock),
            Sasl.Binding,
            PeerOf(device ?? Device),
            new IPEndPoint(IPAddress.Parse("192.0.2.1"), 1)),
        NullLogger.Instance);

    /// <summary>Shows octets at a server.</summary>
    internal async Task<SaslServerStep> ShowAsync(
        ReadOnlyMemory<byte> message, CredentialPolicy? policy = null, Identity? device = null, LoginServices? services = null)
    {
        await using var session = Session(policy, device, services);
        return await session.StartAsync(ReconnectServer.Name, message, default);
    }

    /// <summary>Shows what the client holds.</summary>
    internal async Task<SaslServerStep> ComeBackAsync(
        CredentialPolicy? policy = null, Identity? device = null, LoginServices? services = null) =>
        await ShowAsync(await ShownAsync(), policy, device, services);

    public void Dispose()
    {
        Held.Dispose();
        Reconnects.Dispose();
        _world.Dispose();
    }

    /// <summary>A wall clock that can be set, beside a steady one.</summary>
    internal sealed class MovedClock : TimeProvider
    {
        private TimeSpan _passed;
        private TimeSpan _set;

        internal static DateTimeOffset Start { get; } = new(2026, 7, 1, 8, 0, 0, TimeSpan.Zero);

        public override long TimestampFrequency => TimeSpan.TicksPerSecond;

        public override DateTimeOffset GetUtcNow() => Start + _passed + _set;

        public override long GetTimestamp() => _passed.Ticks;

        internal void Advance(TimeSpan time) => _passed += time;

        /// <summary>Sets the wall clock by so much, and the steady one not.</summary>
        internal void Set(TimeSpan by) => _set += by;
    }
}
