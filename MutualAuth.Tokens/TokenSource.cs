using Microsoft.Extensions.Logging;
using MutualAuth.Credentials;
using MutualAuth.Reloading;

namespace MutualAuth.Tokens;

/// <summary>The token of a client: asked for when it is needed, renewed before it expires, or followed in a file.</summary>
/// <remarks>
/// Give <see cref="GetForAsync"/> to <see cref="Login.WithToken(Func{SaslClientContext, CancellationToken, ValueTask{string}}, string?)"/>; it is
/// asked for each login.
/// Safe for concurrent use. Make one for each issuer and service, and dispose of it last. It never prints a token.
/// </remarks>
/// <example>
/// <code>
/// await using var tokens = TokenSource.ClientCredentials(tokenOptions);
/// var client = clientOptions with { Credentials = Login.WithToken(tokens.GetForAsync) };
/// </code>
/// </example>
public abstract class TokenSource : IAsyncDisposable
{
    internal const int MaxLength = 16_000; // so that the login's message holds it

    private protected TokenSource()
    {
    }

    /// <summary>
    /// By the client credentials grant (RFC 6749 §4.4). A token is kept, and the next one asked for while it still has a quarter of its lifetime; one
    /// request is under way at a time. While requests fail the last good token is used until its end, and attempts are spaced out.
    /// </summary>
    /// <param name="options">How.</param>
    /// <exception cref="ArgumentNullException"><paramref name="options"/> is null.</exception>
    /// <exception cref="ArgumentException">The options contradict themselves; the message lists every problem.</exception>
    public static TokenSource ClientCredentials(ClientCredentialsOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        return string.Join(' ', options.Problems()) is { Length: > 0 } problems
            ? throw new ArgumentException(problems, nameof(options))
            : new Http.GrantedTokens(options);
    }

    /// <summary>
    /// From an issuer of another kind, which a function of yours asks. A token is kept, and the next one asked for ahead of its end; one request is
    /// under way at a time. While requests fail the last good token is used until its end, and attempts are spaced out.
    /// </summary>
    /// <param name="fetch">
    /// Asks for a token. It is cancelled when the source is disposed of, and bounds its own time. What it throws is logged by its type, or by its
    /// message where it is a <see cref="TokenIssuerException"/>.
    /// </param>
    /// <param name="options">When it is asked.</param>
    /// <exception cref="ArgumentNullException">An argument is null.</exception>
    /// <exception cref="ArgumentException">The options contradict themselves; the message lists every problem.</exception>
    public static TokenSource Renewing(Func<CancellationToken, ValueTask<IssuedToken>> fetch, TokenRenewalOptions options)
    {
        ArgumentNullException.ThrowIfNull(fetch);
        ArgumentNullException.ThrowIfNull(options);
        return string.Join(' ', options.Problems()) is { Length: > 0 } problems
            ? throw new ArgumentException(problems, nameof(options))
            : new RenewingToken(new Http.RenewedToken(fetch, options, TokenLog.Create(options.LoggerFactory)));
    }

    /// <summary>From a file that another program renews, such as a projected token of Kubernetes. White space at its ends is cut off.</summary>
    /// <param name="path">The file. It is refused when every user may write it; a warning says so when others can read it.</param>
    /// <param name="options">How it is followed. Null for the defaults.</param>
    /// <exception cref="ArgumentException">The options contradict themselves, or there is no path.</exception>
    /// <exception cref="MaterialException">The file cannot be read, or does not hold a token.</exception>
    public static TokenSource FromFile(string path, WatchOptions? options = null) => new FileToken(path, options);

    /// <summary>The current token.</summary>
    /// <param name="cancellationToken">Ends the wait; a request that is under way goes on for others.</param>
    /// <exception cref="TokenIssuerException">There is no token that has not expired, and none can be had.</exception>
    /// <exception cref="OperationCanceledException"><paramref name="cancellationToken"/> was cancelled.</exception>
    public abstract ValueTask<string> GetAsync(CancellationToken cancellationToken = default);

    /// <summary>
    /// The token for a connection. One that the issuer binds to our certificate (RFC 8705) is bound to the certificate that the connection shows,
    /// also right after that was replaced: the tokens of the last four certificates are kept. Otherwise the same as <see cref="GetAsync"/>.
    /// </summary>
    /// <param name="context">The connection on which it is sent.</param>
    /// <param name="cancellationToken">Ends the wait; a request that is under way goes on for others.</param>
    /// <exception cref="ArgumentNullException"><paramref name="context"/> is null.</exception>
    /// <exception cref="TokenIssuerException">There is no token that has not expired, and none can be had.</exception>
    /// <exception cref="OperationCanceledException"><paramref name="cancellationToken"/> was cancelled.</exception>
    /// <example><code>var client = clientOptions with { Credentials = Login.WithToken(tokens.GetForAsync) };</code></example>
    public virtual ValueTask<string> GetForAsync(SaslClientContext context, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(context);
        return GetAsync(cancellationToken);
    }

    /// <summary>
    /// Forgets the token, because a service has refused it (<see cref="HandshakeException.TokenError"/>): the next call asks for another.
    /// Without effect on a file.
    /// </summary>
    public virtual void Forget()
    {
    }

    /// <summary>Ends following and asking.</summary>
    public abstract ValueTask DisposeAsync();

    /// <summary>Whether it can be sent (RFC 6750 §2.1).</summary>
    internal static bool IsToken(string? text) => text is { Length: > 0 and <= MaxLength }
        && text.TrimEnd('=') is { Length: > 0 } body
        && body.All(character => char.IsAsciiLetterOrDigit(character) || character is '-' or '.' or '_' or '~' or '+' or '/');

    private sealed class RenewingToken(Http.RenewedToken token) : TokenSource
    {
        public override ValueTask<string> GetAsync(CancellationToken cancellationToken = default) => token.GetAsync(cancellationToken);

        public override void Forget() => token.Forget();

        public override ValueTask DisposeAsync() => token.DisposeAsync();
    }

    private sealed class FileToken(string path, WatchOptions? options) : TokenSource
    {
        private readonly MaterialFile<Held> _file = new(path, MaterialFileUse.Token, MaxLength + 64, Read, options);

        public override ValueTask<string> GetAsync(CancellationToken cancellationToken = default) => ValueTask.FromResult(_file.Current.Text);

        public override ValueTask DisposeAsync()
        {
            _file.Dispose();
            return ValueTask.CompletedTask;
        }

        private static Held Read(string text) => IsToken(text.Trim())
            ? new Held(text.Trim())
            : throw new MaterialException($"Expected a token (RFC 6750 §2.1) of at most {MaxLength} characters, got something else.");
    }

    /// <summary>Prints as what it is, and not as the token.</summary>
    private sealed class Held(string text)
    {
        internal string Text => text;

        public override string ToString() => "a token";
    }
}
