using MutualAuth.Authorization;
using MutualAuth.Confirmation;
using MutualAuth.Names;
using MutualAuth.Pinning;
using MutualAuth.Testing;
using MutualAuth.Tests.Support;
using MutualAuth.Validation;

namespace MutualAuth.Tests.Scenarios;

/// <summary>
/// A rejection is known to both ends inside the handshake call, on every TLS version: the reason where it was decided, the public code at the other
/// end. Plain TLS leaves the refused client believing that it is in (dotnet/runtime 69315), and the refused server too.
/// </summary>
[CancelAfter(60000)]
public sealed class BothEndsKnowTests
{
    // Of asynchronous validators; no other wait has this length.
    private static readonly TimeSpan s_deadline = TimeSpan.FromSeconds(4.321);

    private World _world = null!;

    [SetUp]
    public void SetUp() => _world = new World();

    [TearDown]
    public void TearDown() => _world.Dispose();

    /// <summary>Ways for a side to be rejected: each changes one fact about what it presents, or about what the other side demands.</summary>
    /// <param name="Reason">What the judging side says.</param>
    /// <param name="Told">What a rejected client is told.</param>
    /// <param name="Present">Another identity for the judged side; null leaves it.</param>
    /// <param name="Demand">Another demand of the judging side.</param>
    public sealed record Way(
        RejectionReason Reason,
        PublicReason Told,
        Func<World, string, ClientIdentity>? Present = null,
        Func<HandshakeDemand, HandshakeDemand>? RequiredCheck = null)
    {
        internal string Name { get; init; } = Reason.ToString();

        public override string ToString() => Name;
    }

    /// <summary>What the judging side demands, whichever it is.</summary>
    public sealed record HandshakeDemand
    {
        public AuthorizationRule? Authorization { get; init; }

        public PinSet? Pins { get; init; }

        public ICertificateValidator? Validator { get; init; }

        public IAsyncPeerValidator? AsyncValidator { get; init; }

        public CertificateLimits Limits { get; init; } = new();
    }

    private static readonly Way[] s_ways =
    [
        new(RejectionReason.UnknownAuthority, PublicReason.UnknownCa, (world, role) => Issue(world.Foreign, role)),
        new(
            RejectionReason.CertificateExpired,
            PublicReason.CertificateExpired,
            (world, role) => Issue(world.Authority, role, spec => spec with { NotAfter = DateTimeOffset.UtcNow.AddHours(-1) })),
        new(
            RejectionReason.CertificateNotYetValid,
            PublicReason.CertificateExpired,
            (world, role) => Issue(world.Authority, role, spec => spec with { NotBefore = DateTimeOffset.UtcNow.AddHours(1) })),
        new(
            RejectionReason.WrongUsage,
            PublicReason.UnsupportedCertificate,
            (world, role) => Issue(world.Authority, role == "server" ? "client" : "server", spec => spec with { DnsNames = [role + ".test"] })),
        new(
            RejectionReason.CertificateAuthorityAsLeaf,
            PublicReason.UnsupportedCertificate,
            (world, role) => Issue(world.Authority, role, spec => spec with { BasicConstraints = new BasicConstraints(IsAuthority: true) })),
        new(
            RejectionReason.UnknownCriticalExtension,
            PublicReason.UnsupportedCertificate,
            (world, role) => Issue(
                world.Authority, role, spec => spec with { Extensions = [new CertificateExtension("1.2.3.4.5", true, new byte[] { 5, 0 })] })),
        new(
            RejectionReason.NotAuthorized,
            PublicReason.AccessDenied,
            RequiredCheck: demand => demand with { Authorization = Authorize.Dns("somebody-else.test") }),
        new(
            RejectionReason.NotAnSvid,
            PublicReason.CertificateUnknown,
            RequiredCheck: demand => demand with { Authorization = Authorize.MemberOf("example.org") }),
        new(RejectionReason.PinMismatch, PublicReason.AccessDenied, RequiredCheck: demand => demand with { Pins = PinSet.Of(Pin(1), Pin(2)) }),
        new(
            RejectionReason.PinsExpired,
            PublicReason.AccessDenied,
            RequiredCheck: demand => demand with { Pins = PinSet.Of(Pin(1), Pin(2)).ExpiringAt(DateTimeOffset.UtcNow.AddDays(-1)) }),
        new(
            RejectionReason.TooManyCertificates,
            PublicReason.BadCertificate,
            (world, role) => Issue(world.Authority.IssueIntermediate(), role),
            demand => demand with { Limits = new() { MaxCertificates = 1 } }),
        new(
            RejectionReason.CertificateTooLarge,
            PublicReason.BadCertificate,
            (world, role) => Issue(
                world.Authority, role, spec => spec with { Extensions = [new CertificateExtension("1.2.3.4.5", false, new byte[2000])] }),
            demand => demand with { Limits = new() { MaxCertificateBytes = 1500 } }),
        new(
            RejectionReason.ValidatorRefused,
            PublicReason.AccessDenied,
            RequiredCheck: demand => demand with { Validator = new Says(RejectionReason.ValidatorRefused) }),
        new(RejectionReason.ValidatorFaulted, PublicReason.InternalError, RequiredCheck: demand => demand with { Validator = new Says(null) }),
        new(
            RejectionReason.ValidatorRefused,
            PublicReason.AccessDenied,
            RequiredCheck: demand => demand with { AsyncValidator = new SaysLater(RejectionReason.ValidatorRefused) })
            { Name = "ValidatorRefused, asynchronous" },
        new(
            RejectionReason.ValidatorFaulted,
            PublicReason.InternalError,
            RequiredCheck: demand => demand with { AsyncValidator = new SaysLater(null) }) { Name = "ValidatorFaulted, asynchronous" },
        new(RejectionReason.ValidatorTimedOut, PublicReason.TryAgainLater, RequiredCheck: demand => demand with { AsyncValidator = new NeverSays() }),
    ];

