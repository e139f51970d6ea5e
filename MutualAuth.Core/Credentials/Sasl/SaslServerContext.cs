using System.Collections.Immutable;
using System.Net;
using Microsoft.Extensions.Logging;
using MutualAuth.Errors;
using MutualAuth.Validation;

namespace MutualAuth.Credentials;

/// <summary>The facts about the connection for a server's mechanism.</summary>
public sealed class SaslServerContext
{
    private readonly IAttemptLimiter _limiter;
    private readonly EndPoint? _remoteEndPoint;
    private readonly Lock _holding = new(); // a login that was given up goes on beside its session
    private LoginAttempt? _admitted;
    private bool _isOver;
    private bool _isKnown;

    internal SaslServerContext(
        CredentialPolicy policy, LoginServices services, ChannelBinding? channelBinding, AuthenticatedPeer? certifiedPeer, EndPoint? remoteEndPoint)
    {
        Policy = policy;
        Services = services;
        ChannelBinding = channelBinding;
        CertifiedPeer = certifiedPeer;
        _remoteEndPoint = remoteEndPoint;
        RemoteAddress = (remoteEndPoint as IPEndPoint)?.Address;
        _limiter = services.Limiter;
    }

    /// <summary>
    /// What identifies the channel; null when the server's certificate has no binding. Then no mechanism may claim to have bound anything.
    /// </summary>
    public ChannelBinding? ChannelBinding { get; }

    /// <summary>Whether passwords must be bound to the channel.</summary>
    public ChannelBindingPolicy ChannelBindingPolicy => Policy.ChannelBinding;

    /// <summary>The client as its accepted certificate shows it; null when it showed none.</summary>
    public AuthenticatedPeer? CertifiedPeer { get; }

    /// <summary>The client's address; null when the transport has none.</summary>
    public IPAddress? RemoteAddress { get; }

    /// <summary>
    /// The user that the earlier exchanges of the same login have proven, with all that they have proven; null in the first exchange of a login. In
    /// a step-up and a re-authentication it is the connection's user from the first exchange on. A second factor belongs to this user, and
    /// to no other: every other name is refused.
    /// </summary>
    public AuthenticatedUser? User { get; internal init; }

    /// <summary>The names of all mechanisms that this client has been offered.</summary>
    public ImmutableArray<string> Offered { get; internal set; } = [];

    /// <summary>Where the user is known, only this one: every other name fails at once, as that user's failure.</summary>
    internal string? OnlyUser => User?.Name;

    /// <summary>Whether it is a step-up or a re-authentication, and not a login.</summary>
    internal bool IsStepUp { get; init; }

    /// <summary>Whether the user is known to exist.</summary>
    private bool IsKnown => _isKnown || User is not null;

    /// <summary>What another name than that of <see cref="User"/> is.</summary>
    internal RejectionReason MismatchReason => IsStepUp ? RejectionReason.StepUpMismatch : RejectionReason.AnotherUser;

    /// <summary>The mechanism that the client has chosen; null before it has.</summary>
    internal string? Mechanism { get; set; }

    internal CredentialPolicy Policy { get; }

    internal LoginServices Services { get; }

    /// <summary>Where mechanisms get their nonces; tests replay published examples through it.</summary>
    internal Func<string> Nonce { get; init; } = ScramNonce.Create;

    /// <summary>
    /// Asks whether one more attempt to log in as this user may be made. A mechanism asks once only, before it does anything expensive. The
    /// outcome is reported to the limiter automatically.
    /// </summary>
    /// <remarks>
    /// Where <see cref="User"/> is known it has been asked already, for that user and for each message: a mechanism that is only used for second
    /// factors need not ask, and if it asks, gets the same answer.
    /// </remarks>
    /// <returns>Null when it may.</returns>
    /// <exception cref="ArgumentNullException"><paramref name="userName"/> is null.</exception>
    public async ValueTask<Rejection?> AdmitAsync(string userName, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(userName);
        var isAnother = OnlyUser is not null && userName.Length > 0 && !string.Equals(userName, OnlyUser, StringComparison.Ordinal);
        var attempt = AttemptOf(OnlyUser ?? userName);
        if (_admitted is null && IsGuess(attempt) && !IsExempt(attempt)
            && await IsBarredAsync(attempt.UserName, cancellationToken).ConfigureAwait(false))
        {
            return TooManyInARow();
        }

        if (_admitted is not null || await _limiter.BeginAsync(attempt, cancellationToken).ConfigureAwait(false) is not { } wait)
        {
            if (!TryHold(attempt))
            {
                await TellAsync(attempt, AttemptOutcome.Abandoned, CancellationToken.None).ConfigureAwait(false);
                return new Rejection(RejectionReason.CredentialCheckFaulted, "a login that goes on", "one that was given up");
            }

            return isAnother
                ? new Rejection(
                    MismatchReason,
                    $"{(IsStepUp ? "the connection's user" : "the user of the first exchange")}, {SafeText.Quote(OnlyUser)}",
                    "another name")
                : null;
        }

        return new Rejection(
            RejectionReason.AttemptsLimited,
            "fewer attempts for this user and from this place",
            $"one more, {Math.Ceiling(wait.TotalSeconds)} s too early");
    }

