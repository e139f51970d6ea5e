using System.Collections.Immutable;
using MutualAuth.Confirmation;

namespace MutualAuth.Tests.Confirmation;

public sealed class ConfirmationProtocolTests
{
    [TestCase(ConfirmationPolicy.Preferred, "", "mutualauth/1")]
    [TestCase(ConfirmationPolicy.Preferred, "x y", "mutualauth/1+x mutualauth/1+y x y mutualauth/1")]
    [TestCase(ConfirmationPolicy.Required, "x y", "mutualauth/1+x mutualauth/1+y mutualauth/1")]
    [TestCase(ConfirmationPolicy.Required, "", "mutualauth/1")]
    [TestCase(ConfirmationPolicy.Never, "x y", "x y")]
    public void A_client_offers_confirmed_first_and_the_bare_id_last(ConfirmationPolicy policy, string ours, string offered) =>
        ConfirmationProtocol.Offer(Ids(ours), policy)!.Select(ConfirmationProtocol.FromWire).Should().Equal(Ids(offered));

    [Test]
    public void A_client_that_never_confirms_and_names_no_protocol_sends_no_list() =>
        ConfirmationProtocol.Offer([], ConfirmationPolicy.Never).Should().BeNull();

    [TestCase(ConfirmationPolicy.Preferred, "", "mutualauth/1", "mutualauth/1")]
    [TestCase(ConfirmationPolicy.Preferred, "x", "mutualauth/1+x x mutualauth/1", "mutualauth/1+x")]
    [TestCase(
        ConfirmationPolicy.Preferred,
        "y x",
        "mutualauth/1+x mutualauth/1+y x y mutualauth/1",
        "mutualauth/1+y",
        TestName = "The server's order decides")]
    [TestCase(
        ConfirmationPolicy.Preferred,
        "",
        "mutualauth/1+x x mutualauth/1",
        "mutualauth/1",
        TestName = "A server without protocols of its own confirms alone")]
    [TestCase(ConfirmationPolicy.Preferred, "x", "mutualauth/1", "mutualauth/1", TestName = "A client without protocols of its own confirms alone")]
    [TestCase(ConfirmationPolicy.Preferred, "x", "h2 x", "x", TestName = "A plain client gets its protocol")]
    [TestCase(ConfirmationPolicy.Preferred, "", "h2 http/1.1", null, TestName = "A plain client with a list of its own is not broken by ours")]
    [TestCase(ConfirmationPolicy.Preferred, "x", "", null, TestName = "A client without a list is served without one")]
    [TestCase(ConfirmationPolicy.Never, "x", "mutualauth/1+x x mutualauth/1", "x")]
    [TestCase(ConfirmationPolicy.Never, "", "mutualauth/1", null)]
    [TestCase(ConfirmationPolicy.Required, "x", "mutualauth/1+x x mutualauth/1", "mutualauth/1+x")]
    [TestCase(ConfirmationPolicy.Required, "", "mutualauth/1", "mutualauth/1")]
    public void A_server_answers_what_fits_the_client(ConfirmationPolicy policy, string ours, string offered, string? chosen) =>
        ConfirmationProtocol.Choose(Ids(offered), Ids(ours), policy).Should().Be((chosen, (Rejection?)null));

    [TestCase(ConfirmationPolicy.Preferred, "x", "h2", RejectionReason.AlpnMismatch)]
    [TestCase(ConfirmationPolicy.Preferred, "x", "mutualauth/1+y y mutualauth/1", RejectionReason.AlpnMismatch)]
    [TestCase(ConfirmationPolicy.Never, "x", "mutualauth/1+y y mutualauth/1", RejectionReason.AlpnMismatch)]
    [TestCase(ConfirmationPolicy.Required, "", "", RejectionReason.ConfirmationUnavailable)]
    [TestCase(
        ConfirmationPolicy.Required,
        "x",
        "x",
        RejectionReason.ConfirmationUnavailable,
        TestName = "Required does not fall back to the plain protocol")]
    [TestCase(ConfirmationPolicy.Required, "x", "mutualauth/1+y mutualauth/1", RejectionReason.AlpnMismatch)]
    [TestCase(ConfirmationPolicy.Required, "", "mutualauth/1+y", RejectionReason.AlpnMismatch)]
    [TestCase(
        ConfirmationPolicy.Required,
        "",
        "mutualauth/10 mutualauth/2",
        RejectionReason.ConfirmationUnavailable,
        TestName = "Another version is another protocol")]
    public void A_server_that_finds_nothing_in_common_says_which_way(ConfirmationPolicy policy, string ours, string offered, RejectionReason reason)
    {
        var (chosen, problem) = ConfirmationProtocol.Choose(Ids(offered), Ids(ours), policy);

        chosen.Should().BeNull();
        problem!.Reason.Should().Be(reason);
    }

    [TestCase(8, false)]
    [TestCase(9, true)]
    public void Of_many_ids_a_rejection_names_the_first_eight(int count, bool isCut)
    {
        var (_, problem) = ConfirmationProtocol.Choose(
            [.. Enumerable.Range(1, count).Select(number => $"id{number}")], ["x"], ConfirmationPolicy.Never);

        problem!.Presented.Should().Contain("\"id8\"").And.NotContain("id9");
        problem.Presented.EndsWith('\u2026').Should().Be(isCut);
    }

    [Test]
    public void An_id_has_one_text_form_whatever_octets_it_has()
    {
        ConfirmationProtocol.FromWire(default).Should().BeNull();
        ConfirmationProtocol.FromWire(ConfirmationProtocol.ToWire("mutualauth/1")).Should().Be("mutualauth/1");
        ConfirmationProtocol.FromWire(ConfirmationProtocol.ToWire("\u00ff\u0080")).Should().Be("\u00ff\u0080");
    }

    private static ImmutableArray<string> Ids(string text) => [.. text.Split(' ', StringSplitOptions.RemoveEmptyEntries)];
}
