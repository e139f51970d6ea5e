using System.Net.Sockets;
using Microsoft.Extensions.Time.Testing;
using MutualAuth.Confirmation;
using MutualAuth.Credentials;
using MutualAuth.Tests.Support;

namespace MutualAuth.Tests.Scenarios;

/// <summary>A login that is not over at the deadline: the client's operator learns whether the server was late, or the client's own code.</summary>
[CancelAfter(60000)]
public sealed class LateLoginsTests
{
    private World _world = null!;

    [SetUp]
    public void SetUp() => _world = new World { CloseTimeout = World.Moment };

    [TearDown]
    public void TearDown() => _world.Dispose();

    [TestCase("our first message", true)]
    [TestCase("the server's challenge", false)]
    [TestCase("our response", true)]
    [TestCase("the server's outcome", false)]
    public async Task Whoever_is_late_is_named(string late, bool isOurs)
    {
        var clock = new FakeTimeProvider(TimeProvider.System.GetUtcNow());
        var mechanism = new Slow(late);
        var options = _world.ClientOptions with { Credentials = Login.With(mechanism), TimeProvider = clock };
        var (clientSocket, serverSocket) = await ConnectedPair.SocketPairAsync();
        var client = End.OfAsync(new MutualTlsClient(options).UpgradeAsync(clientSocket, "server.test"));
        await using var server = await ScriptedTlsPeer.AsServerAsync(new NetworkStream(serverSocket, ownsSocket: true), _world.ServerCertificate);
        await server.HearFrameAsync(FrameType.Login);
        await server.SayFrameAsync(FrameType.Mechanisms, Slow.Name);
        if (late != "our first message")
        {
            await server.HearFrameAsync(FrameType.Start);
        }

        if (late is "our response" or "the server's outcome")
        {
            await server.SayFrameAsync(FrameType.Challenge, "go on");
        }

        if (late == "the server's outcome")
        {
            await server.HearFrameAsync(FrameType.Response);
        }

        if (isOurs)
        {
            await mechanism.Asked.WaitAsync(ConnectedPair.Deadline);
        }

        clock.Advance(options.HandshakeTimeout + TimeSpan.FromSeconds(1));

        var rejection = (await client).Refusal.Rejection;
        rejection.Reason.Should().Be(RejectionReason.HandshakeTimedOut);
        rejection.Presented.Contains("code of ours", StringComparison.Ordinal).Should().Be(isOurs, rejection.Presented);
        (rejection.Hint is not null).Should().Be(isOurs);
    }

    /// <summary>A client's mechanism that takes its time over one message.</summary>
    private sealed class Slow(string late) : ISaslClientMechanism, ISaslClientExchange
    {
        internal const string Name = "OWN";

        private readonly TaskCompletionSource _asked = new(TaskCreationOptions.RunContinuationsAsynchronously);

        internal Task Asked => _asked.Task;

        public IEnumerable<string> NamesFor(SaslClientContext context) => [Name];

        public ISaslClientExchange Begin(string name, SaslClientContext context) => this;

        public async ValueTask<ReadOnlyMemory<byte>?> StartAsync(CancellationToken cancellationToken)
        {
            await WaitAsync("our first message", cancellationToken);
            return null;
        }

        public async ValueTask<SaslClientStep> StepAsync(ReadOnlyMemory<byte> challenge, CancellationToken cancellationToken)
        {
            await WaitAsync("our response", cancellationToken);
            return SaslClientStep.Answer(challenge);
        }

        public SaslClientEnd Complete(ReadOnlyMemory<byte>? additionalData) => new(null, PeerProofs.None);

        public void Dispose()
        {
        }

        private async Task WaitAsync(string message, CancellationToken cancellationToken)
        {
            if (message == late)
            {
                _asked.SetResult();
                await Task.Delay(Timeout.InfiniteTimeSpan, cancellationToken);
            }
        }
    }
}
