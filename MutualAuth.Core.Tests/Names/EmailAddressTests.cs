using CsCheck;
using MutualAuth.Names;

namespace MutualAuth.Tests.Names;

public sealed class EmailAddressTests
{
    [TestCase("alice@example.org", "alice@example.org")]
    [TestCase("Alice.B+tag@EXAMPLE.org", "Alice.B+tag@example.org")]
    [TestCase("!#$%&'*+-/=?^_`{|}~@example.org", "!#$%&'*+-/=?^_`{|}~@example.org")]
    [TestCase("a@xn--bcher-kva.example", "a@xn--bcher-kva.example")]
    [TestCase("älice@EXAMPLE.org", "älice@example.org")]
    [TestCase("用户@example.org", "用户@example.org")]
    [TestCase("\U0001d49c.b@example.org", "\U0001d49c.b@example.org")]
    public void An_address_keeps_the_case_of_its_local_part_alone(string text, string expected) =>
        EmailAddress.Parse(text).ToString().Should().Be(expected);

    [TestCase("")]
    [TestCase("@")]
    [TestCase("alice")]
    [TestCase("alice@")]
    [TestCase("@example.org")]
    [TestCase("alice@bob@example.org")]
    [TestCase("Alice <alice@example.org>")]
    [TestCase(".alice@example.org")]
    [TestCase("alice.@example.org")]
    [TestCase("al..ice@example.org")]
    [TestCase("al ice@example.org")]
    [TestCase("\"al ice\"@example.org")]
    [TestCase("al\u200bice@example.org")]
    [TestCase("al\u202eice@example.org")]
    [TestCase("\ufeffälice@example.org")]
    [TestCase("al\u00a0ice@example.org")]
    [TestCase("al\ud800ice@example.org")]
    [TestCase("al\ufffdice@example.org")]
    [TestCase("al\ue000ice@example.org")]
    [TestCase("alice\0@example.org")]
    [TestCase("alice@exämple.org")]
    [TestCase("alice@example.org.")]
    [TestCase("alice@example..org")]
    [TestCase("alice@[192.0.2.1]")]
    [TestCase("alice@192.0.2.1")]
    [TestCase("alice@example.org\n")]
    public void What_is_not_a_plain_address_is_refused(string text)
    {
        EmailAddress.TryParse(text, out var address).Should().BeFalse();
        address.Should().BeNull();
        FluentActions.Invoking(() => EmailAddress.Parse(text)).Should().Throw<FormatException>();
    }

    [Test]
    public void The_local_part_holds_64_characters_and_the_whole_254()
    {
        var label = new string('b', 63);
        var domain = $"{label}.{label}.{new string('b', 61)}";

        EmailAddress.TryParse($"{new string('a', 64)}@{domain}", out _).Should().BeTrue();
        EmailAddress.TryParse($"{new string('a', 64)}@{domain}b", out _).Should().BeFalse();
        EmailAddress.TryParse($"{new string('a', 65)}@example.org", out _).Should().BeFalse();
    }

    [TestCase(32, true)]
    [TestCase(33, false)]
    public void Octets_are_counted_and_not_characters(int letters, bool isOne) =>
        EmailAddress.TryParse($"{new string('ä', letters)}@example.org", out _).Should().Be(isOne);

    [Test]
    public void A_local_part_beyond_ascii_has_one_unicode_form_and_one_case()
    {
        var composed = EmailAddress.Parse("\u00e4@example.org");

        composed.IsInternationalized.Should().BeTrue();
        EmailAddress.Parse("a@example.org").IsInternationalized.Should().BeFalse();
        composed.Should().NotBe(EmailAddress.Parse("a\u0308@example.org")).And.NotBe(EmailAddress.Parse("\u00c4@example.org"));
        PeerName.Parse(PeerName.Email(composed).ToString()).Should().Be(PeerName.Email("\u00e4@EXAMPLE.org"));
    }

    [Test]
    public void Case_counts_before_the_at_sign_and_not_behind_it()
    {
        EmailAddress.Parse("alice@EXAMPLE.org").Should().Be(EmailAddress.Parse("alice@example.org"));
        EmailAddress.Parse("alice@EXAMPLE.org").GetHashCode().Should().Be(EmailAddress.Parse("alice@example.org").GetHashCode());
        EmailAddress.Parse("Alice@example.org").Should().NotBe(EmailAddress.Parse("alice@example.org"));
    }

    [Test]
    public void No_text_makes_it_throw_and_what_it_reads_is_read_back_the_same() =>
        Gen.OneOf(Gen.String, Gen.String[Gen.Char["aA.@+-\"é1"], 0, 20]).Sample(text =>
        {
            if (EmailAddress.TryParse(text, out var address))
            {
                EmailAddress.Parse(address.ToString()).Should().Be(address);
            }
        });
}
