using System.Collections.Immutable;
using System.Net;
using Microsoft.Extensions.Time.Testing;
using MutualAuth.Authorization;
using MutualAuth.Connections;
using MutualAuth.Evidence;
using MutualAuth.Names;
using MutualAuth.Pinning;
using MutualAuth.Revalidation;
using MutualAuth.Revocation;
using MutualAuth.Testing;
using MutualAuth.Transport;
using MutualAuth.Validation;

namespace MutualAuth.Tests.Support;

/// <summary>The real registry over connections without sockets, with a source for everything that a connection stands on.</summary>
internal sealed class RevalidationWorld : IDisposable
{
    internal static readonly TimeSpan Grace = TimeSpan.FromSeconds(30);

    private readonly RevocationWorld _world = new();
    private readonly List<IDisposable> _certificates = [];

    internal RevalidationWorld(RevalidationPolicy? policy = null, params ICertificateValidator[] validators)
        : this(policy, null, validators)
    {
    }

    internal RevalidationWorld(RevalidationPolicy? policy, Func<double>? nextShare, params ICertificateValidator[] validators)
    {
        Lists = new ReloadableLists(_world.Lists());
        Trust = new ReloadableTrust(_world.Root.ToTrustAnchors());
        var identity = _world.Issue();
        _certificates.Add(identity);
        Options = new MutualTlsServerOptions
        {
            Identity = World.ToIdentity(identity),
            Trust = Trust,
            Authorization = Authorize.From(Rule),
            Revocation = new RevocationPolicy { Lists = Lists },
            DenyList = Denied,
            Pins = Pins,
            Validators = [.. validators],
            TimeProvider = Clock,
            LoggerFactory = Log,
        };
        Stage = new CertificateStage(Options);
        Registry = new ConnectionRevalidator(Stage, Options, policy ?? new RevalidationPolicy(), PeerRole.Server)
        {
            NextShare = nextShare ?? Random.Shared.NextDouble,
        };
    }

    internal RevocationWorld Authorities => _world;

    internal FakeTimeProvider Clock => _world.Clock;

    internal EventLog Log { get; } = new();

    internal ReloadableLists Lists { get; }

    internal ReloadableTrust Trust { get; }

    internal ReloadableDenyList Denied { get; } = new(DenyList.Empty);

    internal ReloadableRule Rule { get; } = new(Authorize.AnyTrustedPeer);

    internal ReloadablePins Pins { get; } = new(PinSet.Of(TestKeyPin("A"), TestKeyPin("B")).ReportOnly());

    internal MutualTlsServerOptions Options { get; }

    internal CertificateStage Stage { get; }

    internal ConnectionRevalidator Registry { get; }

    internal TestCertificate Issue(Func<CertificateSpec, CertificateSpec>? spec = null)
    {
        var certificate = _world.Issue(spec);
        _certificates.Add(certificate);
        return certificate;
    }

    internal FakeConnection Connect(TestCertificate? peer = null, DateTimeOffset? ownEnd = null)
    {
        using var ticket = Registry.Begin();
        var connection = new FakeConnection(Judge(peer));
        ticket.Register(connection, ownEnd);
        return connection;
    }

    internal AuthenticatedPeer Judge(TestCertificate? peer = null) => Stage.Judge(_world.Evidence(peer), Clock.GetUtcNow()) switch
    {
        CertificateVerdict.Accepted accepted => accepted.Peer,
        CertificateVerdict.Rejected rejected => throw new AssertionException(rejected.Rejection.ToString()),
        _ => throw new InvalidOperationException(),
    };

    internal void Revoke(TestCertificate certificate)
    {
        _world.Issuing.Revoke(certificate);
        Lists.Replace(_world.Lists());
    }

    /// <summary>The end of the next walk through live connections: how many were judged again.</summary>
    internal async Task<int> JudgedAgainAsync() => (int)(await Log.NextAsync(1452)).Values["Judged"]!;

    public void Dispose()
    {
        foreach (var certificate in _certificates)
        {
            certificate.Dispose();
        }

        _world.Dispose();
    }

    private static SpkiPin TestKeyPin(string text) => SpkiPin.OfSubjectPublicKeyInfo(System.Text.Encoding.ASCII.GetBytes(text));
}

/// <summary>A connection of which only the standing counts.</summary>
internal sealed class FakeConnection(AuthenticatedPeer peer) : IRevalidated
{
    private readonly Lock _lock = new();
    private readonly List<Invalidation> _losses = [];
    private readonly TaskCompletionSource _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private TaskCompletionSource _lost = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private IEndListener? _endListener;
    private IdleClock? _idle;

    public AuthenticatedPeer Peer { get; private set; } = peer;

    /// <summary>Its place in the registry.</summary>
    internal ILiveEntry? Entry { get; private set; }

    /// <summary>How often what it was told was taken back.</summary>
    internal int Restored { get; private set; }

    public void Attach(ILiveEntry entry) => Entry = entry;

    /// <summary>Called while its user is replaced; null for nothing.</summary>
    internal Action? Replacing { get; set; }

    public void Replace(AuthenticatedUser user)
    {
        Peer = Peer.WithUser(user);
        Replacing?.Invoke();
    }

    public void Replace(ImmutableArray<FactLease> leases) => Peer = Peer.WithLeases(leases);

    public void Restore() => Restored++;

    public EndPoint? RemoteEndPoint => null;

    public TimeSpan IdleFor => _idle!.Elapsed;

    /// <summary>All that it was told.</summary>
    internal IReadOnlyList<Invalidation> Losses
    {
        get
        {
            lock (_lock)
            {
                return [.. _losses];
            }
        }
    }

    internal bool IsEnded => _ended.Task.IsCompleted;

    /// <summary>Waits until it has been told <paramref name="count"/> times, and gives the last.</summary>
    internal async Task<(RejectionReason Reason, InvalidationAction Action)> LostAsync(int count = 1)
    {
        while (true)
        {
            Task next;
            lock (_lock)
            {
                if (_losses.Count >= count)
                {
                    return (_losses[^1].Rejection.Reason, _losses[^1].Action);
                }

                next = _lost.Task;
            }

            await next.WaitAsync(ConnectedPair.Deadline);
        }
    }

    internal Task EndedAsync() => _ended.Task.WaitAsync(ConnectedPair.Deadline);

    public void CountIdle(TimeProvider time) => _idle = new IdleClock(time);

    /// <summary>What the application does when it reads or writes.</summary>
    internal void Move() => _idle!.Moved();

    internal bool CountsIdle => _idle is not null;

    public void Invalidate(Invalidation lost)
    {
        lock (_lock)
        {
            _losses.Add(lost);
            _lost.TrySetResult();
            _lost = new(TaskCreationOptions.RunContinuationsAsynchronously);
        }

        if (lost.Action == InvalidationAction.Abort)
        {
            End();
        }
    }

    public ValueTask EndAsync()
    {
        End();
        return ValueTask.CompletedTask;
    }

    public void OnEnded(IEndListener listener)
    {
        _endListener = listener;
        if (IsEnded)
        {
            Interlocked.Exchange(ref _endListener, null)?.HasEnded();
        }
    }

    /// <summary>What the application does when it disposes of a connection.</summary>
    internal void End()
    {
        _ended.TrySetResult();
        Interlocked.Exchange(ref _endListener, null)?.HasEnded();
    }
}
