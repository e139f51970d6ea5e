using MutualAuth.Tests.Support;

namespace MutualAuth.Tests.Samples;

/// <summary>The samples that tell a story: what is let in, and beside it everything that is not, on both sides.</summary>
[CancelAfter(120000)]
public sealed class StoryTests
{
    private const string Baker = "BE68539007547034 Corner Bakery";
    private const string Landlord = "DE89370400440532013000 The Landlord";
    private const string Mallorys = "GB82WEST12345698765432";
    private const string Unconfirmed = "without a confirmation of \"alice\"";

    [Test]
    public async Task Online_banking_carries_out_what_its_customer_confirmed_and_nothing_else()
    {
        const string Proven = "confirmed by \"alice\": ChannelBinding, Passkey, UserVerification";
        var chapters = await RunAsync("OnlineBanking");

        chapters.Should().HaveCount(21);
        chapters[0].Should().ContainAll(
            "customer: this is bank.test, and it knows me: Certificate, Password, ChannelBinding",
            "bank: \"alice\" is in: Password, ChannelBinding, Passkey",
            "customer: confirmed");
        CarriedOut(chapters[0]).Should().Equal(
            $"12 EUR to {Baker}, bread-1, {Unconfirmed}", $"2500 EUR to {Landlord}, rent-12, {Proven}");

        // Five small ones, or 100 EUR together, or one of more than 30: whichever is first has the bank ask, and only a confirmation sets them back.
        CarriedOut(chapters[1]).Should().Equal(
        [
            .. Enumerable.Range(2, 5).Select(number => $"4 EUR to {Baker}, bread-{number}, {Unconfirmed}"),
            $"4 EUR to {Baker}, bread-7, {Proven}",
        ]);
        RefusedToCustomer(chapters[1]).Should().Equal($"4 EUR to {Baker}, bread-7");
        CarriedOut(chapters[2]).Should().Equal(
            $"30 EUR to {Baker}, cake-1, {Unconfirmed}",
            $"30 EUR to {Baker}, cake-2, {Unconfirmed}",
            $"30 EUR to {Baker}, cake-3, {Unconfirmed}",
            $"10 EUR to {Baker}, cake-4, {Unconfirmed}");
        RefusedToCustomer(chapters[2]).Should().Equal($"0.01 EUR to {Baker}, cake-5", $"0.01 EUR to {Baker}, cake-5");
        chapters[2].Should().Contain("bank: \"alice\" is in", "another connection and another login set nothing back");
        CarriedOut(chapters[3]).Should().Equal($"30.01 EUR to {Baker}, feast-1, {Proven}", $"30 EUR to {Baker}, feast-4, {Unconfirmed}");
        RefusedToCustomer(chapters[3]).Should().Equal($"30.01 EUR to {Baker}, feast-2", $"1 USD to {Baker}, feast-3");
        CarriedOut(chapters[4]).Should().HaveCount(4, "one has gone before, and five is the most on all connections together")
            .And.OnlyContain(line => line.EndsWith(Unconfirmed, StringComparison.Ordinal));
        RefusedToCustomer(chapters[4]).Should().HaveCount(4);

        NotConfirmed(chapters[5], $"2500 EUR to {Mallorys} The Landlord, rent-13");
        NotConfirmed(chapters[6], $"2500 EUR to {Landlord}, rent-13");
        NotConfirmed(chapters[7], $"2500 EUR to {Landlord}, rent-13");
        RefusedToCustomer(chapters[8]).Should().Equal("rent-12 has been used", "rent-12 has been used");
        RefusedToCustomer(chapters[9]).Should().Equal(Enumerable.Repeat("this is no payment that a bank can carry out", 5));
        chapters[9].Should().NotContain("bank:");
        chapters[10].Should().ContainAll("bank: not carried out, refused_by_peer", $"customer: refused, 2500 EUR to {Mallorys} Mallory, loot-1");
        chapters[11].Should().ContainAll("bank: not carried out, refused_by_peer", $"customer: refused, 2500 EUR to {Mallorys} Mallory, loot-2");

        // The password in one, the passkey in the other, and one and the same refusal.
        chapters[12].Should().Contain("bank: The peer was rejected. credentials_wrong");
        chapters[13].Should().Contain("bank: The peer was rejected. passkey_challenge_mismatch");
        Said(chapters[12], "thief: ").Should().Equal(Said(chapters[13], "thief: "))
            .And.ContainSingle().Which.Should().Contain("credentials_wrong");
        chapters[14].Should().ContainAll("thief: The peer was rejected. second_factor_unavailable", "bank: The peer refused us.");

        Said(chapters[15], "bank: The peer was rejected. ").Select(Code).Should().Equal(
            [.. Enumerable.Repeat("credentials_wrong", 5), "attempts_limited"]);
        Said(chapters[15], "letter to ").Should().Equal("carol: 5 failed attempts, ForATime");
        Said(chapters[15], "carol: ").Should().Equal(Said(chapters[12], "thief: "), "a lock-out is told as a wrong password is");
        Said(chapters[16], "bank: not carried out, ").Select(Code).Should().Equal(
            [.. Enumerable.Repeat("passkey_challenge_mismatch", 5), "attempts_limited"]);
        Said(chapters[16], "letter to ").Should().Equal("dora: 5 failed attempts, ForATime");
        Said(chapters[16], "customer: not confirmed, ").Should().Equal(Enumerable.Repeat("credentials_wrong", 6));
        RefusedToCustomer(chapters[16]).Should().HaveCount(6).And.HaveElementAt(5, $"31 EUR to {Baker}, right-1");

        CarriedOut(chapters[17]).Should().HaveCount(3, "less than five minutes are no end");
        chapters[17].Should().ContainAll(
            "customer: alive, says the bank to my program",
            "bank: \"alice\" is out, user_inactive: expected a user who does something every 00:05:00",
            "customer: the bank has ended the connection");
        chapters[18].Should().ContainAll("alice: The peer was rejected. pin_mismatch", "impostor: The peer refused us.");
        chapters[18].Should().NotContain("is in", "an impostor learns of no customer");
        chapters[19].Should().ContainAll(
            "bank: \"alice\" is out, second_factor_removed",
            "customer: the bank has ended the connection",
            "finder: The peer refused us.");
        CarriedOut(chapters[19]).Should().Equal(
            [$"12 EUR to {Baker}, bread-1, without a confirmation of \"bob\""], "a reference and the counts are each customer's own");
        chapters[20].Should().ContainAll(
            "bank: \"bob\" is out, user_disabled", "customer: the bank has ended the connection", "bob: The peer refused us.");
        chapters[5..17].Concat(chapters[18..19]).Concat(chapters[20..]).Should().OnlyContain(chapter => !chapter.Contains("bank: carried out"));

        static void NotConfirmed(string chapter, string payment)
        {
            chapter.Should().Contain("bank: not carried out, passkey_challenge_mismatch");
            Said(chapter, "customer: ").Where(line => !line.StartsWith("this is", StringComparison.Ordinal)).Should().Equal(
                "not confirmed, credentials_wrong", $"refused, {payment}");
        }

        static string[] CarriedOut(string chapter) => Said(chapter, "bank: carried out, ");

        static string[] RefusedToCustomer(string chapter) => Said(chapter, "customer: refused, ");
    }

