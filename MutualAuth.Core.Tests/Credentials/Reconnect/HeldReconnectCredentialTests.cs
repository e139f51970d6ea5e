using System.Reflection;
using MutualAuth.Credentials;
using MutualAuth.Tests.Support;

namespace MutualAuth.Tests.Credentials;

/// <summary>What a client does with the reconnect credential that it holds.</summary>
[CancelAfter(60000)]
public sealed class HeldReconnectCredentialTests
{
    private ReconnectWorld _world = null!;

    [SetUp]
    public void SetUp() => _world = new ReconnectWorld();

    [TearDown]
    public void TearDown() => _world.Dispose();

    [Test]
    public async Task It_is_shown_to_its_server_on_its_key_until_its_end_and_to_nobody_else()
    {
        await _world.HoldAsync();
        bool IsShown(SaslClientContext context) => _world.Held.Mechanism.NamesFor(context).Any();
        var another = ReconnectWorld.PeerOf(_world.Device, PeerRole.Server);
        var elsewhere = new SaslClientContext(another, Sasl.Binding, []) { OwnIdentity = _world.Device };
        var unbound = new SaslClientContext(_world.Server, null, []) { OwnIdentity = _world.Device };
        var naked = new SaslClientContext(_world.Server, Sasl.Binding, []);

        IsShown(_world.ClientContext()).Should().BeTrue();
        IsShown(_world.ClientContext(own: _world.OtherDevice)).Should().BeFalse("the server would refuse it with another key");
        IsShown(elsewhere).Should().BeFalse();
        IsShown(unbound).Should().BeFalse();
        IsShown(naked).Should().BeFalse();
        _world.Clock.Advance(_world.Options.Lifetime);
        IsShown(_world.ClientContext()).Should().BeFalse();
    }

    [TestCase("forgotten")]
    [TestCase("disposed of")]
    [TestCase("replaced")]
    [TestCase("replaced by what is none")]
    public async Task Its_octets_are_wiped_when_it_is(string what)
    {
        await _world.HoldAsync();
        var octets = (byte[])typeof(HeldReconnectCredential).GetField("_issued", BindingFlags.Instance | BindingFlags.NonPublic)!
            .GetValue(_world.Held)!;
        octets.Should().Contain(octet => octet != 0);
        switch (what)
        {
            case "forgotten":
                _world.Held.Forget().Should().BeTrue();
                _world.Held.Forget().Should().BeFalse();
                break;
            case "disposed of":
                _world.Held.Dispose();
                _world.Held.Invoking(held => held.Receive(_world.Server, octets)).Should().Throw<ObjectDisposedException>();
                break;
            case "replaced":
                await _world.HoldAsync();
                break;
            default:
                _world.Held.Receive(_world.Server, [1, 2, 3]).Should().BeFalse();
                break;
        }

        octets.Should().OnlyContain(octet => octet == 0);
        (_world.Held.NotAfter is not null).Should().Be(what == "replaced");
        _world.Held.Mechanism.NamesFor(_world.ClientContext()).Any().Should().Be(what == "replaced");
    }

    [Test]
    public async Task What_is_not_of_the_form_of_one_is_not_held()
    {
        var octets = (await _world.IssueAsync()).Octets!;
        byte[][] malformed = [[], octets[..^300], [2, .. octets[1..]], [1, 255, .. octets[2..]], [.. octets, .. new byte[2000]]];
        foreach (var other in malformed)
        {
            _world.Held.Receive(_world.Server, other).Should().BeFalse($"it has {other.Length} octets");
            _world.Held.NotAfter.Should().BeNull();
        }

        _world.Held.Receive(_world.Server, octets).Should().BeTrue();
        _world.Held.NotAfter.Should().Be(ReconnectWorld.MovedClock.Start + _world.Options.Lifetime);
    }

    [TestCase("right", null)]
    [TestCase("none", RejectionReason.ServerSignatureWrong)]
    [TestCase("altered", RejectionReason.ServerSignatureWrong)]
    [TestCase("of another connection", RejectionReason.ServerSignatureWrong)]
    [TestCase("the client's own", RejectionReason.ServerSignatureWrong)]
    public async Task A_server_that_does_not_prove_that_it_issued_it_is_not_believed(string what, RejectionReason? reason)
    {
        await _world.HoldAsync();
        using var exchange = _world.Held.Mechanism.Begin(ReconnectServer.Name, _world.ClientContext());
        var message = (await exchange.StartAsync(default))!.Value;
        var proof = (await _world.ShowAsync(message)).AdditionalData!.Value.ToArray();
        ReadOnlyMemory<byte>? answer = what switch
        {
            "none" => null,
            "altered" => (byte[])[.. proof[..^1], (byte)(proof[^1] ^ 1)],
            "of another connection" => (await _world.ComeBackAsync()).AdditionalData!.Value,
            "the client's own" => message.Slice(33, 32),
            _ => proof,
        };

        var end = exchange.Complete(answer);

        (end.Objection?.Reason).Should().Be(reason);
        end.ServerProofs.Should().Be(reason is null ? PeerProofs.ReconnectCredential | PeerProofs.ChannelBinding : PeerProofs.None);
    }

    [Test]
    public async Task The_secret_is_never_said()
    {
        var issue = await _world.IssueAsync();
        var secret = issue.Octets!.AsSpan(1 + 8 + 32, 32).ToArray();
        _world.Held.Receive(_world.Server, issue.Octets);

        (await _world.ShownAsync()).AsSpan().IndexOf(secret).Should().Be(-1);
    }
}
