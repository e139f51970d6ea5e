using System.Collections.Immutable;
using Microsoft.Extensions.Logging;
using MutualAuth.Errors;
using MutualAuth.Telemetry;

namespace MutualAuth.Credentials;

/// <summary>What a session must reach, where it is not a login.</summary>
/// <param name="Factors">What must be proven.</param>
/// <param name="User">Who must prove it, acting as the same one.</param>
/// <param name="MayBeFirst">Whether a mechanism of this name is allowed in the first exchange.</param>
internal sealed record StepUpTerms(FactorRequirement Factors, AuthenticatedUser User, Func<string, bool> MayBeFirst);

/// <summary>
/// One login at the server, whatever carries the messages: its exchanges, bounds, the chosen mechanisms, and what must hold beyond right
/// credentials.
/// </summary>
internal sealed class SaslServerSession : IAsyncDisposable
{
    /// <summary>How long the end of a login waits for a limiter that is told of it. Real time, so that a login always ends.</summary>
    private static readonly TimeSpan s_moment = TimeSpan.FromSeconds(1);

    private readonly CredentialPolicy _policy;
    private readonly FactorRequirement _factors;
    private readonly StepUpTerms? _terms;
    private readonly ILogger _logger;
    private SaslServerContext _context;
    private Dictionary<string, ISaslServerMechanism> _mechanisms;
    private ISaslServerExchange? _exchange;
    private AuthenticatedUser? _proven;
    private string _mechanism = string.Empty;
    private int _rounds;
    private bool _mayBlock;
    private bool _hasFailed;

    internal SaslServerSession(CredentialPolicy policy, SaslServerContext context, ILogger logger, StepUpTerms? terms = null)
    {
        _policy = policy;
        _context = context;
        _logger = logger;
        _terms = terms;
        _factors = terms?.Factors ?? policy.LoginFactors;
        ImmutableArray<ISaslServerMechanism> first = terms is null ? policy.Mechanisms : [.. policy.Mechanisms, .. policy.SecondFactors];

        // A login must prove who the user is, whether that helps otherwise or not. So must a step-up where what helps cannot come first.
        _mechanisms = terms is null ? [] : Offer(first, context, terms.MayBeFirst, candidate => Helps(candidate, Certificate, 1));
        if (_mechanisms.Count == 0)
        {
            _mechanisms = Offer(first, context, terms?.MayBeFirst, candidate => Leads(candidate, Certificate, 1));
        }
    }

    /// <summary>The names of the mechanisms of the exchange that is to come, or runs; the strongest first.</summary>
    internal ImmutableArray<string> Offered => _context.Offered;

    /// <summary>Whether the user is known, so that each message is an attempt of that user.</summary>
    private bool AdmitsEachMessage => _context.User is not null && !_hasFailed;

    /// <summary>Begins the exchange that the client chose. Without a message of its own, it is asked for one first (RFC 4422 §3.3).</summary>
    internal ValueTask<SaslServerStep> StartAsync(string mechanism, ReadOnlyMemory<byte>? message, CancellationToken cancellationToken)
    {
        if (_exchange is not null || !_mechanisms.TryGetValue(mechanism, out var chosen))
        {
            return ValueTask.FromResult(
                SaslServerStep.Fail(RejectionReason.MechanismUnavailable, $"one of {string.Join(", ", Offered)}", SafeText.Quote(mechanism)));
        }

        _context.Mechanism = _mechanism = mechanism;
        _mayBlock = !_context.Services.NeverBlocks || chosen is not INeverBlocks;
        return GuardAsync(chosen, message, cancellationToken);
    }

    internal ValueTask<SaslServerStep> ContinueAsync(ReadOnlyMemory<byte> message, CancellationToken cancellationToken) =>
        _exchange is null ? throw new InvalidOperationException("The exchange has not begun.") : GuardAsync(null, message, cancellationToken);

    /// <summary>The user of all exchanges, once everything else that must hold has been found to hold.</summary>
    internal AuthenticatedUser ToUser(SaslServerStep.Succeeded success)
    {
        var user = success.ToUser(_mechanism);
        return _proven?.And(user) ?? user;
    }

    /// <summary>The next exchange begins: its mechanisms are on offer.</summary>
    private void Advance(SaslServerStep.Advanced next)
    {
        _exchange?.Dispose();
        _exchange = null;
        _rounds = 0;
        _proven = next.Context.User;
        _context = next.Context;
        _mechanisms = next.Mechanisms;
    }

