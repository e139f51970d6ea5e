using MutualAuth.Tests.Support;

namespace MutualAuth.Tests.Samples;

[CancelAfter(120000)]
public sealed class RestrictedNetworkTests
{
    private static readonly (string Who, string Reason, string Told)[] s_refused =
    [
        ("Bob, whose card was reported lost", "certificate_revoked", "certificate_revoked"),
        ("Ada, while the list is out of date", "revocation_status_unknown", "certificate_unknown"),
        ("Ada, while there is no list", "revocation_status_unknown", "certificate_unknown"),
        ("Ada, with a card on P-256", "algorithm_not_permitted", "unsupported_certificate"),
        ("Ada, with a card that was signed over SHA-256", "algorithm_not_permitted", "unsupported_certificate"),
        ("Ada, with a card of a lower policy", "policy_required", "certificate_unknown"),
        ("Cem, who is not on the roster", "not_authorized", "access_denied"),
        ("Ada, by another authority", "unknown_authority", "unknown_ca"),
        ("Ada, with TLS 1.2 alone", "protocol_version_unsupported", "protocol_version"),
        ("Ada, with another cipher suite", "no_common_cipher_suite", "refused"),
        ("Ada, while the audit trail cannot be written", "audit_not_recorded", "internal_error"),
    ];

    [Test]
    public async Task Who_has_everything_is_admitted_and_who_lacks_one_thing_is_not()
    {
        await using var program = RunningProgram.StartSample("RestrictedNetwork", "--key-in-memory");

        (await program.ExitCodeAsync(TimeSpan.FromSeconds(90))).Should().Be(0, program.ToString());
        program.Output.Should().Contain("gate     its key is in memory");
        TellsTheStory(program, s_refused);
    }

    [Test]
    public async Task With_its_key_in_a_token_the_gate_opens_for_the_same_people_and_for_nobody_without_the_token()
    {
        Tool.Find("softhsm2-util");
        Tool.Find("pkcs11-tool");
        await using var program = RunningProgram.StartSample("RestrictedNetwork");

        (await program.ExitCodeAsync(TimeSpan.FromSeconds(90))).Should().Be(0, program.ToString());
        program.Output.Should().Contain(
            "gate     its key is in the token, which a wrong PIN opens: False; the key is sensitive, always sensitive, never extractable, local");
        TellsTheStory(program, [.. s_refused, ("Ada, after the token was pulled out", "cryptography_failed", "internal_error")]);
    }

    private static void TellsTheStory(RunningProgram program, (string Who, string Reason, string Told)[] refused)
    {
        program.Output.Where(line => line.StartsWith("admitted", StringComparison.Ordinal)).Should().Equal(
            "admitted Ada: subject:CN=Ada%20Example,OU=Signals,O=Example%20Forces, TLS_AES_256_GCM_SHA384");
        program.Output.Where(line => line.StartsWith("refused", StringComparison.Ordinal)).Should().BeEquivalentTo(
            refused.Select(one => $"refused  {one.Who}: {one.Reason}; the peer was told {one.Told}"));
        program.Output.Where(line => line.StartsWith("vault", StringComparison.Ordinal)).Should().Equal(
            "vault    \"ada\" confirms open cabinet 7: waits for a second person",
            "vault    \"ada\" confirms open cabinet 7: waits for a second person",
            "vault    \"ada\" confirms open cabinet 7: waits for a second person",
            "vault    \"dora\" confirms open cabinet 8: waits for a second person",
            "vault    \"dora\" confirms open cabinet 7: refused, step_up_mismatch",
            "vault    \"dora\" confirms open cabinet 7: carried out, by ada and dora",
            "vault    \"ada\" confirms open cabinet 7: waits for a second person",
            "vault    \"dora\" confirms open cabinet 7: waits for a second person");
        program.Output.Where(line => line.StartsWith("told", StringComparison.Ordinal)).Should().Equal(
            "told     Ada, who confirmed open cabinet 7: waits for a second person",
            "told     Ada, who confirmed open cabinet 7: waits for a second person",
            "told     Ada, who confirmed open cabinet 7: waits for a second person",
            "told     Dora, who confirmed open cabinet 8: waits for a second person",
            "told     Dora, who confirmed open cabinet 9: refused, step_up_mismatch",
            "told     Dora, who confirmed open cabinet 7: carried out, by ada and dora",
            "told     Ada, who confirmed open cabinet 7: waits for a second person",
            "told     Dora, who confirmed open cabinet 7: waits for a second person");

        // Whom the gate admitted and whom it refused, except the last, who could not be recorded and was refused for it; and the one act.
        program.Output.Where(line => line.StartsWith("recorded", StringComparison.Ordinal)).Should().Equal(
            "recorded act: 1",
            "recorded authenticated: 4",
            "recorded authorization.refused: 1",
            $"recorded handshake.failed: {refused.Length - 2}",
            "recorded login.accepted: 3",
            "recorded step_up.accepted: 7",
            "recorded step_up.refused: 1");
        program.Output.Where(line => line.StartsWith("audit", StringComparison.Ordinal)).Should().Equal(
            "audit    as it is: intact",
            "audit    after somebody turned Bob into Rob: not intact (Changed)",
            "audit    after somebody removed an entry: not intact (OutOfOrder)",
            "audit    after somebody cut off the last entry: not intact (CutShort)");
    }
}