    /// <summary>
    /// Asks the same without beginning an attempt. For mechanisms whose client sends several messages before it proves anything: an attempt
    /// that were open all the while could be held open by unauthenticated clients, in numbers that lock the user out.
    /// </summary>
    internal async ValueTask<Rejection?> ForeseeAsync(string userName, CancellationToken cancellationToken)
    {
        if (Policy.UniformRefusalTime is not null)
        {
            return null; // it is refused where a wrong password is, so that no client sees who is locked out
        }

        var objection = await AdmitAsync(userName, cancellationToken).ConfigureAwait(false);
        if (objection is null || objection.Reason != MismatchReason)
        {
            await EndAttemptAsync(AttemptOutcome.Abandoned, cancellationToken).ConfigureAwait(false);
        }

        return objection;
    }

    /// <summary>
    /// Derives a key from a secret that the client sent, by PBKDF2 (RFC 8018 §5.2), in one of the places that the policy has for that
    /// (<see cref="CredentialPolicy.MaxConcurrentKeyDerivations"/>). A mechanism that derives itself would have no bound.
    /// </summary>
    /// <param name="hash">The hash: its length is that of the key.</param>
    /// <param name="secret">The secret; it stays the caller's.</param>
    /// <param name="salt">The salt, from the store.</param>
    /// <param name="iterations">How often: <see cref="ScramVerifier.MinIterations"/> to <see cref="ScramVerifier.MaxIterations"/>.</param>
    /// <param name="cancellationToken">Gives up while it waits for a place; a derivation that has begun is waited for.</param>
    /// <remarks>
    /// A place goes first to a user who has logged in from this address before. It does not hold the caller's thread. Ask
    /// <see cref="AdmitAsync"/> before.
    /// </remarks>
    /// <returns>
    /// The key, which the caller wipes; null when too many run and wait already, which is <see cref="RejectionReason.CredentialCheckOverloaded"/>.
    /// </returns>
    /// <exception cref="ArgumentNullException"><paramref name="hash"/> or <paramref name="secret"/> is null.</exception>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="iterations"/> is out of its bounds; nothing is derived.</exception>
    public async ValueTask<byte[]?> DeriveKeyAsync(
        ScramHash hash, Password secret, ReadOnlyMemory<byte> salt, int iterations, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(hash);
        ArgumentNullException.ThrowIfNull(secret);
        ArgumentOutOfRangeException.ThrowIfLessThan(iterations, ScramVerifier.MinIterations);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(iterations, ScramVerifier.MaxIterations);
        var isFamiliar = OnlyUser is { } user && Services.Familiar.Contains(AttemptOf(user));
        return await Services.KeyDerivation.HiAsync(hash, secret, salt, iterations, RemoteAddress, isFamiliar, cancellationToken)
            .ConfigureAwait(false);
    }

    /// <summary>
    /// Makes a call that may block its thread, such as one to a store, on one of the threads that the policy has for that
    /// (<see cref="CredentialPolicy.MaxConcurrentChecks"/>). A mechanism's step begins on such a thread, and is on the pool after its first wait.
    /// </summary>
    /// <typeparam name="T">What the call returns.</typeparam>
    /// <param name="call">The call; what it throws is thrown.</param>
    /// <param name="cancellationToken">Gives up; a call that has begun goes on, and its result is ignored.</param>
    /// <exception cref="ArgumentNullException"><paramref name="call"/> is null.</exception>
    /// <exception cref="OperationCanceledException"><paramref name="cancellationToken"/> was cancelled.</exception>
    public ValueTask<T> RunBlockingAsync<T>(Func<ValueTask<T>> call, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(call);
        return Services.Checks.RunAsync(call, cancellationToken);
    }

