using System.Net.Sockets;
using System.Security.Cryptography;
using MutualAuth.Certificates;
using MutualAuth.Errors;
using MutualAuth.Tests.Support;
using MutualAuth.Trust;

namespace MutualAuth.Tests.Scenarios;

/// <summary>What a source of ours throws is a fault of ours: neither the peer's misbehaviour, nor its lateness, nor the loss of the transport.</summary>
[CancelAfter(60000)]
public sealed class OursIsOursTests
{
    private World _world = null!;

    [SetUp]
    public void SetUp() => _world = new World();

    [TearDown]
    public void TearDown() => _world.Dispose();

    public static IEnumerable<TestCaseData> Faults()
    {
        Exception[] faults =
        [
            new MaterialException("The certificate is gone."),
            new InvalidOperationException("bug"),
            new TimeoutException(),
            new UnauthorizedAccessException(),
            new CryptographicException("the token is gone"),
            new IOException("the disk is gone"),
            new SocketException((int)SocketError.ConnectionReset),
            new ObjectDisposedException("vault"),
            new OperationCanceledException(),
            new System.Security.Authentication.AuthenticationException("vault"),
        ];
        foreach (var fault in faults)
        {
            foreach (var weAreServer in new[] { false, true })
            {
                yield return new TestCaseData(fault, weAreServer).SetArgDisplayNames(fault.GetType().Name, weAreServer ? "server" : "client");
            }
        }
    }

    [TestCaseSource(nameof(Faults))]
    public async Task An_identity_source_that_throws(Exception fault, bool weAreServer)
    {
        var client = weAreServer ? _world.ClientOptions : _world.ClientOptions with { Identity = ClientIdentity.From(new Broken(fault)) };
        var server = weAreServer ? _world.ServerOptions with { Identity = new Broken(fault) } : _world.ServerOptions;

        await AssertOursAsync(client, server, fault, weAreServer);
    }

    [TestCaseSource(nameof(Faults))]
    public async Task A_trust_source_that_throws(Exception fault, bool weAreServer)
    {
        var client = weAreServer ? _world.ClientOptions : _world.ClientOptions with { Trust = new BrokenTrust(fault) };
        var server = weAreServer ? _world.ServerOptions with { Trust = new BrokenTrust(fault) } : _world.ServerOptions;

        await AssertOursAsync(client, server, null, weAreServer);
    }

    [TestCaseSource(nameof(Faults))]
    public async Task A_selector_or_a_choice_by_server_that_throws(Exception fault, bool weAreServer)
    {
        var client = weAreServer ? _world.ClientOptions : _world.ClientOptions with { Identity = ClientIdentity.ByServer(_ => throw fault) };
        var server = weAreServer ? _world.ServerOptions with { SelectServer = (_, _, _) => throw fault } : _world.ServerOptions;

        await AssertOursAsync(client, server, fault, weAreServer);
    }

    [TestCaseSource(nameof(Faults))]
    public async Task A_clock_that_throws(Exception fault, bool weAreServer)
    {
        var client = weAreServer ? _world.ClientOptions : _world.ClientOptions with { TimeProvider = new BrokenClock(fault) };
        var server = weAreServer ? _world.ServerOptions with { TimeProvider = new BrokenClock(fault) } : _world.ServerOptions;

        await AssertOursAsync(client, server, null, weAreServer);
    }

    [Test]
    public async Task Anchors_that_cannot_be_named_to_clients()
    {
        var server = _world.ServerOptions with { SendAcceptableIssuers = true, Trust = new BrokenTrust(new InvalidOperationException("bug")) };

        await AssertOursAsync(_world.ClientOptions, server, null, weAreServer: true);
    }

    [Test]
    public async Task A_peer_that_is_at_fault_stays_at_fault([Values] bool weAreServer)
    {
        var client = weAreServer ? _world.ClientOptions : _world.ClientOptions with { Trust = TrustAnchors.From(_world.Foreign.AsTrustAnchors) };
        var server = weAreServer ? _world.ServerOptions with { Trust = TrustAnchors.From(_world.Foreign.AsTrustAnchors) } : _world.ServerOptions;

        await using var ends = await Ends.ShakeAsync(client, server);

        (weAreServer ? ends.Server : ends.Client).Refusal.Failure.Should().Be(HandshakeFailure.PeerRejected);
    }

    private static async Task AssertOursAsync(MutualTlsClientOptions client, MutualTlsServerOptions server, Exception? fault, bool weAreServer)
    {
        await using var ends = await Ends.ShakeAsync(client, server);

        var refusal = (weAreServer ? ends.Server : ends.Client).Refusal;
        refusal.Failure.Should().Be(HandshakeFailure.OurFault);
        if (fault is not null)
        {
            refusal.InnerException.Should().BeSameAs(fault);
        }

        if (weAreServer)
        {
            ends.Client.Refusal.PeerReason.Should().Be(PublicReason.InternalError, "the client is told that it is not the one");
        }
        else
        {
            ends.Server.Connection.Should().BeNull();
        }
    }

    private sealed class Broken(Exception fault) : IIdentitySource
    {
        public Identity Current => throw fault;
    }

    private sealed class BrokenTrust(Exception fault) : ITrustAnchorSource
    {
        public TrustAnchors Current => throw fault;
    }

    private sealed class BrokenClock(Exception fault) : TimeProvider
    {
        public override DateTimeOffset GetUtcNow() => throw fault;
    }
}
