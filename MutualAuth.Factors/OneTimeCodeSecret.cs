using System.Globalization;
using System.Security.Cryptography;
using MutualAuth.Credentials;
using OtpNet;

namespace MutualAuth.Factors;

/// <summary>The secret that a server and a user's device share, and from which both make one-time codes (TOTP, RFC 6238).</summary>
/// <remarks>Immutable and safe to share. Its owner can make every code: keep it as you keep a password.</remarks>
public sealed class OneTimeCodeSecret
{
    /// <summary>What <see cref="StoredFactor.Kind"/> says of such factors.</summary>
    public const string Kind = "totp";

    private const string Version = "1";
    private const string NeverUsed = "-";

    /// <summary>RFC 4226 §4 R6: 128 bits.</summary>
    private const int MinLength = 16;
    private const int MaxLength = 128;

    private readonly byte[] _secret;
    private readonly Totp _codes;

    private OneTimeCodeSecret(byte[] secret, OneTimeCodeHash hash, int digits, int periodSeconds)
    {
        _secret = secret;
        Hash = Enum.IsDefined(hash) ? hash : throw new ArgumentOutOfRangeException(nameof(hash));
        ArgumentOutOfRangeException.ThrowIfLessThan(digits, 6);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(digits, 8);
        ArgumentOutOfRangeException.ThrowIfLessThan(periodSeconds, 10);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(periodSeconds, 300);
        Digits = digits;
        PeriodSeconds = periodSeconds;
        _codes = new Totp(secret, periodSeconds, hash switch
        {
            OneTimeCodeHash.Sha256 => OtpHashMode.Sha256,
            OneTimeCodeHash.Sha512 => OtpHashMode.Sha512,
            _ => OtpHashMode.Sha1,
        }, digits);
    }

    /// <summary>The hash.</summary>
    public OneTimeCodeHash Hash { get; }

    /// <summary>How many digits a code has: 6 to 8.</summary>
    public int Digits { get; }

    /// <summary>How long a code is the one of the moment, in seconds: 10 to 300.</summary>
    public int PeriodSeconds { get; }

    /// <summary>Makes a random secret, as long as the hash's output (RFC 4226 §4).</summary>
    /// <param name="hash">The hash. Many apps know SHA-1 alone, and some take it for others without a word.</param>
    /// <param name="digits">6 to 8.</param>
    /// <param name="periodSeconds">10 to 300.</param>
    /// <exception cref="ArgumentOutOfRangeException">A parameter is outside its bounds.</exception>
    public static OneTimeCodeSecret Create(OneTimeCodeHash hash = OneTimeCodeHash.Sha1, int digits = 6, int periodSeconds = 30) =>
        new(
            RandomNumberGenerator.GetBytes(hash switch { OneTimeCodeHash.Sha256 => 32, OneTimeCodeHash.Sha512 => 64, _ => 20 }),
            hash,
            digits,
            periodSeconds);

    /// <summary>Takes a secret that something else has made.</summary>
    /// <param name="secret">16 to 128 octets; they are copied.</param>
    /// <param name="hash">The hash.</param>
    /// <param name="digits">6 to 8.</param>
    /// <param name="periodSeconds">10 to 300.</param>
    /// <exception cref="ArgumentException">The secret is too short or too long.</exception>
    /// <exception cref="ArgumentOutOfRangeException">Another parameter is outside its bounds.</exception>
    public static OneTimeCodeSecret From(
        ReadOnlySpan<byte> secret, OneTimeCodeHash hash = OneTimeCodeHash.Sha1, int digits = 6, int periodSeconds = 30) =>
        secret.Length is >= MinLength and <= MaxLength
            ? new OneTimeCodeSecret(secret.ToArray(), hash, digits, periodSeconds)
            : throw new ArgumentException($"Expected {MinLength} to {MaxLength} octets, got {secret.Length}.", nameof(secret));

