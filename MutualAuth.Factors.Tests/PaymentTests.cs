using System.Text;
using MutualAuth.Factors;

namespace MutualAuth.Tests.Factors;

/// <summary>A payment's octets are those of its amount and its payee, and of nothing else that looks the same.</summary>
public sealed class PaymentTests
{
    private static readonly Payment s_payment = new("Example AS, NO93 8601 1117 947", 12.50m, "EUR", "order 7");

    [Test]
    public void The_octets_are_those_of_the_page()
    {
        var octets = new Payment("bob", 12.50m, "EUR", "7").ToTransaction();

        Convert.ToHexString(octets).Should().Be(
            "00000014" + Convert.ToHexString("mutualauth payment 1"u8) + "00000003626F62" + "0000000431322E35" + "00000003455552" + "0000000137");
        new Payment("bob", 12.5m, "EUR", "7").ToTransaction().Should().Equal(octets);
        new Payment("bob", 12.5m, "EUR", "7").ToString().Should().Be("12.5 EUR to bob, 7");
    }

    private static IEnumerable<Payment> Others()
    {
        yield return new(s_payment.Payee, 12.51m, "EUR", "order 7");
        yield return new(s_payment.Payee, 125.0m, "EUR", "order 7");
        yield return new(s_payment.Payee, 12.50m, "NOK", "order 7");
        yield return new(s_payment.Payee, 12.50m, "EUR", "order 8");
        yield return new(s_payment.Payee, 12.50m, "EUR");
        yield return new("Example AS, NO93 8601 1117 948", 12.50m, "EUR", "order 7");
        yield return new("Example AS,  NO93 8601 1117 947", 12.50m, "EUR", "order 7");
        yield return new("Example AS, NO93 8601 1117 947o", 12.50m, "EUR", "rder 7"); // moved from one field into the next
    }

    [TestCaseSource(nameof(Others))]
    public void Another_payment_has_other_octets(Payment other) => other.ToTransaction().Should().NotEqual(s_payment.ToTransaction());

    [TestCase("")]
    [TestCase(" ")]
    [TestCase("bob\u202Eecila")]
    [TestCase("bob\u200B")]
    [TestCase("bob\n100 EUR to alice")]
    [TestCase("bob\u2028")]
    [TestCase("bob\uD800")]
    [TestCase("bob\uE000")]
    public void A_payee_that_is_not_what_is_seen_is_refused(string payee) =>
        FluentActions.Invoking(() => new Payment(payee, 1, "EUR")).Should().Throw<ArgumentException>();

    [TestCase("eur")]
    [TestCase("EURO")]
    [TestCase("")]
    [TestCase("E1R")]
    public void A_currency_has_three_capital_letters(string currency) =>
        FluentActions.Invoking(() => new Payment("bob", 1, currency)).Should().Throw<ArgumentException>();

    [Test]
    public void Amounts_and_texts_have_bounds()
    {
        FluentActions.Invoking(() => new Payment("bob", 0, "EUR")).Should().Throw<ArgumentOutOfRangeException>();
        FluentActions.Invoking(() => new Payment("bob", -1, "EUR")).Should().Throw<ArgumentOutOfRangeException>();
        FluentActions.Invoking(() => new Payment(new string('b', 141), 1, "EUR")).Should().Throw<ArgumentException>();
        FluentActions.Invoking(() => new Payment("bob", 1, "EUR", new string('b', 141))).Should().Throw<ArgumentException>();
        new Payment("bob", decimal.MaxValue, "EUR").ToString().Should().Be("79228162514264337593543950335 EUR to bob");
        Encoding.UTF8.GetString(new Payment("bob", 0.0000000000000000000000000001m, "EUR").ToTransaction())
            .Should().Contain("0.0000000000000000000000000001");
    }
}