    [Test]
    public async Task The_VPN_lets_in_a_device_with_its_user_and_neither_alone()
    {
        var chapters = await RunAsync("VpnGateway");

        chapters.Should().HaveCount(14);
        chapters[0].Should().ContainAll(
            "gateway: \"alice\" on laptop-1.vpn.test gets 10.8.0.2; proven: Certificate, Password, ChannelBinding, OneTimeCode",
            "alice: the tunnel is up, and we are 10.8.0.2",
            "gateway: \"bob\" on laptop-2.vpn.test gets 10.8.0.3");
        Refused(chapters[1], "finder", "credentials_required", "credentials_required");
        Refused(chapters[2], "onlooker", "certificate_required", "no_certificate");
        Refused(chapters[3], "alice", "credentials_wrong", "user_not_allowed");
        Refused(chapters[4], "finder", "credentials_wrong", "credentials_wrong");
        Refused(chapters[5], "carol", "credentials_wrong", "credentials_wrong");
        Refused(chapters[6], "thief", "certificate_revoked", "certificate_revoked");
        Refused(chapters[7], "stranger", "unknown_ca", "unknown_authority");
        chapters[8].Should().ContainAll("thief: The peer was rejected. second_factor_unavailable", "gateway: The peer refused us.");
        Refused(chapters[9], "thief", "credentials_wrong", "second_factor_wrong");
        chapters[1..10].Should().OnlyContain(chapter => !chapter.Contains("tunnel is up"));
        chapters[10].Should().ContainAll("alice: the tunnel is up, and we are 10.8.0.4");
        Refused(chapters[10], "onlooker", "credentials_wrong", "second_factor_reused");
        chapters[11].Should().ContainAll("proven: Certificate, Password, ChannelBinding, OneTimeCode, ReconnectCredential");
        Refused(chapters[11], "thief", "credentials_wrong", "credentials_wrong");
        Refused(chapters[11], "alice", "credentials_wrong", "reconnect_credential_no_longer_valid");
        chapters[12].Should().ContainAll(
            "gateway: the tunnel of \"alice\" is down: user_not_allowed", "alice: the tunnel is down", "bob: the tunnel is still up");
        chapters[12].Should().NotContain("the tunnel of \"bob\" is down");
        if (chapters[13].Contains("There is no tunnel here", StringComparison.Ordinal))
        {
            Environment.IsPrivilegedProcess.Should().BeFalse("root on Linux can make one: {0}", chapters[13]);
        }
        else
        {
            chapters[13].Should().ContainAll(
                "bob: 10.8.0.1:7 has answered through the tunnel",
                "gateway: dropped a packet of Bob's that says it comes from 10.8.0.99",
                "gateway: the tunnel of \"bob\" is down: user_not_allowed",
                "bob: nothing answers through the tunnel");
        }

        static void Refused(string chapter, string who, string told, string reason) =>
            chapter.Should().ContainAll($"   {who}: The peer refused us.", told, $"   gateway: The peer was rejected. {reason}");
    }

