using System.Text.Json;
using System.Text.RegularExpressions;
using MutualAuth.Factors;

namespace MutualAuth.Samples;

/// <summary>What a customer orders: to whom, to which account, how much, and under which reference, which counts once.</summary>
internal sealed partial record Transfer(string Name, string Iban, decimal Amount, string Currency, string Reference)
{
    private const int MaxReferenceLength = 35; // as in ISO 20022

    private static readonly JsonSerializerOptions s_strict = new()
    {
        RespectNullableAnnotations = true,
        RespectRequiredConstructorParameters = true,
        AllowDuplicateProperties = false, // two programs must not read two amounts
    };

    /// <summary>
    /// What a confirmation is linked to. Each side makes it from the transfer that it has, and it is never sent. The account stands first: it has no
    /// spaces, so no name can be read as a part of it.
    /// </summary>
    /// <exception cref="ArgumentException">It is no payment.</exception>
    internal Payment ToPayment() => new($"{Iban} {Name}", Amount, Currency, Reference);

    internal string ToJson() => JsonSerializer.Serialize(this);

    /// <summary>The transfer; null when a bank cannot carry it out.</summary>
    internal static Transfer? Read(string json)
    {
        try
        {
            var transfer = JsonSerializer.Deserialize<Transfer>(json, s_strict)!;
            _ = transfer.ToPayment();
            return transfer is { Reference.Length: > 0 and <= MaxReferenceLength }
                && !string.IsNullOrWhiteSpace(transfer.Name)
                && IsIban(transfer.Iban)
                && decimal.Round(transfer.Amount, 2) == transfer.Amount
                ? transfer
                : null;
        }
        catch (Exception exception) when (exception is JsonException or ArgumentException)
        {
            return null;
        }
    }

    /// <summary>ISO 13616: with the first four characters at the end, and letters as 10 to 35, the remainder by 97 is one.</summary>
    private static bool IsIban(string text) => IbanForm().IsMatch(text)
        && $"{text[4..]}{text[..4]}".Aggregate(0, (remainder, character) => char.IsAsciiDigit(character)
            ? ((remainder * 10) + character - '0') % 97
            : ((remainder * 100) + character - 'A' + 10) % 97) == 1;

    [GeneratedRegex(@"\A[A-Z]{2}[0-9]{2}[A-Z0-9]{11,30}\z")]
    private static partial Regex IbanForm();

    public override string ToString() => $"{ToPayment()}";
}