    private static readonly Way s_noCertificate = new(RejectionReason.NoCertificate, PublicReason.CertificateRequired, (_, _) => ClientIdentity.None);

    private static readonly Way s_otherName = new(
        RejectionReason.ServerNameMismatch,
        PublicReason.AccessDenied,
        (world, role) => Issue(world.Authority, role, spec => spec with { DnsNames = ["other.test"] }));

    /// <summary>
    /// Every reason there is to reject a peer, also those that <c>SslStream</c> cannot be made to bring about, out of the mouth of a validator.
    /// </summary>
    private static IEnumerable<Way> EveryReason() =>
        from reason in Enum.GetValues<RejectionReason>()
        where reason is >= RejectionReason.NoCertificate and < RejectionReason.ConfirmationUnavailable
        select new Way(reason, PublicReasonTable.ForClient(reason), RequiredCheck: demand => demand with { Validator = new Says(reason) })
        { Name = $"{reason}, said by a validator" };

    private static IEnumerable<TestCaseData> WaysOf(Way only) =>
        from way in s_ways.Append(only).Concat(EveryReason())
        from version in new[] { TlsVersion.Tls12, TlsVersion.Tls13 }
        select new TestCaseData(way, version).SetArgDisplayNames(way.Name, version.ToString());

    private static IEnumerable<TestCaseData> WaysOfClients() => WaysOf(s_noCertificate);

    private static IEnumerable<TestCaseData> WaysOfServers() => WaysOf(s_otherName);

    [TestCaseSource(nameof(WaysOfClients))]
    public async Task A_client_that_the_server_rejects_learns_it_in_the_call(Way way, TlsVersion version)
    {
        var client = Presenting(way, version);
        var server = Demanding(way, _world.ServerOptions);

        await using var ends = await ConnectedPair.ShakeAsync(client, server);

        ends.Server.Refusal.Failure.Should().Be(HandshakeFailure.PeerRejected);
        ends.Server.Refusal.Reason.Should().Be(way.Reason, ends.Server.Refusal.Message);
        ends.Client.Refusal.Failure.Should().Be(HandshakeFailure.RefusedByPeer, ends.Client.Refusal.Message);
        ends.Client.Refusal.PeerReason.Should().Be(way.Told);
    }

    [TestCaseSource(nameof(WaysOfServers))]
    public async Task A_server_that_the_client_rejects_learns_it_in_the_call_and_nothing_more(Way way, TlsVersion version)
    {
        var identity = way.Present?.Invoke(_world, "server");
        var server = _world.ServerOptions with { Identity = identity?.For(null)[0] ?? _world.ServerIdentity, MinimumTlsVersion = version };
        var client = Capped(Demanding(way, _world.ClientOptions), version);

        await using var ends = await ConnectedPair.ShakeAsync(client, server);

        ends.Client.Refusal.Failure.Should().Be(HandshakeFailure.PeerRejected);
        ends.Client.Refusal.Reason.Should().Be(way.Reason, ends.Client.Refusal.Message);
        ends.Server.Refusal.Failure.Should().Be(HandshakeFailure.RefusedByPeer, ends.Server.Refusal.Message);
        ends.Server.Refusal.PeerReason.Should().Be(PublicReason.Refused, "an impostor must not learn of pins or names");
    }