    /// <summary>Reads an <c>otpauth://totp/</c> URI, or a secret alone in Base32 (RFC 4648 §6; the defaults hold for the rest).</summary>
    /// <param name="text">The text; white space around it does not count.</param>
    /// <exception cref="ArgumentNullException"><paramref name="text"/> is null.</exception>
    /// <exception cref="FormatException">It is neither. The message does not repeat it.</exception>
    public static OneTimeCodeSecret Parse(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        try
        {
            var trimmed = text.Trim();
            if (!trimmed.StartsWith("otpauth:", StringComparison.OrdinalIgnoreCase))
            {
                return From(Base32Encoding.ToBytes(trimmed));
            }

            var uri = new Uri(trimmed);
            var fields = uri.Query.TrimStart('?').Split('&').Select(field => field.Split('=', 2)).Where(field => field.Length == 2)
                .ToDictionary(field => field[0], field => Uri.UnescapeDataString(field[1]), StringComparer.OrdinalIgnoreCase);
            return uri.Host != Kind
                ? throw new FormatException("The URI is not of type totp.")
                : From(
                    Base32Encoding.ToBytes(fields["secret"]),
                    Enum.Parse<OneTimeCodeHash>(fields.GetValueOrDefault("algorithm", nameof(OneTimeCodeHash.Sha1)), ignoreCase: true),
                    int.Parse(fields.GetValueOrDefault("digits", "6"), NumberStyles.None, CultureInfo.InvariantCulture),
                    int.Parse(fields.GetValueOrDefault("period", "30"), NumberStyles.None, CultureInfo.InvariantCulture));
        }
        catch (Exception exception) when (exception is ArgumentException or FormatException or KeyNotFoundException or OverflowException)
        {
            throw new FormatException(
                "Expected otpauth://totp/NAME?secret=BASE32, with algorithm, digits and period if need be, or the Base32 alone.");
        }
    }

