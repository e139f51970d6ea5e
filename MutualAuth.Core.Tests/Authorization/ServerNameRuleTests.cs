using MutualAuth.Names;
using MutualAuth.Tests.Support;

namespace MutualAuth.Tests.Authorization;

public sealed class ServerNameRuleTests
{
    [TestCase("server.test.example", "server.test.example", null)]
    [TestCase("SERVER.test.example", "server.test.example", null)]
    [TestCase("*.test.example", "server.test.example", null)]
    [TestCase("other.test.example", "server.test.example", RejectionReason.ServerNameMismatch)]
    [TestCase("*.test.example", "a.server.test.example", RejectionReason.ServerNameMismatch)]
    [TestCase("*.example", "server.example", RejectionReason.ServerNameMismatch)]
    [TestCase("192.0.2.1", "192.0.2.1", RejectionReason.ServerNameMismatch)]
    public void A_server_is_let_in_by_a_dns_name_that_matches_the_dialled_one(string presented, string dialled, RejectionReason? expected) =>
        Examine(new TestPeer { Dns = ["first.test.example", presented], Dialled = dialled }).Should().Be(expected);

    [TestCase("192.0.2.1", "192.0.2.1", null)]
    [TestCase("192.0.2.1", "::ffff:192.0.2.1", null)]
    [TestCase("2001:db8::1", "[2001:db8::1]", null)]
    [TestCase("192.0.2.2", "192.0.2.1", RejectionReason.ServerNameMismatch)]
    [TestCase("::ffff:192.0.2.1", "192.0.2.1", RejectionReason.ServerNameMismatch)]
    [TestCase("2001:db8::2", "2001:db8::1", RejectionReason.ServerNameMismatch)]
    [TestCase("192.0.2.1", "server.test.example", RejectionReason.ServerNameMismatch)]
    public void A_server_that_is_dialled_by_address_is_let_in_by_that_address_alone(string presented, string dialled, RejectionReason? expected) =>
        Examine(new TestPeer { Addresses = [presented], Dialled = dialled }).Should().Be(expected);

    [TestCase("server.test.example")]
    [TestCase("192.0.2.1")]
    public void A_common_name_lets_nobody_in_and_is_hinted_at(string dialled)
    {
        var only = Authorize.ServerName.Examine(new TestPeer { Subject = $"CN={dialled}", Dialled = dialled }.Context());
        var other = Authorize.ServerName.Examine(new TestPeer { Subject = "CN=other", Dialled = dialled }.Context());

        only!.Reason.Should().Be(RejectionReason.ServerNameMismatch);
        only.Hint.Should().NotBeNull();
        other!.Reason.Should().Be(RejectionReason.ServerNameMismatch);
        other.Hint.Should().BeNull();
    }

    [TestCase("server.test.example", "server.test.example", null)]
    [TestCase("*.test.example", "server.test.example", RejectionReason.WildcardRefused)]
    [TestCase("*.other.example", "server.test.example", RejectionReason.ServerNameMismatch)]
    [TestCase("*.example", "server.example", RejectionReason.ServerNameMismatch)]
    [TestCase("192.0.2.1", "192.0.2.1", RejectionReason.ServerNameMismatch)]
    public void Without_wildcards_a_server_must_carry_the_name_itself(string presented, string dialled, RejectionReason? expected) =>
        (Authorize.ServerNameBy(WildcardPolicy.Refused).Examine(new TestPeer { Dns = [presented], Dialled = dialled }.Context())?.Reason)
            .Should().Be(expected);

    [Test]
    public void A_list_of_suffixes_takes_the_place_of_the_built_in_rule()
    {
        var rule = Authorize.ServerNameBy(WildcardPolicy.Above(PublicSuffixList.Parse("test.example\nuk\n")));

        Of("*.test.example", "server.test.example").Should().Be(RejectionReason.ServerNameMismatch);
        Of("*.other.example", "server.other.example").Should().BeNull();
        Of("*.co.uk", "server.co.uk").Should().BeNull("the list does not have it");
        Of("*.com", "server.com").Should().Be(RejectionReason.ServerNameMismatch, "a top-level domain always is one");

        RejectionReason? Of(string presented, string dialled) =>
            rule.Examine(new TestPeer { Dns = [presented], Dialled = dialled }.Context())?.Reason;
    }

    [Test]
    public void An_address_that_is_carried_as_a_dns_name_is_hinted_at() =>
        Authorize.ServerName.Examine(new TestPeer { Dns = ["192.0.2.1"], Dialled = "192.0.2.1" }.Context())!.Hint.Should().NotBeNull();

    [TestCase("*.internal", "api.internal", "whole top-level domain")]
    [TestCase("*.co.uk", "bank.co.uk", "public suffix")]
    [TestCase("*.test.example", "a.server.test.example", "covers one label")]
    [TestCase("server.test.example.", "server.test.example", "ends without a dot")]
    [TestCase("*.test.example.", "server.test.example", "ends without a dot")]
    [TestCase("*.other.example", "server.test.example", null)]
    [TestCase("other.test.example.", "server.test.example", null)]
    [TestCase("*.internal", "internal", null)]
    public void A_name_that_only_looks_like_the_dialled_one_is_hinted_at(string presented, string dialled, string? hint)
    {
        var rejection = Authorize.ServerName.Examine(new TestPeer { Dns = [presented], Dialled = dialled }.Context())!;

        rejection.Reason.Should().Be(RejectionReason.ServerNameMismatch);
        (rejection.Hint?.Contains(hint ?? "?", StringComparison.Ordinal)).Should().Be(hint is null ? null : true);
    }

    [Test]
    public void Without_a_dialled_name_nobody_is_let_in() =>
        Examine(new TestPeer { Dns = ["server.test.example"] }).Should().Be(RejectionReason.ServerNameMismatch);

    [Test]
    public void A_rejection_prints_the_dialled_name_and_what_the_certificate_carries()
    {
        var rejection = Authorize.ServerName.Examine(
            new TestPeer { Dns = ["a.test.example"], Addresses = ["192.0.2.1"], Dialled = "server.test.example" }.Context())!;

        rejection.Expected.Should().Contain("server.test.example");
        rejection.Presented.Should().Contain("a.test.example").And.Contain("192.0.2.1");
    }

    [Test]
    public void A_rejection_stays_short_however_many_names_the_certificate_carries()
    {
        var names = Enumerable.Range(0, 200).Select(number => $"host-{number}.test.example").ToArray();

        var rejection = Authorize.ServerName.Examine(new TestPeer { Dns = names, Dialled = "server.test.example" }.Context())!;

        rejection.Presented.Should().Contain("host-7.").And.NotContain("host-8.").And.Contain("192 more");
    }

    private static RejectionReason? Examine(TestPeer peer) => Authorize.ServerName.Examine(peer.Context())?.Reason;

    [TestCase("server.test.", "server.test", "ends without a dot")]
    [TestCase("other.test.", "server.test", null)]
    [TestCase("*.internal", "api.internal", "two labels")]
    [TestCase("*.internal", "api.example", null)]
    [TestCase("*.other.internal", "api.internal", null)]
    public void A_name_that_nearly_matches_is_explained(string presented, string dialled, string? words)
    {
        var hint = Authorize.ServerName.Examine(new TestPeer { Dns = [presented], Dialled = dialled }.Context())!.Hint;

        if (words is null)
        {
            hint.Should().BeNull();
        }
        else
        {
            hint.Should().Contain(words);
        }
    }
}
