using System.Diagnostics;
using Microsoft.Extensions.Logging;
using MutualAuth.Telemetry;
using MutualAuth.Validation;

namespace MutualAuth.Callbacks;

/// <summary>
/// Events 1130–1139: judging in the callbacks of other libraries. They name us as client or server, as the events of handshakes do.
/// </summary>
internal static partial class CallbackLog
{
    internal static void Judged(ILogger logger, string callback, CallbackJudgement judgement)
    {
        var role = RoleOf(judgement);
        var other = AnswerOf(judgement);
        switch (judgement.Verdict)
        {
            case CertificateVerdict.Accepted accepted when !judgement.IsShadow:
                CallbackAccepted(logger, callback, role, accepted.Peer.Name);
                break;
            case CertificateVerdict.Accepted accepted when judgement.OtherAccepted != true:
                ShadowWouldAccept(logger, callback, role, accepted.Peer.Name, other);
                break;
            case CertificateVerdict.Accepted accepted:
                ShadowAgreed(logger, callback, role, accepted.Peer.Name, other);
                break;
            case CertificateVerdict.Rejected rejected when !judgement.IsShadow:
                CallbackRejected(logger, callback, role, rejected.ClaimedName, rejected.Rejection.Reason.ToCode(), rejected.Rejection);
                break;
            case CertificateVerdict.Rejected rejected when judgement.OtherAccepted == true:
                ShadowWouldReject(logger, callback, role, rejected.ClaimedName, other, rejected.Rejection.Reason.ToCode(), rejected.Rejection);
                break;
            case CertificateVerdict.Rejected rejected:
                ShadowAgreed(logger, callback, role, rejected.ClaimedName, other);
                break;
        }
    }

    internal static void Count(string callback, CallbackJudgement judgement) => MutualAuthTelemetry.Try((callback, judgement), static call =>
    {
        var tags = new TagList
        {
            { "mutualauth.callback", call.callback },
            { "mutualauth.role", RoleOf(call.judgement) },
            { "mutualauth.outcome", OutcomeOf(call.judgement) },
        };
        if (call.judgement.Rejection is { } objection)
        {
            tags.Add("mutualauth.reason", objection.Reason.ToCode());
        }

        if (call.judgement.IsShadow)
        {
            tags.Add("mutualauth.callback.other", call.judgement.OtherAccepted switch { true => "accepted", false => "rejected", null => "threw" });
        }

        MutualAuthTelemetry.CallbackVerdicts.Add(1, tags);
    });

    [LoggerMessage(1130, LogLevel.Information, "{Callback}, as {Role}: {Peer} was accepted.")]
    private static partial void CallbackAccepted(ILogger logger, string callback, string role, string peer);

    [LoggerMessage(1131, LogLevel.Warning, "{Callback}, as {Role}: {Peer} was rejected as {Reason}. {Rejection}")]
    private static partial void CallbackRejected(ILogger logger, string callback, string role, string? peer, string reason, Rejection rejection);

    [LoggerMessage(1132, LogLevel.Debug, "{Callback}, as {Role}, in shadow mode: {Peer} was {Other}, and would be.")]
    private static partial void ShadowAgreed(ILogger logger, string callback, string role, string? peer, string other);

    [LoggerMessage(
        1133, LogLevel.Warning, "{Callback}, as {Role}, in shadow mode: {Peer} was {Other}, and would be rejected as {Reason}. {Rejection}")]
    private static partial void ShadowWouldReject(
        ILogger logger, string callback, string role, string? peer, string other, string reason, Rejection rejection);

    [LoggerMessage(1134, LogLevel.Warning, "{Callback}, as {Role}, in shadow mode: {Peer} was {Other}, and would be accepted.")]
    private static partial void ShadowWouldAccept(ILogger logger, string callback, string role, string peer, string other);

    [LoggerMessage(1135, LogLevel.Error, "{Callback}: the OnJudged callback threw; the answer is unchanged.")]
    internal static partial void ObserverFaulted(ILogger logger, string callback, Exception exception);

    private static string RoleOf(CallbackJudgement judgement) => judgement.Evidence.Role == PeerRole.Server ? "client" : "server";

    private static string OutcomeOf(CallbackJudgement judgement) => judgement.Rejection switch
    {
        null => "accepted",
        { IsOurFault: true } => "our_fault",
        _ => "peer_rejected",
    };

    private static string AnswerOf(CallbackJudgement judgement) => judgement.OtherAccepted switch
    {
        true => "accepted",
        false => "rejected",
        null => "rejected by an exception",
    };
}