    /// <summary>An attempt with this name, from the client's place.</summary>
    internal LoginAttempt AttemptOf(string userName) =>
        new(userName, RemoteAddress) { Certificate = CertifiedPeer?.Certificate, Mechanism = Mechanism };

    /// <summary>Looks a user up where a store may hold its thread.</summary>
    internal async ValueTask<StoredCredential?> FindAsync(ICredentialStore store, string userName, CancellationToken cancellationToken)
    {
        if (store is not IRecallsUsers recalling || !recalling.TryRecall(userName, out var found))
        {
            found = await AskAsync(store, userName, cancellationToken).ConfigureAwait(false);
        }

        _isKnown = string.Equals(found?.UserName, userName, StringComparison.Ordinal);
        return found;
    }

    private ValueTask<StoredCredential?> AskAsync(ICredentialStore store, string userName, CancellationToken cancellationToken) =>
        Services.Checks.RunAsync(token => store.FindAsync(userName, token), cancellationToken);

    /// <summary>Whether a verifier that was asked knows the user.</summary>
    internal void HasFound(bool isKnown) => _isKnown = isKnown;

    /// <summary>Adds the outcome to the user's consecutive failures, before the client is told.</summary>
    /// <param name="outcome">The outcome.</param>
    /// <param name="isWhole">Whether a success is that of the whole login: only that clears the failures.</param>
    /// <param name="logger">Where faults are logged.</param>
    /// <param name="cancellationToken">The deadline.</param>
    /// <returns>The rejection to report instead of the outcome when there have been too many; null to report the outcome.</returns>
    internal async ValueTask<Rejection?> CountAsync(AttemptOutcome outcome, bool isWhole, ILogger logger, CancellationToken cancellationToken)
    {
        if (_admitted is not { } attempt || outcome == AttemptOutcome.Abandoned || !IsGuess(attempt))
        {
            return null;
        }

        var isFamiliar = IsExempt(attempt);
        var isBarred = await CountAsync(attempt.UserName, outcome, isFamiliar, isWhole, logger, cancellationToken).ConfigureAwait(false);
        return isBarred && !isFamiliar ? TooManyInARow() : null;
    }

    /// <summary>
    /// Whether a user is locked out who shows what cannot be guessed, and comes from where it has logged in before: that counts only where the policy
    /// exempts no known place.
    /// </summary>
    internal async ValueTask<Rejection?> FindLockOutAsync(string userName, CancellationToken cancellationToken) =>
        Policy.LockOut is { ExemptsKnownPlaces: false } && await IsBarredAsync(userName, cancellationToken).ConfigureAwait(false)
            ? TooManyInARow()
            : null;

    /// <summary>Whether the failures in a row are read and written without holding a thread.</summary>
    private bool CountsInMemory => Services.Store is not IFailureCountingStore or INeverBlocks;

    private ValueTask<bool> CountAsync(
        string userName, AttemptOutcome outcome, bool isFamiliar, bool isWhole, ILogger logger, CancellationToken cancellationToken) =>
        CountsInMemory
            ? CountHereAsync(userName, outcome, isFamiliar, isWhole, logger, cancellationToken)
            : CountOnThreadAsync(userName, outcome, isFamiliar, isWhole, logger, cancellationToken);

    private ValueTask<bool> CountOnThreadAsync(
        string userName, AttemptOutcome outcome, bool isFamiliar, bool isWhole, ILogger logger, CancellationToken cancellationToken) =>
        Services.Checks.RunAsync(token => CountHereAsync(userName, outcome, isFamiliar, isWhole, logger, token), cancellationToken);

    private ValueTask<bool> CountHereAsync(
        string userName, AttemptOutcome outcome, bool isFamiliar, bool isWhole, ILogger logger, CancellationToken cancellationToken)
    {
        var (failures, store, limits) = (Services.Failures, Services.Store, Services.Limits);
        return outcome == AttemptOutcome.Succeeded
            ? failures.SucceededAsync(store, userName, limits, isFamiliar, isWhole, logger, cancellationToken)
            : failures.FailedAsync(store, userName, limits, IsKnown, logger, cancellationToken, RemoteAddress);
    }

