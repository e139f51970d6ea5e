using System.Collections.Immutable;
using System.Reflection;
using MutualAuth.Evidence;
using MutualAuth.Paths;
using MutualAuth.Testing;
using MutualAuth.Validation;

namespace MutualAuth.Tests.Library;

/// <summary>What an application can do, and cannot, with trust sources of its own; this assembly does not see the library's internals.</summary>
public sealed class TrustFromOutsideTests
{
    [Test]
    public void Anchors_that_change_are_asked_for_at_each_judgement()
    {
        using var first = new TestAuthority("First");
        using var second = new TestAuthority("Second");
        using var client = second.IssueClient("client.test");
        var trust = new Rotating { Current = first.ToTrustAnchors() };
        var stage = new CertificateStage(new CertificateStageOptions { Trust = trust, Authorization = Authorize.AnyTrustedPeer });
        var evidence = new PeerEvidence(PeerRole.Client, ImmutableArray.Create(client.RawCertificate));

        stage.Judge(evidence, DateTimeOffset.UtcNow).Should().BeOfType<CertificateVerdict.Rejected>()
            .Which.Rejection.Reason.Should().Be(RejectionReason.UnknownAuthority);
        trust.Current = second.ToTrustAnchors();
        stage.Judge(evidence, DateTimeOffset.UtcNow).Should().BeOfType<CertificateVerdict.Accepted>();
    }

    [Test]
    public void No_other_assembly_can_say_yes_in_its_own_way() =>
        typeof(ITrustSource).GetMethods(BindingFlags.Instance | BindingFlags.Public | BindingFlags.NonPublic).Should().NotBeEmpty().And.OnlyContain(
            method => method.IsAbstract && method.IsAssembly);

    private sealed class Rotating : ITrustAnchorSource
    {
        public required TrustAnchors Current { get; set; }
    }
}
