using System.Security.Cryptography;
using Microsoft.Extensions.Logging;
using MutualAuth.Credentials;

namespace MutualAuth.Directories;

/// <summary>Checks passwords by a simple bind to a directory, over TLS (RFC 4511 §4.2, RFC 4513 §5.1.3).</summary>
/// <remarks>
/// For <see cref="SaslServer.PasswordsInPlain(IPasswordVerifier)"/>. Safe for use from many threads; make one for the directory and keep it.
/// When no server gives a verdict, no user is accepted that it must check: <see cref="RejectionReason.DirectoryUnavailable"/>, which is not a
/// failed attempt.
/// Neither a password nor a user's name is logged.
/// </remarks>
/// <example>
/// <code>
/// await using var directory = new LdapVerifier(new LdapVerifierOptions
/// {
///     Servers = [new LdapServer("ldap-1.example"), new LdapServer("ldap-2.example")],
///     Trust = TrustAnchors.FromPemFiles("directory-authority.pem"),
///     Users = LdapUsers.BySearch("ou=people,dc=example,dc=com", "cn=gateway,dc=example,dc=com", servicePassword),
/// });
/// </code>
/// </example>
public sealed class LdapVerifier : IPasswordVerifier, IAsyncDisposable
{
    private readonly LdapVerifierOptions _options;
    private readonly ILogger _logger;
    private readonly LdapPool _searches;
    private readonly LdapPool _binds;

    /// <summary>Prepares a verifier; the first connection is made for the first user.</summary>
    /// <exception cref="ArgumentNullException"><paramref name="options"/> is null.</exception>
    /// <exception cref="ArgumentException">The options are wrong; the message lists every problem.</exception>
    public LdapVerifier(LdapVerifierOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        string[] problems = [.. options.Problems()];
        if (problems.Length > 0)
        {
            throw new ArgumentException(string.Join(' ', problems), nameof(options));
        }

        _options = options;
        _logger = DirectoryLog.Create(options.LoggerFactory);
        var client = new MutualTlsClient(new MutualTlsClientOptions
        {
            Identity = options.Identity,
            Trust = options.Trust,
            Authorization = Authorize.ServerName,
            Revocation = options.Revocation,
            Confirmation = ConfirmationPolicy.Never,
            ConnectTimeout = options.Timeout,
            HandshakeTimeout = options.Timeout,
            TimeProvider = options.TimeProvider,
            LoggerFactory = options.LoggerFactory,
        });
        var (queue, health) = (new LdapQueue(options.MaxWaiting), new LdapHealth(options, _logger));
        _searches = new LdapPool(options, client, queue, health, LogInAsServiceAsync);
        _binds = new LdapPool(options, client, queue, health, prepare: null);
    }

    /// <summary>The most connections that were open at once, of each kind.</summary>
    internal int MostOpen => Math.Max(_searches.MostOpen, _binds.MostOpen);

    /// <inheritdoc/>
    /// <exception cref="ArgumentNullException">An argument is null.</exception>
    public async ValueTask<PasswordVerdict> VerifyAsync(string userName, Password password, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(userName);
        ArgumentNullException.ThrowIfNull(password);
        var secret = password.DangerouslyCopyUtf8();
        try
        {
            return secret.Length == 0 || userName.Length == 0
                ? PasswordVerdict.Wrong()
                : await VerifyAsync(userName, secret, cancellationToken).ConfigureAwait(false);
        }
        catch (LdapFailure failure)
        {
            DirectoryLog.NoServer(_logger);
            return PasswordVerdict.Refused(
                new Rejection(RejectionReason.DirectoryUnavailable, "a verdict of a directory server", "none")
                {
                    Hint = $"The last one: {failure.Message} Event 1340 says it of each.",
                });
        }
        catch (LdapOverload)
        {
            return PasswordVerdict.Refused(
                new Rejection(RejectionReason.CredentialCheckOverloaded, "a free connection to the directory", "none")
                {
                    Hint = $"{nameof(LdapVerifierOptions.MaxConnections)} and {nameof(LdapVerifierOptions.MaxWaiting)} bound them.",
                });
        }
        finally
        {
            CryptographicOperations.ZeroMemory(secret);
        }
    }

