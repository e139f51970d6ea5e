using MutualAuth.Tests.Support;

namespace MutualAuth.Tests.Samples;

/// <summary>The samples that tell a story: what is let in, and beside it everything that is not, on both sides.</summary>
[CancelAfter(60000)]
public sealed class StoryTests
{
    [Test]
    public async Task Online_banking_carries_out_what_its_customer_confirmed_and_nothing_else()
    {
        var chapters = await RunAsync("OnlineBanking");

        chapters.Should().HaveCount(7);
        chapters[0].Should().ContainAll(
            "customer: this is bank.test, and it knows me: Certificate, Password, ChannelBinding",
            "bank: \"alice\" is in, by SCRAM-SHA-256-PLUS: Password, ChannelBinding",
            "bank: carried out, 12 EUR to the baker",
            "bank: carried out, 2500 EUR to the landlord, confirmed by \"alice\" with SCRAM-SHA-256-PLUS",
            "customer: the bank has proven itself once more: True");
        chapters[1].Should().ContainAll("bank: not carried out, step_up_mismatch", "customer: refused, 2500 EUR to mallory");
        chapters[2].Should().ContainAll("bank: not carried out, credentials_wrong", "customer: refused, 2500 EUR to mallory");
        chapters[3].Should().ContainAll("bank: not carried out, step_up_mismatch", "customer: refused, 2500 EUR to bob");
        chapters[4].Should().ContainAll("bank: not carried out, nobody confirmed it", "customer: refused, 2500 EUR to mallory");
        chapters[5].Should().ContainAll("thief: The peer refused us.", "credentials_wrong", "bank: The peer was rejected. credentials_wrong");
        chapters[6].Should().ContainAll("alice: The peer was rejected. pin_mismatch", "impostor: The peer refused us.");
        chapters[1..].Should().OnlyContain(chapter => !chapter.Contains("bank: carried out"));
    }

    [Test]
    public async Task The_VPN_lets_in_a_device_with_its_user_and_neither_alone()
    {
        var chapters = await RunAsync("VpnGateway");

        chapters.Should().HaveCount(8);
        chapters[0].Should().ContainAll(
            "gateway: \"alice\" on laptop-1.vpn.test gets 10.8.0.2; proven: Certificate, Password, ChannelBinding",
            "alice: the tunnel is up, and we are 10.8.0.2",
            "gateway: \"bob\" on laptop-2.vpn.test gets 10.8.0.3");
        Refused(chapters[1], "finder", "credentials_required", "credentials_required");
        Refused(chapters[2], "onlooker", "certificate_required", "no_certificate");
        Refused(chapters[3], "alice", "credentials_wrong", "user_not_allowed");
        Refused(chapters[4], "finder", "credentials_wrong", "credentials_wrong");
        Refused(chapters[5], "carol", "credentials_wrong", "credentials_wrong");
        Refused(chapters[6], "thief", "certificate_revoked", "certificate_revoked");
        Refused(chapters[7], "stranger", "unknown_ca", "unknown_authority");
        chapters[1..].Should().OnlyContain(chapter => !chapter.Contains("tunnel is up"));

        static void Refused(string chapter, string who, string told, string reason) =>
            chapter.Should().ContainAll($"   {who}: The peer refused us.", told, $"   gateway: The peer was rejected. {reason}");
    }

    [Test]
    public async Task The_cloud_service_takes_a_token_from_the_workload_that_it_was_issued_to_and_from_no_other()
    {
        var chapters = await RunAsync("CloudClient");

        chapters.Should().HaveCount(10);
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
        chapters[1..].Should().OnlyContain(chapter => !chapter.Contains("invoices\n"));

        static void Refused(string chapter, string who, string told, string reason) =>
            chapter.Should().ContainAll($"   {who}: The peer refused us.", told, $"   service: The peer was rejected. {reason}");
    }

    /// <summary>Runs it to its good end, and cuts what it said at the numbered headlines.</summary>
    private static async Task<string[]> RunAsync(string sample)
    {
        var program = await EndedProgram.OfAsync(RunningProgram.StartSample(sample));
        program.ExitCode.Should().Be(0, program.All);
        return
        [
            .. System.Text.RegularExpressions.Regex.Split(program.Output, @"^\d+\. ", System.Text.RegularExpressions.RegexOptions.Multiline).Skip(1),
        ];
    }
}
