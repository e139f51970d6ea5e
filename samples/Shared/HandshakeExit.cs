namespace MutualAuth.Samples;

/// <summary>What a client ends with after a handshake that failed: an exit code for each side and kind, and one line on stderr.</summary>
internal static class HandshakeExit
{
    internal const int PeerRejected = 10;
    internal const int RefusedByPeer = 11;
    internal const int NoAgreement = 12;
    internal const int TimedOut = 13;
    internal const int NotReached = 14;

    internal static int Fail(HandshakeException failure)
    {
        var (exitCode, code, message) = Of(failure);
        return CommandLine.Fail(exitCode, code, message);
    }

    internal static (int ExitCode, string Code, string Message) Of(HandshakeException failure) => failure.Failure switch
    {
        HandshakeFailure.PeerRejected => (PeerRejected, failure.Reason.ToCode(), failure.Message),
        HandshakeFailure.RefusedByPeer => (RefusedByPeer, (failure.PeerReason ?? PublicReason.Refused).ToCode(), failure.Message),
        HandshakeFailure.TimedOut => (TimedOut, failure.Reason.ToCode(), failure.Message),
        HandshakeFailure.Unreachable => (NotReached, failure.Reason.ToCode(), failure.Message),

        HandshakeFailure.NoAgreement when failure.Reason == RejectionReason.AlpnMismatch => (
            NoAgreement, failure.Reason.ToCode(), $"{failure.Message} Here that is --confirmation never, or --alpn NAME."),

        // No agreement, a peer that broke the protocol, a lost transport: there was no verdict.
        _ => (NoAgreement, failure.Reason.ToCode(), failure.Message),
    };
}
