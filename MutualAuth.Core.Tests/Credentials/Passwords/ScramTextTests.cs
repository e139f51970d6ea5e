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

    [TestCase("SCRAM-SHA-256", true)]
    [TestCase("X_1", true)]
    [TestCase("A-Z", true)]
    [TestCase("scram", false)]
    [TestCase("A B", false)]
    [TestCase("A.B", false)]
    [TestCase("\u00c4", false)]
    public void The_name_of_a_mechanism_has_capitals_digits_hyphens_and_underscores(string name, bool isOne) =>
        SaslLimits.IsMechanismName(name).Should().Be(isOne);

    [TestCase("AAAA", 3)]
    [TestCase("AAA=", 2)]
    [TestCase("AA==", 1)]
    [TestCase("", null)]
    [TestCase("A===", null)]
    [TestCase("AAAAA", null)]
    [TestCase("AAA", null)]
    [TestCase("AA\nA", null)]
    [TestCase("AAAA    ", null)]
    [TestCase(" AAAA", null)]
    [TestCase("AAB=", null)] // the last bits of a character that has too many
    [TestCase("AA-_", null)]
    public void Base64_is_read_as_it_is_written_and_in_no_other_way(string text, int? length)
    {
        var read = ScramText.FromBase64(text);

        (read?.Length).Should().Be(length);
    }

    [TestCase(ScramText.MaxMessageLength, true)]
    [TestCase(ScramText.MaxMessageLength + 4, false)]
    public void Base64_is_no_longer_than_a_message(int length, bool isRead) =>
        (ScramText.FromBase64(new string('A', length)) is not null).Should().Be(isRead);

    [TestCase("", "", "")]
    [TestCase("n=user,r=a", "r=ab,s=c,i=4096", "c=biws,r=ab")]
    [TestCase("n=p\u00e9ncil\u2168,r=a", "r=\ud83d\ude00", "x=\u20ac")]
    public void What_is_signed_is_the_three_messages_and_a_comma_between_them(string clientFirst, string serverFirst, string clientFinal) =>
        System.Text.Encoding.UTF8.GetString(ScramText.AuthMessage(clientFirst, serverFirst, clientFinal))
            .Should().Be($"{clientFirst},{serverFirst},{clientFinal}");

    [TestCase("a", "a")]
    [TestCase("=2C=3D", ",=")]
    [TestCase("a=3D2C", "a=2C")]
    [TestCase("=2c", null)]
    [TestCase("a=", null)]
    [TestCase("=2C=", null)]
    [TestCase("", null)]
    public void A_name_stands_for_itself_but_for_the_comma_and_the_equals_sign(string escaped, string? name)
    {
        ScramText.UnescapeName(escaped).Should().Be(name);
        (name is null ? escaped : ScramText.EscapeName(name)).Should().Be(escaped);
    }

    [TestCase(0, false)]
    [TestCase(1, true)]
    [TestCase(64, true)]
    [TestCase(65, false)]
    public void The_name_of_a_binding_has_1_to_64_letters(int length, bool isRead) =>
        Gs2Header.Read($"p={new string('b', length)},,n=user").HasValue.Should().Be(isRead);
}