    /// <summary>Closes the connections. Checks that are running end by themselves.</summary>
    public async ValueTask DisposeAsync()
    {
        await _searches.DisposeAsync().ConfigureAwait(false);
        await _binds.DisposeAsync().ConfigureAwait(false);
    }

    private async Task<PasswordVerdict> VerifyAsync(string userName, byte[] secret, CancellationToken cancellationToken)
    {
        string name;
        var isToReadBack = false;
        if (_options.Users is LdapUsers.Templated template)
        {
            if (!LdapUsers.Templated.IsOneSpelling(userName))
            {
                return PasswordVerdict.UnknownUser();
            }

            name = template.NameOf(userName);
            isToReadBack = true;
        }
        else
        {
            var users = (LdapUsers.Searched)_options.Users;
            if (await FindAsync(users, userName, cancellationToken).ConfigureAwait(false) is not { } found)
            {
                return PasswordVerdict.UnknownUser();
            }

            name = found;
        }

        var (result, isThatName) = await _binds.UseAsync(
            async (connection, bounded) =>
            {
                var bound = await connection.BindAsync(name, secret, bounded).ConfigureAwait(false);
                return (bound, !isToReadBack || bound.Code != LdapResult.Success
                    || await HasNameAsync(connection, name, userName, bounded).ConfigureAwait(false));
            },
            cancellationToken).ConfigureAwait(false);
        return !isThatName ? PasswordVerdict.UnknownUser() : LdapVerdicts.Of(result, _options);
    }

    /// <summary>The entry with exactly this name; null when there is none, or several.</summary>
    private async Task<string?> FindAsync(LdapUsers.Searched users, string userName, CancellationToken cancellationToken)
    {
        var (result, entries) = await _searches.UseAsync(
            async (connection, bounded) =>
            {
                var answer = await connection.SearchAsync(users.BaseName, users.NameAttribute, userName, users.ObjectClass, bounded)
                    .ConfigureAwait(false);
                return answer.Result.Code is LdapResult.Success or LdapVerdicts.SizeLimitExceeded
                    ? answer
                    : throw new LdapFailure($"It refused the search, with result {answer.Result.Code}.");
            },
            cancellationToken).ConfigureAwait(false);
        if (entries.Count > 1 || result.Code == LdapVerdicts.SizeLimitExceeded)
        {
            DirectoryLog.SeveralEntries(_logger, entries.Count);
            return null;
        }

        return entries is [{ Name.Length: > 0 } only] && only.Values.Contains(userName, StringComparer.Ordinal) ? only.Name : null;
    }

    /// <summary>Whether the entry of the user who is logged in on the connection has the name, letter by letter.</summary>
    private async Task<bool> HasNameAsync(LdapConnection connection, string name, string userName, CancellationToken cancellationToken)
    {
        var (result, entries) = await connection.SearchAsync(name, _options.Users.NameAttribute, null, null, cancellationToken).ConfigureAwait(false);
        return result.Code == LdapResult.Success && entries is [{ Values.Length: > 0 } own]
            ? own.Values.Contains(userName, StringComparer.Ordinal)
            : throw new LdapFailure($"It does not let users read their own {_options.Users.NameAttribute}, with result {result.Code}.");
    }

    private async Task LogInAsServiceAsync(LdapConnection connection, CancellationToken cancellationToken)
    {
        var users = (LdapUsers.Searched)_options.Users;
        var secret = users.Password.DangerouslyCopyUtf8();
        try
        {
            var result = await connection.BindAsync(users.Account, secret, cancellationToken).ConfigureAwait(false);
            if (result.Code != LdapResult.Success)
            {
                throw new LdapFailure($"It refused the service's own account, with result {result.Code}.");
            }
        }
        finally
        {
            CryptographicOperations.ZeroMemory(secret);
        }
    }
}