    [Test]
    public async Task The_neighbours_without_that_one_fact_accept_each_other([Values] TlsVersion version)
    {
        await using var ends = await ConnectedPair.ShakeAsync(
            Capped(_world.ClientOptions, version), _world.ServerOptions with { MinimumTlsVersion = TlsVersion.Tls12 });

        ends.Client.Accepted.IsConfirmed.Should().BeTrue();
        ends.Server.Accepted.IsConfirmed.Should().BeTrue();
        ends.Client.Accepted.Peer.Name.Should().Be("server.test");
        ends.Server.Accepted.Peer.Name.Should().Be("client.test");
        ends.Server.Accepted.Session.TlsVersion.Should().Be(version);
    }

    [Test]
    public async Task When_both_refuse_each_has_its_own_reason_and_the_others()
    {
        var client = _world.ClientOptions with { Authorization = Authorize.Dns("other.test") };
        var server = _world.ServerOptions with { Authorization = Authorize.Dns("other.test") };

        await using var ends = await ConnectedPair.ShakeAsync(client, server);

        (ends.Client.Refusal.Failure, ends.Client.Refusal.Reason, ends.Client.Refusal.PeerReason)
            .Should().Be((HandshakeFailure.PeerRejected, RejectionReason.NotAuthorized, PublicReason.AccessDenied));
        (ends.Server.Refusal.Failure, ends.Server.Refusal.Reason, ends.Server.Refusal.PeerReason)
            .Should().Be((HandshakeFailure.PeerRejected, RejectionReason.NotAuthorized, PublicReason.Refused));
    }

    private MutualTlsClientOptions Presenting(Way way, TlsVersion version)
    {
        var identity = way.Present?.Invoke(_world, "client");
        return Capped(identity is null ? _world.ClientOptions : _world.ClientOptions with { Identity = identity }, version);
    }

    private static T Demanding<T>(Way way, T options)
        where T : MutualAuth.Handshake.HandshakeOptions
    {
        var demand = way.RequiredCheck?.Invoke(new HandshakeDemand()) ?? new HandshakeDemand();
        return options with
        {
            Authorization = demand.Authorization ?? options.Authorization,
            Pins = demand.Pins,
            Validators = demand.Validator is null ? [] : [demand.Validator],
            AsyncValidators = demand.AsyncValidator is null ? [] : [demand.AsyncValidator],
            TimeProvider = demand.AsyncValidator is NeverSays { Clock: var clock } ? clock : options.TimeProvider,
            AsyncValidatorTimeout = s_deadline,
            CertificateLimits = demand.Limits,
        };
    }

    private static MutualTlsClientOptions Capped(MutualTlsClientOptions options, TlsVersion version) =>
        options with { MinimumTlsVersion = version, MaximumTlsVersion = version };

    private static Identity Issue(
        TestAuthority authority, string role, Func<CertificateSpec, CertificateSpec>? bend = null) => World.ToIdentity(authority.Issue(spec =>
    {
        spec = spec with
        {
            Subject = $"CN={role}.test",
            DnsNames = [role + ".test"],
            ExtendedKeyUsages = [role == "server" ? ExtendedKeyUsage.ServerAuth : ExtendedKeyUsage.ClientAuth],
        };
        return bend?.Invoke(spec) ?? spec;
    }));

    private static SpkiPin Pin(byte fill) => SpkiPin.OfSubjectPublicKeyInfo(new[] { fill });

    private sealed class Says(RejectionReason? reason) : ICertificateValidator
    {
        public Rejection? Examine(CertificateContext context) =>
            reason is { } refused ? new Rejection(refused, "a", "b") : throw new InvalidOperationException("bug in a validator");
    }

    private sealed class SaysLater(RejectionReason? reason) : IAsyncPeerValidator
    {
        public async ValueTask<Rejection?> ExamineAsync(AuthenticatedPeer peer, CancellationToken cancellationToken)
        {
            await Task.Yield();
            return reason is { } refused ? new Rejection(refused, "a", "b") : throw new InvalidOperationException("bug in a validator");
        }
    }

    private sealed class NeverSays : IAsyncPeerValidator
    {
        internal HurriedClock Clock { get; } = new(s_deadline);

        public async ValueTask<Rejection?> ExamineAsync(AuthenticatedPeer peer, CancellationToken cancellationToken)
        {
            Clock.Hurry();
            return await new TaskCompletionSource<Rejection?>().Task; // does not even look at its token
        }
    }
}