    /// <summary>The mechanisms of an exchange: those that are wanted, and have a name on this connection.</summary>
    private static Dictionary<string, ISaslServerMechanism> Offer(
        IEnumerable<ISaslServerMechanism> candidates,
        SaslServerContext context,
        Func<string, bool>? isFit,
        Func<PeerProofs, bool> isWanted)
    {
        var offered = new Dictionary<string, ISaslServerMechanism>();
        foreach (var mechanism in candidates.Where(candidate => isWanted(candidate.MayProve)))
        {
            foreach (var name in mechanism.NamesFor(context).Where(
                name => SaslLimits.IsMechanismName(name) && isFit?.Invoke(name) != false).Take(SaslLimits.MaxOffered - offered.Count))
            {
                offered.TryAdd(name, mechanism);
            }
        }

        context.Offered = [.. offered.Keys];
        return offered;
    }

    /// <summary>Whether what is required can be reached when an exchange proves this.</summary>
    private bool Leads(PeerProofs candidate, PeerProofs shown, int exchange) =>
        _factors.CanBeMet(shown | candidate, Further, SaslLimits.MaxExchanges - exchange);

    /// <summary>Whether it can be reached with this, and not without it.</summary>
    private bool Helps(PeerProofs candidate, PeerProofs shown, int exchange) =>
        _factors.IsMetBy(shown) || _factors.IsHelpedBy(candidate, shown, Further, SaslLimits.MaxExchanges - exchange);

    private ImmutableArray<PeerProofs> Further => [.. _policy.SecondFactors.Select(mechanism => mechanism.MayProve)];

    private PeerProofs Certificate => _context.CertifiedPeer is null ? PeerProofs.None : PeerProofs.Certificate;

    public async ValueTask DisposeAsync()
    {
        _exchange?.Dispose();
        if (_context.Close())
        {
            using var patience = new CancellationTokenSource(s_moment);
            await EndAttemptAsync(AttemptOutcome.Abandoned, patience.Token).ConfigureAwait(false);
        }
    }

    /// <param name="begins">The mechanism whose exchange begins; null when it continues.</param>
    /// <param name="message">The client's message; null when it has begun without one.</param>
    /// <param name="cancellationToken">The deadline.</param>
    private async ValueTask<SaslServerStep> GuardAsync(
        ISaslServerMechanism? begins, ReadOnlyMemory<byte>? message, CancellationToken cancellationToken)
    {
        var time = _context.Services.Time;
        var arrived = _policy.UniformRefusalTime is null ? 0 : time.GetTimestamp();
        var answer = await JudgeAsync(begins, message, cancellationToken).ConfigureAwait(false);
        if (_policy.UniformRefusalTime is not { } unit
            || answer is not SaslServerStep.Failed { Rejection: var rejection }
            || !LooksAlike(rejection.Reason))
        {
            return answer;
        }

        // To the next multiple: a store that is slower for some users shows only where it takes longer than that.
        var taken = time.GetElapsedTime(arrived);
        var units = Math.Max(1, Math.Ceiling(taken / unit));
        await Task.Delay((unit * units) - taken, time, cancellationToken).ConfigureAwait(false);
        return new SaslServerStep.Failed(rejection) { IsToldAlike = true };
    }

    /// <summary>Whether it is about the credentials: not a fault or an overload of ours, nor a violation of the protocol or a channel.</summary>
    private static bool LooksAlike(RejectionReason reason) => reason is not (
        RejectionReason.CredentialCheckFaulted
        or RejectionReason.CredentialCheckOverloaded
        or RejectionReason.DirectoryUnavailable
        or RejectionReason.TokenIssuerUnavailable
        or RejectionReason.SecondFactorKeyUnavailable
        or RejectionReason.SecondFactorNotAuthentic
        or RejectionReason.SecondFactorNotEncrypted
        or RejectionReason.CredentialProtocolViolated
        or RejectionReason.MechanismUnavailable
        or RejectionReason.ChannelBindingMismatch
        or RejectionReason.ChannelBindingUnavailable
        or RejectionReason.ChannelBindingDowngraded);

