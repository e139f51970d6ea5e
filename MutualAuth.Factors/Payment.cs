using System.Buffers.Binary;
using System.Globalization;
using System.Text;

namespace MutualAuth.Factors;

/// <summary>
/// A payment as a transaction of a step-up, so that the proof is linked to amount and payee (Regulation (EU) 2018/389 art. 5). Both sides make it for
/// themselves: the server from what it is about to carry out, the client from what it showed to the user.
/// </summary>
/// <remarks>
/// Immutable. Two payments have the same octets only when payee, amount, currency and reference are the same, character by character: nothing
/// moves from one field into another. Characters that are not seen, or change the order of others, are refused, so that what is signed is what is
/// shown.
/// </remarks>
/// <example><code>await using var stepUp = connection.BeginStepUp(new Payment("bob", 12.50m, "EUR").ToTransaction());</code></example>
public sealed record Payment
{
    private const int MaxLength = 140;

    /// <summary>Makes a payment.</summary>
    /// <param name="payee">To whom, as it is shown to the user: an account, or a name and an account. 1 to 140 characters.</param>
    /// <param name="amount">How much: more than zero. 12.5 and 12.50 are the same.</param>
    /// <param name="currency">In what, as ISO 4217 writes it: three capital letters.</param>
    /// <param name="reference">Which payment, such as an order's number; the server's own number makes each payment another one. At most 140
    /// characters; empty for none.</param>
    /// <exception cref="ArgumentNullException"><paramref name="payee"/>, <paramref name="currency"/> or <paramref name="reference"/> is
    /// null.</exception>
    /// <exception cref="ArgumentException">A text is too long, or has a character that is not seen; the currency is none.</exception>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="amount"/> is zero or negative.</exception>
    public Payment(string payee, decimal amount, string currency, string reference = "")
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(amount);
        ArgumentException.ThrowIfNullOrWhiteSpace(payee);
        ArgumentNullException.ThrowIfNull(currency);
        if (currency.Length != 3 || !currency.All(char.IsAsciiLetterUpper))
        {
            throw new ArgumentException("Expected a currency of three capital letters, such as EUR.", nameof(currency));
        }

        Payee = Shown(payee, nameof(payee));
        Amount = amount;
        Currency = currency;
        Reference = Shown(reference, nameof(reference));
    }

    /// <summary>To whom.</summary>
    public string Payee { get; }

    /// <summary>How much.</summary>
    public decimal Amount { get; }

    /// <summary>In what.</summary>
    public string Currency { get; }

    /// <summary>Which payment; empty for none.</summary>
    public string Reference { get; }

    /// <summary>
    /// The octets for <see cref="MutualTlsConnection.BeginStepUp"/> and <see cref="MutualTlsConnection.AnswerStepUp"/>: a label, and payee, amount,
    /// currency and reference in UTF-8, each behind its length in four octets, the most significant first.
    /// </summary>
    public byte[] ToTransaction()
    {
        var octets = new MemoryStream();
        Span<byte> length = stackalloc byte[sizeof(int)];
        foreach (var part in new[] { "mutualauth payment 1", Payee, AmountText, Currency, Reference })
        {
            var text = Encoding.UTF8.GetBytes(part);
            BinaryPrimitives.WriteInt32BigEndian(length, text.Length);
            octets.Write(length);
            octets.Write(text);
        }

        return octets.ToArray();
    }

    /// <summary>The payment, to be shown to the user.</summary>
    public override string ToString() =>
        $"{AmountText} {Currency} to {Payee}{(Reference.Length == 0 ? string.Empty : $", {Reference}")}";

    // Without zeros at the end, and never in another notation.
    private string AmountText => Amount.ToString("0.############################", CultureInfo.InvariantCulture);

    private static string Shown(string text, string parameter)
    {
        ArgumentNullException.ThrowIfNull(text, parameter);
        foreach (var rune in text.EnumerateRunes())
        {
            if (rune == Rune.ReplacementChar || Rune.GetUnicodeCategory(rune) is UnicodeCategory.Control or UnicodeCategory.Format
                or UnicodeCategory.Surrogate or UnicodeCategory.PrivateUse or UnicodeCategory.OtherNotAssigned
                or UnicodeCategory.LineSeparator or UnicodeCategory.ParagraphSeparator)
            {
                throw new ArgumentException("Expected characters that are seen, and do not change the order of others.", parameter);
            }
        }

        return text.Length <= MaxLength
            ? text
            : throw new ArgumentException($"Expected at most {MaxLength} characters, got {text.Length}.", parameter);
    }
}