    private ValueTask<bool> IsBarredAsync(string userName, CancellationToken cancellationToken) =>
        !Services.Failures.MayBar(userName, Services.Limits) ? ValueTask.FromResult(false)
            : CountsInMemory ? IsBarredHereAsync(userName, cancellationToken)
            : IsBarredOnThreadAsync(userName, cancellationToken);

    private ValueTask<bool> IsBarredOnThreadAsync(string userName, CancellationToken cancellationToken) =>
        Services.Checks.RunAsync(token => IsBarredHereAsync(userName, token), cancellationToken);

    private ValueTask<bool> IsBarredHereAsync(string userName, CancellationToken cancellationToken) =>
        Services.Failures.IsBarredAsync(Services.Store, userName, Services.Limits, cancellationToken);

    /// <summary>Whether it comes from where the user has logged in before, and that makes a difference.</summary>
    private bool IsExempt(LoginAttempt attempt) => Policy.LockOut is not { ExemptsKnownPlaces: false } && Services.Familiar.Contains(attempt);

    private static bool IsGuess(LoginAttempt attempt) =>
        attempt.UserName.Length > 0 && SaslMechanismNames.CanBeGuessed(attempt.Mechanism);

    private Rejection TooManyInARow() => new(
        RejectionReason.AttemptsLimited,
        $"fewer than {Services.Limits.Each} failures in a row for this user"
            + (Policy.LockOut is { ExemptsKnownPlaces: false } ? string.Empty : ", or a place where the user has logged in before"),
        "one more attempt from elsewhere")
    {
        Rule = "NIST SP 800-63B-4 §3.2.2",
        Hint = (Services.Limits.Duration is { } duration ? $"Each lock-out lasts {duration}. " : string.Empty)
            + $"Find the source of the attempts. {nameof(IFailureCountingStore)}.{nameof(IFailureCountingStore.ClearFailuresAsync)} lets the user "
            + "log in again.",
    };

    /// <summary>The context of the next exchange of the same login, in which the user is known.</summary>
    internal SaslServerContext After(AuthenticatedUser user) => new(Policy, Services, ChannelBinding, CertifiedPeer, _remoteEndPoint)
    {
        User = user,
        IsStepUp = IsStepUp,
        Nonce = Nonce,
    };

    /// <summary>Whether the limiter has admitted an attempt and has not been told how it ended.</summary>
    /// <summary>Holds no further attempt: what the limiter still admits is ended at once.</summary>
    /// <returns>Whether there is an attempt to end.</returns>
    internal bool Close()
    {
        lock (_holding)
        {
            _isOver = true;
            return _admitted is not null;
        }
    }

    private bool TryHold(LoginAttempt attempt)
    {
        lock (_holding)
        {
            _admitted ??= _isOver ? null : attempt;
            return _admitted is not null;
        }
    }

    /// <summary>
    /// Tells the limiter how the attempt ended; without effect when there was none, or it has been told. It is told in any case: an attempt that
    /// stayed open would count against the user.
    /// </summary>
    /// <exception cref="OperationCanceledException"><paramref name="cancellationToken"/> was cancelled before the limiter came back.</exception>
    internal async ValueTask EndAttemptAsync(AttemptOutcome outcome, CancellationToken cancellationToken)
    {
        LoginAttempt? held;
        lock (_holding)
        {
            (held, _admitted) = (_admitted, null);
        }

        if (held is { } attempt)
        {
            if (outcome == AttemptOutcome.Succeeded)
            {
                Services.Familiar.Add(attempt);
            }

            await TellAsync(attempt, outcome, cancellationToken).ConfigureAwait(false);
        }
    }

    private async ValueTask TellAsync(LoginAttempt attempt, AttemptOutcome outcome, CancellationToken cancellationToken)
    {
        if (_limiter is INeverBlocks)
        {
            await _limiter.EndAsync(attempt, outcome).ConfigureAwait(false);
        }
        else
        {
            await TellOnThreadAsync(attempt, outcome).OrLeaveAsync(cancellationToken).ConfigureAwait(false);
        }
    }

    private Task<bool> TellOnThreadAsync(LoginAttempt attempt, AttemptOutcome outcome) => Services.Checks.RunAsync(
        async () =>
        {
            await _limiter.EndAsync(attempt, outcome).ConfigureAwait(false);
            return true;
        },
        CancellationToken.None).AsTask();
}
