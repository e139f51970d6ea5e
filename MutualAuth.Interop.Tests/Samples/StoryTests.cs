using MutualAuth.Tests.Support;

namespace MutualAuth.Tests.Samples;

/// <summary>The samples that tell a story: what is let in, and beside it everything that is not, on both sides.</summary>
[CancelAfter(120000)]
public sealed class StoryTests
{
    [Test]
    public async Task Online_banking_carries_out_what_its_customer_confirmed_and_nothing_else()
    {
        var chapters = await RunAsync("OnlineBanking");

        chapters.Should().HaveCount(12);
        chapters[0].Should().ContainAll(
            "customer: this is bank.test, and it knows me: Certificate, Password, ChannelBinding",
            "bank: \"alice\" is in: Password, ChannelBinding, Passkey",
            "bank: carried out, 12 EUR to the baker",
            "bank: carried out, 2500 EUR to the landlord, confirmed by \"alice\": ChannelBinding, Passkey, UserVerification",
            "customer: confirmed");
        NotCarriedOut(chapters[1], "passkey_challenge_mismatch", "mallory");
        NotCarriedOut(chapters[2], "passkey_challenge_mismatch", "the landlord");
        NotCarriedOut(chapters[3], "refused_by_peer", "mallory");
        NotCarriedOut(chapters[4], "refused_by_peer", "bob");
        chapters[5].Should().ContainAll("bank: not carried out, nobody confirmed it", "customer: refused, 2500 EUR to mallory");
        chapters[6].Should().ContainAll("thief: The peer refused us.", "credentials_wrong", "bank: The peer was rejected. credentials_wrong");
        chapters[7].Should().ContainAll("thief: The peer was rejected. second_factor_unavailable", "bank: The peer refused us.");
        chapters[8].Should().ContainAll(
            "thief: The peer refused us.", "credentials_wrong", "bank: The peer was rejected. passkey_challenge_mismatch");
        chapters[9].Should().ContainAll("alice: The peer was rejected. pin_mismatch", "impostor: The peer refused us.");
        chapters[10].Should().ContainAll(
            "bank: \"alice\" is out, second_factor_removed",
            "customer: the bank has ended the connection",
            "bank: carried out, 12 EUR to the grocer",
            "finder: The peer refused us.");
        chapters[11].Should().ContainAll(
            "bank: \"bob\" is out, user_disabled", "customer: the bank has ended the connection", "bob: The peer refused us.");
        chapters[1..10].Should().OnlyContain(chapter => !chapter.Contains("bank: carried out"));

        static void NotCarriedOut(string chapter, string reason, string to) =>
            chapter.Should().ContainAll($"bank: not carried out, {reason}", "customer: not confirmed", $"customer: refused, 2500 EUR to {to}");
    }

    [Test]
    public async Task The_VPN_lets_in_a_device_with_its_user_and_neither_alone()
    {
        var chapters = await RunAsync("VpnGateway");

        chapters.Should().HaveCount(13);
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
        chapters[11].Should().ContainAll(
            "gateway: the tunnel of \"alice\" is down: user_not_allowed", "alice: the tunnel is down", "bob: the tunnel is still up");
        chapters[11].Should().NotContain("the tunnel of \"bob\" is down");
        if (chapters[12].Contains("There is no tunnel here", StringComparison.Ordinal))
        {
            Environment.IsPrivilegedProcess.Should().BeFalse("root on Linux can make one: {0}", chapters[12]);
        }
        else
        {
            chapters[12].Should().ContainAll(
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
        var chapters = await RunAsync("CloudClient");

        chapters.Should().HaveCount(12);
        chapters[0].Should().ContainAll(
            "service: spiffe://prod.example/billing may invoices:read; proven: Certificate, Token, ChannelBinding", "billing: 3 invoices");
        Refused(chapters[1], "thief", "credentials_wrong", "token_not_bound_to_certificate");
        Refused(chapters[2], "thief", "certificate_required", "no_certificate");
        Refused(chapters[3], "billing", "credentials_required", "credentials_required");
        Refused(chapters[4], "billing", "credentials_wrong", "token_not_bound_to_certificate");
        Refused(chapters[5], "billing", "credentials_wrong", "token_no_longer_valid");
        Refused(chapters[6], "billing", "credentials_wrong", "token_audience_wrong");
        Refused(chapters[7], "forger", "credentials_wrong", "token_signature_wrong");
        Refused(chapters[8], "reports", "access_denied", "user_not_allowed");
        Refused(chapters[9], "staging", "access_denied", "not_authorized");
        chapters[1..10].Should().OnlyContain(chapter => !chapter.Contains("invoices\n"));
        chapters[10].Should().ContainAll(
            "service: spiffe://prod.example/billing has shown its token again", "billing: still connected, 3 invoices");
        chapters[10].Should().NotContain("is out");
        chapters[11].Should().ContainAll(
            "service: spiffe://prod.example/billing not renewed, refused_by_peer",
            "service: spiffe://prod.example/billing is out: token_expired",
            "billing: the service has ended the connection");

        static void Refused(string chapter, string who, string told, string reason) =>
            chapter.Should().ContainAll($"   {who}: The peer refused us.", told, $"   service: The peer was rejected. {reason}");
    }

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
