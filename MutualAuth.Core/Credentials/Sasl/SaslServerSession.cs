using System.Collections.Immutable;
using Microsoft.Extensions.Logging;
using MutualAuth.Errors;
using MutualAuth.Telemetry;

namespace MutualAuth.Credentials;

/// <summary>
/// One login at the server, whatever carries the messages: bounds, the chosen mechanism, and what must hold beyond right credentials.
/// </summary>
internal sealed class SaslServerSession : IAsyncDisposable
{
    private readonly CredentialPolicy _policy;
    private readonly SaslServerContext _context;
    private readonly ILogger _logger;
    private readonly Dictionary<string, ISaslServerMechanism> _mechanisms = [];
    private ISaslServerExchange? _exchange;
    private string _mechanism = string.Empty;
    private int _rounds;

    internal SaslServerSession(CredentialPolicy policy, SaslServerContext context, ILogger logger, Func<string, bool>? isFit = null)
    {
        _policy = policy;
        _context = context;
        _logger = logger;
        foreach (var mechanism in policy.Mechanisms)
        {
            foreach (var name in mechanism.NamesFor(context).Where(
                name => SaslLimits.IsMechanismName(name) && isFit?.Invoke(name) != false).Take(SaslLimits.MaxOffered - _mechanisms.Count))
            {
                _mechanisms.TryAdd(name, mechanism);
            }
        }

        _context.Offered = Offered = [.. _mechanisms.Keys];
    }

    /// <summary>The names of the mechanisms, the strongest first.</summary>
    internal ImmutableArray<string> Offered { get; }

    /// <summary>Begins the exchange that the client chose. Without a message of its own, it is asked for one first (RFC 4422 §3.3).</summary>
    internal ValueTask<SaslServerStep> StartAsync(string mechanism, ReadOnlyMemory<byte>? message, CancellationToken cancellationToken)
    {
        if (_exchange is not null || !_mechanisms.TryGetValue(mechanism, out var chosen))
        {
            return ValueTask.FromResult(
                SaslServerStep.Fail(RejectionReason.MechanismUnavailable, $"one of {string.Join(", ", Offered)}", SafeText.Quote(mechanism)));
        }

        _context.Mechanism = _mechanism = mechanism;
        return GuardAsync(
            () =>
            {
                _exchange = chosen.Begin(mechanism, _context);
                return message is { } first
                    ? _exchange.StepAsync(first, cancellationToken)
                    : ValueTask.FromResult(SaslServerStep.Continue(ReadOnlyMemory<byte>.Empty));
            },
            cancellationToken);
    }

    internal ValueTask<SaslServerStep> ContinueAsync(ReadOnlyMemory<byte> message, CancellationToken cancellationToken)
    {
        var exchange = _exchange ?? throw new InvalidOperationException("The exchange has not begun.");
        return GuardAsync(() => exchange.StepAsync(message, cancellationToken), cancellationToken);
    }

    /// <summary>The user of an exchange that succeeded, once everything else that must hold has been found to hold.</summary>
    internal AuthenticatedUser ToUser(SaslServerStep.Succeeded success) => success.ToUser(_mechanism);

    public async ValueTask DisposeAsync()
    {
        _exchange?.Dispose();
        await EndAttemptAsync(AttemptOutcome.Abandoned).ConfigureAwait(false);
    }

    private async ValueTask<SaslServerStep> GuardAsync(Func<ValueTask<SaslServerStep>> step, CancellationToken cancellationToken)
    {
        SaslServerStep answer;
        try
        {
            answer = ++_rounds > SaslLimits.MaxRounds
                ? SaslServerStep.Fail(RejectionReason.CredentialProtocolViolated, $"at most {SaslLimits.MaxRounds} messages", "one more")
                : await _context.Services.Checks.RunAsync(
                    async () => Examine(await step().ConfigureAwait(false)), cancellationToken).ConfigureAwait(false);
        }
        catch (Exception exception) when (!cancellationToken.IsCancellationRequested)
        {
            CredentialLog.CheckFaulted(_logger, _mechanism, CredentialLog.Describe(exception));
            answer = SaslServerStep.Fail(
                RejectionReason.CredentialCheckFaulted, "a verdict on the credentials", $"an exception, {exception.GetType().Name}");
        }

        if (answer is SaslServerStep.Challenged { HasFailed: false })
        {
            return answer;
        }

        var outcome = OutcomeOf(answer);
        if (await _context.CountAsync(outcome, _logger, cancellationToken).ConfigureAwait(false) is { } tooMany)
        {
            // Right or wrong, it counts as wrong everywhere, so that no delay reveals which it was.
            (answer, outcome) = (SaslServerStep.Fail(tooMany), AttemptOutcome.Failed);
        }

        return await EndAttemptAsync(outcome).ConfigureAwait(false)
            ? answer
            : SaslServerStep.Fail(RejectionReason.CredentialCheckFaulted, "a note of the attempt", "an exception of the limiter");
    }