    private async ValueTask<SaslServerStep> JudgeAsync(
        ISaslServerMechanism? begins, ReadOnlyMemory<byte>? message, CancellationToken cancellationToken)
    {
        SaslServerStep answer;
        try
        {
            answer = ++_rounds > SaslLimits.MaxRounds
                ? SaslServerStep.Fail(RejectionReason.CredentialProtocolViolated, $"at most {SaslLimits.MaxRounds} messages", "one more")
                : await AnswerAsync(begins, message, cancellationToken).ConfigureAwait(false);
        }
        catch (Exception exception) when (!cancellationToken.IsCancellationRequested)
        {
            CredentialLog.CheckFaulted(_logger, _mechanism, CredentialLog.Describe(exception));
            answer = SaslServerStep.Fail(
                RejectionReason.CredentialCheckFaulted, "a verdict on the credentials", $"an exception, {exception.GetType().Name}");
        }

        if (answer is SaslServerStep.Challenged { HasFailed: false })
        {
            // No attempt stays open while the client is at its turn: a client that knows the password could hold many open, and lock the user out.
            return !AdmitsEachMessage || await EndAttemptAsync(AttemptOutcome.Abandoned, cancellationToken).ConfigureAwait(false)
                ? answer
                : NotNoted();
        }

        var outcome = OutcomeOf(answer);
        var isWhole = answer is not SaslServerStep.Advanced;
        if (await _context.CountAsync(outcome, isWhole, _logger, cancellationToken).ConfigureAwait(false) is { } tooMany)
        {
            // Right or wrong, it counts as wrong everywhere, so that no delay reveals which it was.
            (answer, outcome) = (SaslServerStep.Fail(tooMany), AttemptOutcome.Failed);
        }

        // A right password whose second factor is still to come has neither succeeded nor failed.
        var noted = answer is SaslServerStep.Advanced ? AttemptOutcome.Abandoned : outcome;
        if (!await EndAttemptAsync(noted, cancellationToken).ConfigureAwait(false))
        {
            return NotNoted();
        }

        _hasFailed = answer is SaslServerStep.Challenged;
        if (answer is SaslServerStep.Advanced next)
        {
            Advance(next);
        }

        return answer;
    }

    private ValueTask<SaslServerStep> AnswerAsync(
        ISaslServerMechanism? begins, ReadOnlyMemory<byte>? message, CancellationToken cancellationToken) =>
        _mayBlock ? AnswerOnThreadAsync(begins, message, cancellationToken) : AnswerHereAsync(begins, message, cancellationToken);

    private ValueTask<SaslServerStep> AnswerOnThreadAsync(
        ISaslServerMechanism? begins, ReadOnlyMemory<byte>? message, CancellationToken cancellationToken) =>
        _context.Services.Checks.RunAsync(token => AnswerHereAsync(begins, message, token), cancellationToken);

    private async ValueTask<SaslServerStep> AnswerHereAsync(
        ISaslServerMechanism? begins, ReadOnlyMemory<byte>? message, CancellationToken cancellationToken)
    {
        if (await AdmitAsync(cancellationToken).ConfigureAwait(false) is { } limited)
        {
            return limited;
        }

        _exchange = begins?.Begin(_mechanism, _context) ?? _exchange;
        return Examine(message is { } text
            ? await _exchange!.StepAsync(text, cancellationToken).ConfigureAwait(false)
            : SaslServerStep.Continue(ReadOnlyMemory<byte>.Empty));
    }

    private static SaslServerStep NotNoted() =>
        SaslServerStep.Fail(RejectionReason.CredentialCheckFaulted, "a note of the attempt", "an exception of the limiter");