    /// <summary>The URI that authenticator apps read from a QR code. It contains the secret: show it once, to its user, and do not log it.</summary>
    /// <param name="issuer">The service, as the app shows it.</param>
    /// <param name="userName">The user, as the app shows it.</param>
    /// <exception cref="ArgumentException"><paramref name="issuer"/> or <paramref name="userName"/> is null, empty or white space.</exception>
    public string ToUri(string issuer, string userName)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(issuer);
        ArgumentException.ThrowIfNullOrWhiteSpace(userName);
        var (service, user) = (Uri.EscapeDataString(issuer), Uri.EscapeDataString(userName));
        return string.Create(
            CultureInfo.InvariantCulture,
            $"otpauth://totp/{service}:{user}?secret={ToBase32()}&issuer={service}")
            + string.Create(CultureInfo.InvariantCulture, $"&algorithm={Hash.ToString().ToUpperInvariant()}&digits={Digits}&period={PeriodSeconds}");
    }

    /// <summary>The code of a moment.</summary>
    public string CodeAt(DateTimeOffset time) => CodeOf(StepAt(time));

    /// <summary>Makes the factor that a store keeps, in plain text: it contains the secret. See <see cref="ToFactorAsync"/>.</summary>
    /// <param name="factorId">What tells it from the user's others.</param>
    /// <exception cref="ArgumentException"><paramref name="factorId"/> is no identifier; see <see cref="StoredFactor"/>.</exception>
    public StoredFactor ToFactor(string factorId) => ToFactor(factorId, null);

    /// <summary>Makes the factor that a store keeps, with the secret encrypted.</summary>
    /// <param name="userName">The user, in any form. For others the factor is worth nothing.</param>
    /// <param name="factorId">What tells it from the user's others.</param>
    /// <param name="keys">The keys; what they throw is thrown.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <exception cref="ArgumentException"><paramref name="userName"/> or <paramref name="factorId"/> is not in its form.</exception>
    /// <exception cref="ArgumentNullException"><paramref name="keys"/> is null.</exception>
    public ValueTask<StoredFactor> ToFactorAsync(
        string userName, string factorId, IFactorKeySource keys, CancellationToken cancellationToken = default) =>
        FactorEncryption.EncryptAsync(keys, userName, ToFactor(factorId), cancellationToken);

    /// <summary>
    /// Encrypts all secrets of one-time codes in a store that are in plain text, or under another key than the one that writes, while servers go on.
    /// </summary>
    /// <param name="store">The store.</param>
    /// <param name="keys">The keys; what they throw is thrown when the key that writes is looked for.</param>
    /// <param name="cancellationToken">Gives up; what was rewritten stays so.</param>
    /// <exception cref="ArgumentNullException"><paramref name="store"/> or <paramref name="keys"/> is null.</exception>
    public static ValueTask<FactorEncryptionReport> EncryptAllAsync(
        IFactorListingStore store, IFactorKeySource keys, CancellationToken cancellationToken = default) =>
        FactorEncryption.EncryptAllAsync(keys, store, Kind, cancellationToken);

    /// <summary>
    /// Adds it to a user after a first code has shown that the user's device has it and the clocks agree. That code is used up then.
    /// </summary>
    /// <param name="store">The store.</param>
    /// <param name="userName">The user, in any form.</param>
    /// <param name="factorId">What tells it from the user's others; one with the same identifier is replaced.</param>
    /// <param name="code">The first code.</param>
    /// <param name="options">As at the login, with the keys; null means the defaults. What the keys throw is thrown.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <returns>False when it was not the code of the moment; nothing is kept then.</returns>
    /// <exception cref="ArgumentNullException"><paramref name="store"/> or <paramref name="code"/> is null.</exception>
    /// <exception cref="ArgumentException"><paramref name="userName"/> or <paramref name="factorId"/> is not in its form.</exception>
    public async ValueTask<bool> EnrolAsync(
        ISecondFactorStore store,
        string userName,
        string factorId,
        string code,
        OneTimeCodeOptions? options = null,
        CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(store);
        ArgumentNullException.ThrowIfNull(code);
        var (now, window) = (StepAt((options ?? new()).TimeProvider.GetUtcNow()), (options ?? new()).WindowSteps);
        if (FindStep(code.Replace(" ", string.Empty, StringComparison.Ordinal), now - window, now + window) is not { } step)
        {
            return false;
        }

        var plain = ToFactor(factorId, step);
        var factor = options?.Keys is { } keys
            ? await FactorEncryption.EncryptAsync(keys, userName, plain, cancellationToken).ConfigureAwait(false)
            : plain;
        await store.SetFactorAsync(userName, factor, cancellationToken).ConfigureAwait(false);
        return true;
    }

    /// <summary>How codes are made, without the secret.</summary>
    public override string ToString() => $"TOTP by {Hash}, {Digits} digits, {PeriodSeconds} s";

    internal string ToBase32() => Base32Encoding.ToString(_secret).TrimEnd('=');

    internal long StepAt(DateTimeOffset time) => time.ToUnixTimeSeconds() / PeriodSeconds;

    /// <summary>The latest step from <paramref name="first"/> to <paramref name="last"/> whose code this is; null when it is none's.</summary>
    internal long? FindStep(string code, long first, long last)
    {
        long? found = null;
        var presented = System.Text.Encoding.UTF8.GetBytes(code);
        for (var step = Math.Max(0, first); step <= last; step++)
        {
            if (CryptographicOperations.FixedTimeEquals(System.Text.Encoding.ASCII.GetBytes(CodeOf(step)), presented))
            {
                found = step;
            }
        }

        return found;
    }

    internal StoredFactor ToFactor(string factorId, long? lastStep) => new(
        factorId,
        Kind,
        string.Join(
            ';',
            Version,
            ToBase32(),
            ((int)Hash).ToString(CultureInfo.InvariantCulture),
            Digits.ToString(CultureInfo.InvariantCulture),
            PeriodSeconds.ToString(CultureInfo.InvariantCulture),
            lastStep?.ToString(CultureInfo.InvariantCulture) ?? NeverUsed));

    /// <summary>Reads what <see cref="ToFactor(string)"/> made.</summary>
    /// <exception cref="FormatException">It is something else. The message does not repeat it.</exception>
    internal static (OneTimeCodeSecret Secret, long? LastStep) Read(StoredFactor factor)
    {
        try
        {
            return factor.Data.Split(';') is [Version, var secret, var hash, var digits, var period, var last]
                ? (From(Base32Encoding.ToBytes(secret), (OneTimeCodeHash)Number(hash), Number(digits), Number(period)),
                    last == NeverUsed ? null : long.Parse(last, NumberStyles.None, CultureInfo.InvariantCulture))
                : throw new FormatException();
        }
        catch (Exception exception) when (exception is ArgumentException or FormatException or OverflowException)
        {
            throw new FormatException($"The factor {factor} is not of this version of the library. Remove it, and add it again.");
        }
    }

    private static int Number(string text) => int.Parse(text, NumberStyles.None, CultureInfo.InvariantCulture);

    private string CodeOf(long step) => _codes.ComputeTotp(DateTimeOffset.FromUnixTimeSeconds(step * PeriodSeconds).UtcDateTime);
}
