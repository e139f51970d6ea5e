using System.Collections.Immutable;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using MutualAuth.Certificates;
using MutualAuth.Collections;

namespace MutualAuth.Revocation;

/// <summary>From where revocation lists are fetched, how often, and within which bounds.</summary>
/// <remarks>Immutable. The constructor that takes the options reports every problem at once.</remarks>
public sealed record RevocationFetchOptions
{
    private EquatableArray<Uri> _addresses;
    private EquatableArray<Certificate> _issuers = new([]);

    /// <summary>
    /// The addresses, each of one list or one file of lists, full, delta or partitioned; http or https, without user and fragment. Addresses in
    /// certificates are never used.
    /// </summary>
    public required ImmutableArray<Uri> Addresses
    {
        get => _addresses.Items;
        init => _addresses = new(value);
    }

    /// <summary>
    /// Certificates of the authorities, or of the keys that sign their lists. A list of one of these names is taken only if one of these keys
    /// signed it. They count as certificates that were given with the lists. Default: none; a signature is checked at the first path that needs
    /// the list, and until then the last good list is kept beside it.
    /// </summary>
    public ImmutableArray<Certificate> Issuers
    {
        get => _issuers.Items;
        init => _issuers = new(value);
    }

    /// <summary>
    /// How often each address is asked, less up to a fifth at random. An authority may issue a list before the last one ends. One minute to seven
    /// days, default one hour.
    /// </summary>
    public TimeSpan Interval { get; init; } = TimeSpan.FromHours(1);

    /// <summary>
    /// How long before the next update of the last good list a newer one is due. From then on the address is asked as after a failure.
    /// Zero to seven days, default one hour; never more than a quarter of the time for which a list is valid.
    /// </summary>
    public TimeSpan LeadTime { get; init; } = TimeSpan.FromHours(1);

    /// <summary>
    /// The pause after the first failure. It doubles with each further one, up to <see cref="Interval"/>, and is less up to half at random.
    /// One second to <see cref="Interval"/>, default 30 seconds.
    /// </summary>
    public TimeSpan RetryDelay { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>The time limit for one fetch, from the request to the last byte. Above zero, at most ten minutes, default 30 seconds.</summary>
    public TimeSpan Timeout { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>The longest answer that is read, in bytes. 1,024 to 536,870,912, default 33,554,432.</summary>
    public int MaxBytes { get; init; } = 32 * 1024 * 1024;

    /// <summary>
    /// How many addresses are asked at the same time; each one at most once. One to 64, default four. Handlers and loggers that hear of an answer
    /// take no place.
    /// </summary>
    public int MaxConcurrentFetches { get; init; } = 4;

    /// <summary>
    /// A directory in which the last good lists are kept, for the next start; it is created where it is missing, and must not be writable by every
    /// user. Default: null, lists are kept in memory only, and a restart forgets which of them are the newest.
    /// </summary>
    public string? Directory { get; init; }

    /// <summary>
    /// What remembers over a restart which lists were in force; an older list is then not taken, and one that is missing is missed, even where
    /// <see cref="Directory"/> was emptied or put back. Default: null.
    /// </summary>
    public RevocationListWitness? Witness { get; init; }

    /// <summary>
    /// The HTTP client; the caller owns it. It should follow no redirects and use no cookies. What it decompresses counts as it is read, up to
    /// <see cref="MaxBytes"/>. Default: one that uses neither redirects nor cookies nor a proxy, and decompresses nothing.
    /// </summary>
    public HttpClient? HttpClient { get; init; }

    /// <summary>The clock. Default: the system's.</summary>
    public TimeProvider TimeProvider { get; init; } = TimeProvider.System;

    /// <summary>Where events are logged. Default: nowhere.</summary>
    public ILoggerFactory LoggerFactory { get; init; } = NullLoggerFactory.Instance;

    internal static bool IsAddress(Uri? address) =>
        address is { IsAbsoluteUri: true, Scheme: "http" or "https" } && address.UserInfo.Length + address.Fragment.Length == 0;

    internal IEnumerable<string> Problems()
    {
        if (Addresses.IsDefaultOrEmpty || !Addresses.All(IsAddress))
        {
            yield return $"{nameof(Addresses)} must hold absolute http or https addresses without user and fragment, at least one.";
        }
        else if (Addresses.Distinct().Count() < Addresses.Length)
        {
            yield return $"{nameof(Addresses)} must hold each address once.";
        }

        if (Issuers.IsDefault || Issuers.Contains(null!))
        {
            yield return $"{nameof(Issuers)} must hold no null.";
        }

        if (Interval < TimeSpan.FromMinutes(1) || Interval > TimeSpan.FromDays(7))
        {
            yield return $"{nameof(Interval)} must be between one minute and seven days; it is {Interval}.";
        }

        if (LeadTime < TimeSpan.Zero || LeadTime > TimeSpan.FromDays(7))
        {
            yield return $"{nameof(LeadTime)} must be between zero and seven days; it is {LeadTime}.";
        }

        if (RetryDelay < TimeSpan.FromSeconds(1) || RetryDelay > Interval)
        {
            yield return $"{nameof(RetryDelay)} must be between one second and {nameof(Interval)}; it is {RetryDelay}.";
        }

        if (Timeout <= TimeSpan.Zero || Timeout > TimeSpan.FromMinutes(10))
        {
            yield return $"{nameof(Timeout)} must be above zero and at most ten minutes; it is {Timeout}.";
        }

        if (MaxBytes is < 1024 or > CrlFile.MaxBytes || MaxConcurrentFetches is < 1 or > 64)
        {
            yield return $"{nameof(MaxBytes)} must be 1024 to {CrlFile.MaxBytes}, and {nameof(MaxConcurrentFetches)} 1 to 64.";
        }

        if (Directory is { } directory && string.IsNullOrWhiteSpace(directory))
        {
            yield return $"{nameof(Directory)} must name a directory, or be null.";
        }

        if (TimeProvider is null || LoggerFactory is null)
        {
            yield return $"{nameof(TimeProvider)} and {nameof(LoggerFactory)} must not be null.";
        }
    }
}
