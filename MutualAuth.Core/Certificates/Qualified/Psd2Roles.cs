namespace MutualAuth.Certificates;

/// <summary>The abbreviations of <see cref="Psd2Role"/>.</summary>
public static class Psd2Roles
{
    private static readonly (Psd2Role Role, string Abbreviation, byte Arc)[] s_roles =
    [
        (Psd2Role.AccountServicing, "PSP_AS", 1), (Psd2Role.PaymentInitiation, "PSP_PI", 2),
        (Psd2Role.AccountInformation, "PSP_AI", 3), (Psd2Role.IssuingOfInstruments, "PSP_IC", 4),
    ];

    // 0.4.0.19495.1, the roles of ETSI TS 119 495.
    private static ReadOnlySpan<byte> Branch => [0x04, 0x00, 0x81, 0x98, 0x27, 0x01];

    /// <summary>The abbreviation of the standard, such as <c>PSP_AI</c>.</summary>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="role"/> does not exist.</exception>
    public static string ToAbbreviation(this Psd2Role role) => Array.Find(s_roles, known => known.Role == role).Abbreviation
        ?? throw new ArgumentOutOfRangeException(nameof(role), role, $"A {nameof(Psd2Role)} that exists.");

    /// <summary>The role of an abbreviation, such as <c>PSP_AI</c>; null for any other text.</summary>
    internal static Psd2Role? Of(string abbreviation) =>
        Array.Find(s_roles, known => known.Abbreviation == abbreviation) is { Arc: > 0 } found ? found.Role : null;

    /// <summary>The role of an identifier; null for one that is not known.</summary>
    internal static Psd2Role? Of(ReadOnlySpan<byte> id)
    {
        foreach (var known in s_roles)
        {
            if (id.Length == Branch.Length + 1 && id.StartsWith(Branch) && id[^1] == known.Arc)
            {
                return known.Role;
            }
        }

        return null;
    }
}
