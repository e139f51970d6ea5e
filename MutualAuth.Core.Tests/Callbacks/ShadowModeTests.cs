using System.Collections.Concurrent;
using System.Diagnostics.Metrics;
using System.Net.Security;
using MutualAuth.Callbacks;
using MutualAuth.Tests.Support;
using MutualAuth.Validation;

namespace MutualAuth.Tests.Callbacks;

/// <summary>A migration looks before it decides: the other callback's answer is the answer, whatever ours would be.</summary>
[CancelAfter(60000)]
public sealed class ShadowModeTests
{
    private CallbackWorld _world = null!;

    [SetUp]
    public void SetUp() => _world = new CallbackWorld();

    [TearDown]
    public void TearDown() => _world.Dispose();

    private static IEnumerable<TestCaseData> Answers()
    {
        foreach (var ours in new[] { "accepts", "rejects", "throws" })
        {
            yield return new TestCaseData(ours, true, ours == "accepts" ? 1132 : 1133);
            yield return new TestCaseData(ours, false, ours == "accepts" ? 1134 : 1132);
            yield return new TestCaseData(ours, null, ours == "accepts" ? 1134 : 1132);
        }
    }

    /// <summary>Nine combinations, over real TLS, with a hook that throws as well.</summary>
    [TestCaseSource(nameof(Answers))]
    public async Task The_answer_is_the_other_callbacks(string ours, bool? others, int logged)
    {
        using var server = (ours == "rejects" ? _world.Foreign : _world.Issuing).IssueServer("server.test");
        var options = _world.Options with { OnJudged = _ => throw new InvalidOperationException("hook") };
        var callbacks = new ValidationCallbacks(
            new CertificateStage(_world.OnServers), ours == "throws" ? options with { TimeProvider = new BrokenClock() } : options);
        var shadow = callbacks.ShadowForServer(
            (_, certificate, chain, _) =>
            {
                // What the other one does with what it was given changes nothing either.
                chain!.ChainPolicy.ExtraStore.Clear();
                return others ?? throw new System.Security.Authentication.AuthenticationException("the other one");
            },
            "server.test");

        (await _world.DialAsync(shadow, server)).Should().Be(others == true);

        _world.Log.Drain().Select(entry => entry.Id).Should().EndWith([logged, 1135]);
    }

    [Test]
    public void What_the_other_callback_throws_is_thrown()
    {
        var shadow = _world.Callbacks(_world.OnServers).ShadowForServer((_, _, _, _) => throw new TimeoutException("the other one"), "server.test");

        FluentActions.Invoking(() => shadow(this, _world.Server.Certificate, null, SslPolicyErrors.None)).Should().Throw<TimeoutException>();

        (_world.Judged!.IsShadow, _world.Judged.OtherAccepted).Should().Be((true, null));
    }

    [TestCase(true)]
    [TestCase(false)]
    public void On_servers_too(bool other)
    {
        using var stranger = _world.Foreign.IssueClient("client.test");
        var callbacks = _world.Callbacks(_world.OnClients);

        callbacks.ShadowForClient((_, _, _, _) => other)(this, stranger.Certificate, null, SslPolicyErrors.None).Should().Be(other);
        _world.Judged!.Rejection!.Reason.Should().Be(RejectionReason.UnknownAuthority);
        callbacks.ShadowForKestrel((_, _, _) => other)(stranger.Certificate, null, SslPolicyErrors.None).Should().Be(other);
        (_world.Judged.IsShadow, _world.Judged.OtherAccepted).Should().Be((true, other));
    }

    [Test]
    public async Task A_peer_that_would_be_rejected_is_logged_with_the_reason()
    {
        using var other = _world.Issuing.IssueServer("other.test");

        await _world.DialAsync(_world.Callbacks(_world.OnServers).ShadowForServer((_, _, _, _) => true), other);

        var logged = await _world.Log.NextAsync(1133);
        logged.Values.Should().Contain("Callback", "orders database").And.Contain("Peer", "other.test").And.Contain("Other", "accepted")
            .And.Contain("Reason", "server_name_mismatch");
    }

    [Test]
    public void Each_judgement_is_counted_once_with_both_answers()
    {
        var counted = new ConcurrentQueue<string>();
        using var listener = new MeterListener();
        listener.InstrumentPublished = (instrument, all) =>
        {
            if (instrument.Meter.Name == MutualAuthTelemetry.SourceName && instrument.Name == "mutualauth.callback.verdicts")
            {
                all.EnableMeasurementEvents(instrument);
            }
        };
        var name = $"counted {Guid.NewGuid()}";
        listener.SetMeasurementEventCallback<long>((_, value, tags, _) =>
        {
            var all = tags.ToArray().ToDictionary(tag => tag.Key, tag => tag.Value);
            if (Equals(all["mutualauth.callback"], name))
            {
                counted.Enqueue($"{value} {all["mutualauth.role"]} {all["mutualauth.outcome"]} {all.GetValueOrDefault("mutualauth.reason") ?? "-"} "
                    + $"{all.GetValueOrDefault("mutualauth.callback.other") ?? "-"}");
            }
        });
        listener.Start();
        using var good = _world.Root.IssueServer("server.test");
        using var bad = _world.Foreign.IssueServer("server.test");
        var stage = new CertificateStage(_world.OnServers);
        var callbacks = new ValidationCallbacks(stage, _world.Options with { Name = name });
        var broken = new ValidationCallbacks(stage, _world.Options with { Name = name, TimeProvider = new BrokenClock() });

        callbacks.ForServer("server.test")(this, good.Certificate, null, SslPolicyErrors.None);
        callbacks.ForServer("server.test")(this, bad.Certificate, null, SslPolicyErrors.None);
        callbacks.ShadowForServer((_, _, _, _) => true, "server.test")(this, bad.Certificate, null, SslPolicyErrors.None);
        callbacks.ShadowForServer((_, _, _, _) => false, "server.test")(this, good.Certificate, null, SslPolicyErrors.None);
        broken.ForServer("server.test")(this, good.Certificate, null, SslPolicyErrors.None);
        var throwing = callbacks.ShadowForServer((_, _, _, _) => throw new TimeoutException(), "server.test");
        FluentActions.Invoking(() => throwing(this, good.Certificate, null, SslPolicyErrors.None)).Should().Throw<TimeoutException>();

        counted.Should().Equal(
            "1 client accepted - -",
            "1 client peer_rejected unknown_authority -",
            "1 client peer_rejected unknown_authority accepted",
            "1 client accepted - rejected",
            "1 client our_fault source_faulted -",
            "1 client accepted - threw");
    }
}
