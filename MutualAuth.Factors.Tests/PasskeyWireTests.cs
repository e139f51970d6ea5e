using MutualAuth.Credentials;
using MutualAuth.Factors;
using MutualAuth.Tests.Support;

namespace MutualAuth.Tests.Factors;

/// <summary>The messages of PASSKEY-PLUS, and the vectors of the protocol page.</summary>
public sealed class PasskeyWireTests
{
    private static readonly PasskeyChallenge s_challenge = new(
        true, Enumerable.Range(0, 32).Select(octet => (byte)octet).ToArray(), "bank.test", [new byte[] { 1, 2, 3 }]);

    [Test]
    public void The_vector_of_the_page_is_what_is_computed()
    {
        var page = DocumentationPage.Open("docs/protocol.md").Text;
        var binding = new ChannelBinding(ChannelBinding.TlsServerEndPoint, [.. Enumerable.Range(0, 32).Select(octet => (byte)octet)]);

        page.Should().Contain($"message {Convert.ToHexStringLower(PasskeyWire.Write(s_challenge))}");
        page.Should().Contain($"challenge {Convert.ToHexStringLower(PasskeyWire.ChallengeOf(binding, "bank.test", s_challenge.Nonce.Span))}");
    }

    [Test]
    public void A_challenge_that_is_cut_or_has_more_behind_it_is_none()
    {
        var whole = PasskeyWire.Write(s_challenge);

        for (var length = 0; length < whole.Length; length++)
        {
            PasskeyWire.ReadChallenge(whole.AsMemory(0, length)).Should().BeNull();
        }

        PasskeyWire.ReadChallenge((byte[])[.. whole, 0]).Should().BeNull();
        PasskeyWire.ReadChallenge((byte[])[2, .. whole[1..]]).Should().BeNull("the version is another");
        PasskeyWire.ReadChallenge((byte[])[1, 2, .. whole[2..]]).Should().BeNull("the flag is unknown");
        PasskeyWire.ReadChallenge(whole)!.RelyingParty.Should().Be("bank.test");
    }

    [Test]
    public void An_assertion_that_is_cut_or_has_more_behind_it_is_none()
    {
        var whole = PasskeyWire.Write(new PasskeyAssertion
        { CredentialId = new byte[] { 1 }, AuthenticatorData = new byte[37], ClientDataJson = "{}"u8.ToArray(), Signature = new byte[] { 2, 3 } });

        for (var length = 0; length < whole.Length; length++)
        {
            PasskeyWire.ReadAssertion(whole.AsMemory(0, length)).Should().BeNull();
        }

        PasskeyWire.ReadAssertion((byte[])[.. whole, 0]).Should().BeNull();
        PasskeyWire.ReadAssertion(whole)!.Signature.ToArray().Should().Equal(2, 3);
    }

    [Test]
    public void Eight_passkeys_of_the_greatest_length_fit_into_a_message() =>
        PasskeyWire.Write(s_challenge with { Credentials = [.. Enumerable.Repeat((ReadOnlyMemory<byte>)new byte[1023], 8)] })
            .Length.Should().BeLessThan(16 * 1024);
}
