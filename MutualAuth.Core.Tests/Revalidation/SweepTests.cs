using System.Net;
using MutualAuth.Connections;
using MutualAuth.Names;
using MutualAuth.Testing;
using MutualAuth.Tests.Support;
using MutualAuth.Validation;

namespace MutualAuth.Tests.Revalidation;

/// <summary>What comes at the wrong moment of a sweep through more connections than one batch has.</summary>
[CancelAfter(60000)]
public sealed class SweepTests
{
    private const int Connections = 300;
    private const int Odd = 100;

    [Test]
    public async Task A_connection_whose_peer_cannot_be_read_ends_and_takes_nothing_from_the_others([Values] bool fails)
    {
        using var world = new RevalidationWorld();
        var odd = new Unreadable(world.Judge());
        var others = new List<FakeConnection>();
        for (var number = 0; number < Connections; number++)
        {
            others.Add(world.Connect());
            if (number == Odd)
            {
                using var ticket = world.Registry.Begin();
                ticket.Register(odd, null);
            }
        }

        odd.Fails = fails;
        world.Rule.Current = Authorize.Where("nobody but one", context => ReferenceEquals(context.Evidence, odd.Evidence));
        world.Rule.SayReplaced();

        (await world.JudgedAgainAsync()).Should().Be(Connections + 1);
        odd.Losses.Should().Equal(fails ? [RejectionReason.ValidatorFaulted] : []);
        others.Should().AllSatisfy(other => other.Losses.Select(loss => loss.Rejection.Reason).Should().Equal(RejectionReason.NotAuthorized));
    }

    [Test]
    public async Task A_rule_that_throws_about_one_peer_ends_that_one([Values] bool throws)
    {
        using var world = new RevalidationWorld();
        var connections = Enumerable.Range(0, Connections).Select(_ => world.Connect()).ToArray();
        var odd = connections[Odd];

        world.Rule.Current = Authorize.Where(
            "whoever is not odd",
            context => throws && ReferenceEquals(context.Evidence, odd.Peer.Evidence)
                ? throw new InvalidOperationException("The rule is broken.")
                : true);
        world.Rule.SayReplaced();

        (await world.JudgedAgainAsync()).Should().Be(Connections);
        odd.Losses.Select(loss => loss.Rejection.Reason).Should().Equal(throws ? [RejectionReason.ValidatorFaulted] : []);
        connections.Where(connection => connection != odd).Should().AllSatisfy(connection => connection.Losses.Should().BeEmpty());
    }

    [Test]
    public async Task Who_registers_in_the_middle_of_a_sweep_is_judged_by_what_was_replaced_since_its_handshake_began([Values] bool isAccepted)
    {
        using var world = new RevalidationWorld();
        using var open = new ManualResetEventSlim();
        var reached = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var connections = Enumerable.Range(0, Connections).Select(_ => world.Connect()).ToArray();
        var held = connections[Odd].Peer.Evidence;
        using var ticket = world.Registry.Begin();
        var late = new FakeConnection(world.Judge());

        world.Rule.Current = Authorize.Where(
            "everybody, and one of them late",
            context =>
            {
                if (ReferenceEquals(context.Evidence, held))
                {
                    reached.TrySetResult();
                    open.Wait(ConnectedPair.Deadline).Should().BeTrue();
                }

                return true;
            });
        world.Rule.SayReplaced();
        await reached.Task.WaitAsync(ConnectedPair.Deadline);
        world.Rule.Current = Authorize.Where("all but one", context => isAccepted || !ReferenceEquals(context.Evidence, late.Peer.Evidence));
        world.Rule.SayReplaced();
        ticket.Register(late, null);

        late.Losses.Select(loss => loss.Rejection.Reason).Should().Equal(isAccepted ? [] : [RejectionReason.NotAuthorized]);
        open.Set();
        _ = await world.JudgedAgainAsync() + await world.JudgedAgainAsync();
        late.Losses.Should().HaveCount(isAccepted ? 0 : 1);
        connections.Should().AllSatisfy(connection => connection.Losses.Should().BeEmpty());
    }

    [Test]
    public void Peers_of_one_authority_share_the_object_of_its_name()
    {
        using var world = new RevalidationWorld();
        var (one, other) = (world.Judge().Path, world.Judge().Path);

        one[0].Issuer.Should().BeSameAs(one[1].Subject);
        one[0].Issuer.ToString().Should().Be(other[0].Issuer.ToString());
        one[^1].Issuer.Should().Be(one[^1].Subject);
    }

    /// <summary>A connection that loses its peer.</summary>
    private sealed class Unreadable(AuthenticatedPeer peer) : IRevalidated
    {
        private readonly List<RejectionReason> _losses = [];
        private IEndListener? _endListener;

        internal volatile bool Fails;

        public AuthenticatedPeer Peer => Fails ? throw new InvalidOperationException("There is no peer.") : peer;

        public EndPoint? RemoteEndPoint => null;

        public TimeSpan IdleFor => TimeSpan.Zero;

        internal Evidence.PeerEvidence Evidence => peer.Evidence;

        internal IReadOnlyList<RejectionReason> Losses => _losses;

        public void CountIdle(TimeProvider time)
        {
        }

        public void Invalidate(Invalidation lost)
        {
            _losses.Add(lost.Rejection.Reason);
            _endListener?.HasEnded();
        }

        public ValueTask EndAsync() => ValueTask.CompletedTask;

        public void OnEnded(IEndListener listener) => _endListener = listener;
    }
}
