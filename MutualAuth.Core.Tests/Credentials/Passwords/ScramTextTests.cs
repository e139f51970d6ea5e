using MutualAuth.Credentials;

namespace MutualAuth.Tests.Credentials;

/// <summary>The smallest parts of SASL's grammar, at their bounds.</summary>
public sealed class ScramTextTests
{
    [TestCase("!", true)]
    [TestCase("}", true)]
    [TestCase("~", true)]
    [TestCase("", false)]
    [TestCase(" ", false)]
    [TestCase(",", false)]
    [TestCase("\u007f", false)]
    public void A_nonce_is_of_printable_characters_without_the_comma(string nonce, bool isOne) => ScramText.IsNonce(nonce).Should().Be(isOne);

    [TestCase(512, true)]
    [TestCase(513, false)]
    public void A_nonce_has_512_characters_at_most(int length, bool isOne) => ScramText.IsNonce(new string('n', length)).Should().Be(isOne);

    [TestCase("r=", "")]
    [TestCase("r=x", "x")]
    [TestCase("r", null)]
    [TestCase("", null)]
    [TestCase("s=x", null)]
    [TestCase("rx", null)]
    public void An_attribute_has_its_letter_and_an_equals_sign(string attribute, string? value)
    {
        ScramText.TryValue(attribute, 'r', out var read).Should().Be(value is not null);

        read.Should().Be(value);
    }

    [TestCase(0, false)]
    [TestCase(1, true)]
    [TestCase(20, true)]
    [TestCase(21, false)]
    public void The_name_of_a_mechanism_has_1_to_20_letters(int length, bool isOne) =>
        SaslLimits.IsMechanismName(new string('A', length)).Should().Be(isOne);

    [TestCase(0, false)]
    [TestCase(1, true)]
    [TestCase(64, true)]
    [TestCase(65, false)]
    public void The_name_of_a_binding_has_1_to_64_letters(int length, bool isRead) =>
        Gs2Header.Read($"p={new string('b', length)},,n=user").HasValue.Should().Be(isRead);
}
