using System.Collections.Immutable;
using MutualAuth.Reloading;
using MutualAuth.Tokens.Http;
using MutualAuth.Tokens.Keys;

namespace MutualAuth.Tokens;

/// <summary>
/// The public keys of an issuer of tokens, followed while the process runs: from a file, from an address, or from its configuration.
/// </summary>
/// <remarks>
/// <para>Keys are RSA of 2,048 to 8,192 bits or EC on P-256, P-384 and P-521; others are left out. A set that holds a private or a secret key is
/// refused, and so is one without any key that may be used: the last good set stays in force. A set has at most 100 keys and 262,144 bytes.</para>
/// <para>Nothing that a token names is ever fetched. Safe for concurrent use. Make one for each issuer, and dispose of it last.</para>
/// </remarks>
public sealed class IssuerKeys : IAsyncDisposable
{
    private readonly IKeySource _source;

    private IssuerKeys(IKeySource source) => _source = source;

    /// <summary>How many keys are in force; zero when there are none, or none that are young enough. Fit for a health check.</summary>
    public int Count => _source.Current?.Keys.Length ?? 0;

    /// <summary>The thumbprints (RFC 7638) of the keys in force.</summary>
    public ImmutableArray<string> Thumbprints => _source.Current is { } keys ? [.. keys.Keys.Select(key => key.Thumbprint)] : [];

    internal KeySet? Current => _source.Current;

    /// <summary>From a file with a key set (RFC 7517 §5), followed as other files are. There is no maximum age: the file is the operator's.</summary>
    /// <param name="path">The file. It is refused when every user may write it.</param>
    /// <param name="acceptedThumbprints">As <see cref="IssuerKeysOptions.AcceptedThumbprints"/>.</param>
    /// <param name="options">How it is followed. Null for the defaults.</param>
    /// <exception cref="ArgumentException">A thumbprint is not one, or the options contradict themselves.</exception>
    /// <exception cref="MaterialException">The file cannot be read, or is not a key set that can be used.</exception>
    public static IssuerKeys FromFile(string path, ImmutableArray<string> acceptedThumbprints = default, WatchOptions? options = null)
    {
        ImmutableArray<string> accepted = acceptedThumbprints.IsDefault ? [] : acceptedThumbprints;
        return IssuerKeysOptions.AreThumbprints(accepted)
            ? new IssuerKeys(new KeyFile(new MaterialFile<KeySet>(
                path, MaterialFileUse.TokenKeys, KeySet.MaxBytes, text => KeySet.Parse(text, accepted), options)))
            : throw new ArgumentException("Expected SHA-256 thumbprints in base64url.", nameof(acceptedThumbprints));
    }

    /// <summary>From the address of a key set (<c>jwks_uri</c>), which is asked again and again.</summary>
    /// <param name="address">The address; https.</param>
    /// <param name="options">How.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <exception cref="ArgumentNullException">An argument is null.</exception>
    /// <exception cref="ArgumentException">The address is not https, or the options contradict themselves.</exception>
    /// <exception cref="TokenIssuerException">
    /// The first set could not be had, and <see cref="IssuerKeysOptions.MayStartWithoutKeys"/> is false.
    /// </exception>
    public static Task<IssuerKeys> FetchAsync(Uri address, IssuerKeysOptions options, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(address);
        return IssuerHttp.IsAddress(address)
            ? StartAsync(address, null, options, cancellationToken)
            : throw new ArgumentException("Expected an absolute https address without user and fragment.", nameof(address));
    }

    /// <summary>
    /// From the configuration that the issuer publishes at <c>/.well-known/openid-configuration</c> below its own name (OpenID Connect Discovery 1.0
    /// §4). It must name the same issuer, letter for letter, and a key set on the issuer's host or one of
    /// <see cref="IssuerKeysOptions.FurtherKeyHosts"/>.
    /// </summary>
    /// <param name="issuer">The issuer, as tokens name it; https.</param>
    /// <param name="options">How.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <exception cref="ArgumentNullException">An argument is null.</exception>
    /// <exception cref="ArgumentException">The issuer is not an https address, or the options contradict themselves.</exception>
    /// <exception cref="TokenIssuerException">
    /// The first set could not be had, and <see cref="IssuerKeysOptions.MayStartWithoutKeys"/> is false.
    /// </exception>
    public static Task<IssuerKeys> DiscoverAsync(string issuer, IssuerKeysOptions options, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(issuer);
        return Uri.TryCreate(issuer, UriKind.Absolute, out var address) && IssuerHttp.IsAddress(address) && address.Query.Length == 0
            ? StartAsync(null, issuer, options, cancellationToken)
            : throw new ArgumentException("Expected an https address without query and fragment.", nameof(issuer));
    }

    /// <summary>Ends fetching and following. A validator with these keys then says of tokens what the last set says, until that is too old.</summary>
    public ValueTask DisposeAsync() => _source.DisposeAsync();

    internal ValueTask<bool> RenewAsync(CancellationToken cancellationToken) => _source.RenewAsync(cancellationToken);

    private static async Task<IssuerKeys> StartAsync(Uri? address, string? issuer, IssuerKeysOptions options, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(options);
        if (string.Join(' ', options.Problems()) is { Length: > 0 } problems)
        {
            throw new ArgumentException(problems, nameof(options));
        }

        var source = new FetchedKeys(address, issuer, options);
        try
        {
            await source.StartAsync(cancellationToken).ConfigureAwait(false);
            return new IssuerKeys(source);
        }
        catch
        {
            await source.DisposeAsync().ConfigureAwait(false);
            throw;
        }
    }
}