    /// <summary>
    /// Where the user is known, each message is admitted as an attempt of that user, whether the mechanism asks or not: a guess at a one-time code
    /// counts as one at a password does.
    /// </summary>
    private async ValueTask<SaslServerStep?> AdmitAsync(CancellationToken cancellationToken) => AdmitsEachMessage
        && await _context.AdmitAsync(string.Empty, cancellationToken).ConfigureAwait(false) is { } limited ? SaslServerStep.Fail(limited) : null;

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
                || (!IsSame(other, success.UserName) && _policy.MayActAs?.Invoke(success.UserName, other) != true))
            {
                var presented = other is null ? "the wish to act as a user with an impossible name" : $"the wish to act as {SafeText.Quote(other)}";
                return Refuse(
                    success,
                    new Rejection(RejectionReason.AuthorizationIdentityRefused, $"{SafeText.Quote(success.UserName)} acting as itself", presented)
                    { Rule = "RFC 4422 §3.4.1" });
            }

            success = success.ActingAs(other);
        }

        return (FindMismatch(success) ?? _policy.Users.Examine(ToUser(success), _context.CertifiedPeer)) is { } objection
            ? Refuse(success, objection)
            : GoOn(success);
    }

    /// <summary>All exchanges are those of one user, who acts as one user; a step-up is that of the connection's.</summary>
    private Rejection? FindMismatch(SaslServerStep.Succeeded success)
    {
        if ((_proven ?? _terms?.User) is not { } expected)
        {
            return null;
        }

        var user = success.ToUser(_mechanism);
        var actsAs = _proven is not null && success.AuthorizationIdentity is null ? expected.ActsAs : user.ActsAs;
        return IsSame(user.Name, expected.Name) && IsSame(actsAs, expected.ActsAs)
            ? null
            : new Rejection(_context.MismatchReason, Describe(expected), Describe(user));
    }

    /// <summary>The login is complete, or another exchange follows, or none can.</summary>
    private SaslServerStep GoOn(SaslServerStep.Succeeded success)
    {
        var user = ToUser(success);
        var shown = user.Proofs | Certificate;
        if (_factors.IsMetBy(shown))
        {
            return success;
        }

        var context = _context.After(user);
        var offered = user.Mechanisms.Length < SaslLimits.MaxExchanges
            ? Offer(
                _policy.SecondFactors,
                context,
                name => !user.Mechanisms.Contains(name),
                candidate => Helps(candidate, shown, user.Mechanisms.Length + 1))
            : [];
        return offered.Count > 0
            ? new SaslServerStep.Advanced(success, context, offered)
            : Refuse(success, new Rejection(RejectionReason.SecondFactorMissing, _factors.ToString(), shown.ToString())
            {
                Hint = "No mechanism that could prove it can be offered on this connection: the server's certificate may have no channel binding.",
            });
    }

    private static bool IsSame(string left, string right) => string.Equals(left, right, StringComparison.Ordinal);

    private static string Describe(AuthenticatedUser user) => $"{user}, acting as {SafeText.Quote(user.ActsAs)}";

    /// <summary>
    /// Rules and programs compare names as they are: two spellings of one name must not log in as two users. Names with passwords are
    /// prepared before they are looked up.
    /// </summary>
    private static bool IsInItsForm(SaslServerStep.Succeeded success) =>
        string.Equals(UserNames.ToIdentity(success.UserName), success.UserName, StringComparison.Ordinal)
        || (success.HasProvenPassword && string.Equals(UserNames.FromPeer(success.UserName), success.UserName, StringComparison.Ordinal));

    private SaslServerStep.Failed Refuse(SaslServerStep.Succeeded success, Rejection objection) =>
        new(objection) { IsToldAsWrong = success.HasProvenPassword || _proven?.Proofs.HasFlag(PeerProofs.Password) == true };

    private static AttemptOutcome OutcomeOf(SaslServerStep answer) => answer switch
    {
        SaslServerStep.Succeeded or SaslServerStep.Advanced => AttemptOutcome.Succeeded,
        SaslServerStep.Failed
        {
            Rejection.Reason: RejectionReason.CredentialCheckFaulted or RejectionReason.AttemptsLimited or RejectionReason.CredentialCheckOverloaded
                or RejectionReason.DirectoryUnavailable or RejectionReason.ReconnectCredentialNoLongerValid
                or RejectionReason.SecondFactorKeyUnavailable or RejectionReason.SecondFactorNotAuthentic or RejectionReason.SecondFactorNotEncrypted,
        } => AttemptOutcome.Abandoned,
        _ => AttemptOutcome.Failed,
    };

    private async ValueTask<bool> EndAttemptAsync(AttemptOutcome outcome, CancellationToken cancellationToken)
    {
        try
        {
            await _context.EndAttemptAsync(outcome, cancellationToken).ConfigureAwait(false);
            return true;
        }
        catch (Exception exception)
        {
            CredentialLog.LimiterFaulted(_logger, CredentialLog.Describe(exception));
            return false;
        }
    }
}
