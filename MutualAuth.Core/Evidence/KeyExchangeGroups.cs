using System.Globalization;

namespace MutualAuth.Evidence;

/// <summary>What is known of <see cref="KeyExchangeGroup"/>s.</summary>
public static class KeyExchangeGroups
{
    /// <summary>The name in the registry, such as <c>x25519</c> or <c>X25519MLKEM768</c>; <c>0x2a2b</c> for a group without a name here.</summary>
    public static string ToText(this KeyExchangeGroup group) => group switch
    {
        KeyExchangeGroup.Secp256r1 => "secp256r1",
        KeyExchangeGroup.Secp384r1 => "secp384r1",
        KeyExchangeGroup.Secp521r1 => "secp521r1",
        KeyExchangeGroup.X25519 => "x25519",
        KeyExchangeGroup.X448 => "x448",
        KeyExchangeGroup.Ffdhe2048 => "ffdhe2048",
        KeyExchangeGroup.Ffdhe3072 => "ffdhe3072",
        KeyExchangeGroup.Ffdhe4096 => "ffdhe4096",
        KeyExchangeGroup.Ffdhe6144 => "ffdhe6144",
        KeyExchangeGroup.Ffdhe8192 => "ffdhe8192",
        KeyExchangeGroup.BrainpoolP256r1 => "brainpoolP256r1",
        KeyExchangeGroup.BrainpoolP384r1 => "brainpoolP384r1",
        KeyExchangeGroup.BrainpoolP512r1 => "brainpoolP512r1",
        KeyExchangeGroup.BrainpoolP256r1Tls13 => "brainpoolP256r1tls13",
        KeyExchangeGroup.BrainpoolP384r1Tls13 => "brainpoolP384r1tls13",
        KeyExchangeGroup.BrainpoolP512r1Tls13 => "brainpoolP512r1tls13",
        KeyExchangeGroup.MLKem512 => "MLKEM512",
        KeyExchangeGroup.MLKem768 => "MLKEM768",
        KeyExchangeGroup.MLKem1024 => "MLKEM1024",
        KeyExchangeGroup.SecP256r1MLKem768 => "SecP256r1MLKEM768",
        KeyExchangeGroup.X25519MLKem768 => "X25519MLKEM768",
        KeyExchangeGroup.SecP384r1MLKem1024 => "SecP384r1MLKEM1024",
        _ => string.Create(CultureInfo.InvariantCulture, $"0x{(int)group:x4}"),
    };

    /// <summary>Reads a name as <see cref="ToText"/> writes it, in any case.</summary>
    /// <returns>False for a name that it does not know; numbers are none.</returns>
    public static bool TryParse(string? text, out KeyExchangeGroup group)
    {
        foreach (var known in Enum.GetValues<KeyExchangeGroup>())
        {
            if (string.Equals(known.ToText(), text, StringComparison.OrdinalIgnoreCase))
            {
                group = known;
                return true;
            }
        }

        group = default;
        return false;
    }

    /// <summary>Whether ML-KEM takes part, alone or beside a curve: what is recorded today is not read by a quantum computer of tomorrow.</summary>
    public static bool IsPostQuantum(this KeyExchangeGroup group) =>
        group is KeyExchangeGroup.MLKem512 or KeyExchangeGroup.MLKem768 or KeyExchangeGroup.MLKem1024 || group.IsHybrid();

    /// <summary>Whether it combines ML-KEM with an elliptic curve.</summary>
    public static bool IsHybrid(this KeyExchangeGroup group) =>
        group is KeyExchangeGroup.SecP256r1MLKem768 or KeyExchangeGroup.X25519MLKem768 or KeyExchangeGroup.SecP384r1MLKem1024;
}