    [Test]
    public async Task The_cloud_service_takes_a_token_from_the_workload_that_it_was_issued_to_and_from_no_other()
    {
        const string LetIn = "spiffe://prod.example/billing may invoices:read; proven: Certificate, Token, ChannelBinding; certificate ";
        var chapters = await RunAsync("CloudClient");

        chapters.Should().HaveCount(19);
        chapters[0].Should().Contain("billing: spiffe://prod.example/invoices says, 3 invoices");
        var first = Said(chapters[0], $"service: {LetIn}").Should().ContainSingle().Subject;
        Refused(chapters[1], "thief", "credentials_wrong", "token_not_bound_to_certificate");
        Refused(chapters[2], "thief", "certificate_required", "no_certificate");
        Refused(chapters[3], "billing", "credentials_required", "credentials_required");
        Refused(chapters[4], "billing", "credentials_wrong", "token_not_bound_to_certificate");
        Refused(chapters[5], "billing", "credentials_wrong", "token_no_longer_valid");
        Refused(chapters[6], "billing", "credentials_wrong", "token_audience_wrong");
        Refused(chapters[7], "forger", "credentials_wrong", "token_signature_wrong");
        Refused(chapters[8], "reports", "access_denied", "user_not_allowed");
        Refused(chapters[9], "staging", "unknown_ca", "unknown_authority");

        // The client authenticates the service by its SPIFFE ID, and whom it rejects learns of no token.
        chapters[10].Should().ContainAll(
            "billing: The peer was rejected. not_authorized", "spiffe://prod.example/reports", "impostor: The peer refused us.");
        chapters[11].Should().ContainAll("billing: The peer was rejected. unknown_authority", "stranger: The peer refused us.");
        chapters[1..12].Should().OnlyContain(chapter => !chapter.Contains("3 invoices") && !chapter.Contains(" may "));

        chapters[12].Should().ContainAll(
            "service: spiffe://prod.example/billing has shown its token again", "billing: renewed", "billing: still connected, 3 invoices");
        chapters[12].Should().NotContain("is out");
        chapters[13].Should().ContainAll(
            "billing: not renewed, credential_check_faulted",
            "service: spiffe://prod.example/billing not renewed, refused_by_peer",
            $"service: spiffe://prod.example/billing is out: token_expired; certificate {first}",
            "billing: the service ends the connection, token_expired");

        // The certificate is replaced: two connections with the old one, and one with the new one.
        var (old, fresh) = Said(chapters[14], $"service: {LetIn}") is [var one, var two, var three] && one == two
            ? (one, three)
            : throw new AssertionException(chapters[14]);
        new[] { first, old, fresh }.Should().OnlyHaveUniqueItems();
        chapters[14].Should().ContainAll("old: 3 invoices", "careless: 3 invoices", "new: 3 invoices", "old: still connected, 3 invoices");
        Refused(chapters[15], "billing", "credentials_wrong", "token_not_bound_to_certificate");
        Said(chapters[16], "service: ").Should().Equal(Enumerable.Repeat("spiffe://prod.example/billing has shown its token again", 2));
        chapters[16].Should().ContainAll("old: renewed, 3 invoices", "new: renewed, 3 invoices");
        chapters[17].Should().ContainAll(
            "service: spiffe://prod.example/billing not renewed, token_not_bound_to_certificate",
            "careless: not renewed, refused_by_peer",
            $"service: spiffe://prod.example/billing is out: token_expired; certificate {old}",
            "careless: the service ends the connection, token_expired",
            "old: still connected, 3 invoices");
        chapters[18].Should().ContainAll(
            $"service: spiffe://prod.example/billing is out: certificate_expired; certificate {old}",
            "old: the service ends the connection, certificate_expired",
            "new: still connected, 3 invoices");
        chapters[14..].Sum(chapter => Said(chapter, "service: ").Count(line => line.Contains("is out"))).Should().Be(2);

        static void Refused(string chapter, string who, string told, string reason) =>
            chapter.Should().ContainAll($"   {who}: The peer refused us.", told, $"   service: The peer was rejected. {reason}");
    }

    /// <summary>What follows this beginning, in each line that has it.</summary>
    private static string[] Said(string chapter, string beginning) =>
    [
        .. chapter.Split('\n').Select(line => line.Trim()).Where(line => line.StartsWith(beginning, StringComparison.Ordinal))
            .Select(line => line[beginning.Length..]),
    ];

    /// <summary>The reason's code, which stands before the colon.</summary>
    private static string Code(string text) => text.Split(':')[0];

    /// <summary>Runs it to its good end, and cuts what it said at the numbered headlines.</summary>
    private static async Task<string[]> RunAsync(string sample)
    {
        var program = await EndedProgram.OfAsync(RunningProgram.StartSample(sample), TimeSpan.FromSeconds(90)); // a dozen passwords are derived
        program.ExitCode.Should().Be(0, program.All);
        return
        [
            .. System.Text.RegularExpressions.Regex.Split(program.Output, @"^\d+\. ", System.Text.RegularExpressions.RegexOptions.Multiline).Skip(1),
        ];
    }
}