    /// <summary>Correct credentials are not sufficient: acting as another user needs a rule, and users may be tied to certificates.</summary>
    private SaslServerStep Examine(SaslServerStep answer)
    {
        if (answer is SaslServerStep.Challenged { Message.Length: > SaslLimits.MaxMessageLength })
        {
            throw new InvalidOperationException("The mechanism's message is longer than 16,384 octets.");
        }

        if (answer is not SaslServerStep.Succeeded success)
        {
            return answer;
        }

        if (!IsInItsForm(success))
        {
            const string Expected = "a user's name as SASLprep writes it, of 255 octets at most";
            return Refuse(success, new Rejection(RejectionReason.UserNotAllowed, Expected, SafeText.Quote(success.UserName))
            {
                Rule = "RFC 4013",
                Hint = "Whatever reads it from a token or a certificate must bring it into that form, or refuse it.",
            });
        }

        if (success.AuthorizationIdentity is { } claimed)
        {
            var other = UserNames.ToIdentity(claimed);
            if (other is null
                || (!string.Equals(other, success.UserName, StringComparison.Ordinal) && _policy.MayActAs?.Invoke(success.UserName, other) != true))
            {
                var presented = other is null ? "the wish to act as a user with an impossible name" : $"the wish to act as {SafeText.Quote(other)}";
                return Refuse(
                    success,
                    new Rejection(RejectionReason.AuthorizationIdentityRefused, $"{SafeText.Quote(success.UserName)} acting as itself", presented)
                    { Rule = "RFC 4422 §3.4.1" });
            }

            success = success.ActingAs(other);
        }

        return _policy.Users.Examine(ToUser(success), _context.CertifiedPeer) is { } objection ? Refuse(success, objection) : success;
    }

    /// <summary>
    /// Rules and programs compare names as they are: two spellings of one name must not log in as two users. Names with passwords are
    /// prepared before they are looked up.
    /// </summary>
    private static bool IsInItsForm(SaslServerStep.Succeeded success) =>
        string.Equals(UserNames.ToIdentity(success.UserName), success.UserName, StringComparison.Ordinal)
        || (success.HasProvenPassword && string.Equals(UserNames.FromPeer(success.UserName), success.UserName, StringComparison.Ordinal));

    private static SaslServerStep.Failed Refuse(SaslServerStep.Succeeded success, Rejection objection) =>
        new(objection) { IsToldAsWrong = success.HasProvenPassword };

    private static AttemptOutcome OutcomeOf(SaslServerStep answer) => answer switch
    {
        SaslServerStep.Succeeded => AttemptOutcome.Succeeded,
        SaslServerStep.Failed
        {
            Rejection.Reason: RejectionReason.CredentialCheckFaulted or RejectionReason.AttemptsLimited or RejectionReason.CredentialCheckOverloaded
                or RejectionReason.DirectoryUnavailable,
        } => AttemptOutcome.Abandoned,
        _ => AttemptOutcome.Failed,
    };

    private async ValueTask<bool> EndAttemptAsync(AttemptOutcome outcome)
    {
        try
        {
            await _context.EndAttemptAsync(outcome).ConfigureAwait(false);
            return true;
        }
        catch (Exception exception)
        {
            CredentialLog.LimiterFaulted(_logger, CredentialLog.Describe(exception));
            return false;
        }
    }
}
