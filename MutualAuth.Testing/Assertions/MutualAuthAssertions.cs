using MutualAuth.Testing.BadPeers;
using MutualAuth.Testing.Responders;
using MutualAuth.Testing.Transports;
using MutualAuth.Validation;

namespace MutualAuth.Testing.Assertions;

/// <summary>Assertions about peers and handshakes that read as sentences and fail with all the facts, in any test framework.</summary>
public static class MutualAuthAssertions
{
    /// <summary>Asserts that a handshake fails because our side rejects the peer, for this reason.</summary>
    /// <param name="handshake">The handshake, such as the task of <see cref="MutualTlsClient.ConnectAsync(string, int, CancellationToken)"/>.</param>
    /// <param name="reason">The reason.</param>
    /// <returns>The failure, for more claims.</returns>
    /// <exception cref="MutualAuthAssertionException">The handshake succeeded, or failed for another reason.</exception>
    public static async Task<HandshakeException> ShouldRejectThePeerAsync(this Task handshake, RejectionReason reason)
    {
        var failure = await FailureOfAsync(handshake, $"reject the peer ({reason.ToCode()})").ConfigureAwait(false);
        return failure.ShouldReject(reason);
    }

    /// <summary>Asserts that a handshake fails because the peer refuses us.</summary>
    /// <param name="handshake">The handshake.</param>
    /// <param name="told">The public reason that the peer must have sent; null for any, or none.</param>
    /// <returns>The failure, for more claims.</returns>
    /// <exception cref="MutualAuthAssertionException">The handshake succeeded, or failed for another reason.</exception>
    public static async Task<HandshakeException> ShouldBeRefusedByThePeerAsync(this Task handshake, PublicReason? told = null)
    {
        var failure = await FailureOfAsync(handshake, "be refused by the peer").ConfigureAwait(false);
        return failure.ShouldBeRefusal(told);
    }

    /// <summary>Claims that this failure is our rejection of the peer, for this reason.</summary>
    /// <exception cref="MutualAuthAssertionException">It is none, or another.</exception>
    public static HandshakeException ShouldReject(this HandshakeException? failure, RejectionReason reason)
    {
        var seen = failure
            ?? throw new MutualAuthAssertionException($"Expected a rejection of the peer ({reason.ToCode()}), and the handshake succeeded.");
        return seen.Failure == HandshakeFailure.PeerRejected && seen.Reason == reason
            ? seen
            : throw new MutualAuthAssertionException($"Expected a rejection of the peer for {reason.ToCode()}, but: {seen.Message}", seen);
    }

    /// <summary>Claims that this failure is the peer's refusal of us.</summary>
    /// <exception cref="MutualAuthAssertionException">It is none, or the peer told another reason.</exception>
    public static HandshakeException ShouldBeRefusal(this HandshakeException? failure, PublicReason? told = null)
    {
        var seen = failure ?? throw new MutualAuthAssertionException("Expected the peer to refuse us, and the handshake succeeded.");
        if (seen.Failure != HandshakeFailure.RefusedByPeer)
        {
            throw new MutualAuthAssertionException($"Expected the peer to refuse us, but: {seen.Message}", seen);
        }

        return told is null || seen.PeerReason == told
            ? seen
            : throw new MutualAuthAssertionException(
                $"Expected the peer to tell {told.Value.ToCode()}, but it told {seen.PeerReason?.ToCode() ?? "nothing"}.", seen);
    }

    /// <summary>Asserts that both sides are connected, each to the expected peer.</summary>
    /// <exception cref="ArgumentNullException"><paramref name="outcome"/> is null.</exception>
    /// <exception cref="MutualAuthAssertionException">One of them is not.</exception>
    public static void ShouldBeConnected(this PairOutcome outcome)
    {
        ArgumentNullException.ThrowIfNull(outcome);
        if (outcome.ClientFailure is not null || outcome.ServerFailure is not null)
        {
            throw new MutualAuthAssertionException(
                $"Expected both sides to be connected, but{Environment.NewLine}{outcome}", outcome.ClientFailure ?? outcome.ServerFailure);
        }
    }

    /// <summary>Asserts that the peer has this name.</summary>
    /// <param name="connection">The connection.</param>
    /// <param name="name">
    /// As <see cref="AuthenticatedPeer.Name"/> has it: a DNS name or SPIFFE ID bare, any other with the prefix of its kind.
    /// </param>
    /// <exception cref="ArgumentNullException"><paramref name="connection"/> is null.</exception>
    /// <exception cref="MutualAuthAssertionException">The peer has another name.</exception>
    public static void ShouldBeTo(this MutualTlsConnection connection, string name)
    {
        ArgumentNullException.ThrowIfNull(connection);
        if (connection.Peer.Name != name)
        {
            throw new MutualAuthAssertionException($"Expected a connection to {name}, but the peer is {connection.Peer.Name}.");
        }
    }

    /// <summary>Asserts that the peer has confirmed in band that it accepts us.</summary>
    /// <exception cref="ArgumentNullException"><paramref name="connection"/> is null.</exception>
    /// <exception cref="MutualAuthAssertionException">It has not.</exception>
    public static void ShouldBeConfirmed(this MutualTlsConnection connection)
    {
        ArgumentNullException.ThrowIfNull(connection);
        if (!connection.IsConfirmed)
        {
            throw new MutualAuthAssertionException(
                $"Expected {connection.Peer.Name} to have confirmed the connection, but it does not speak the confirmation protocol.");
        }
    }

    /// <summary>Asserts that a verdict accepts the peer.</summary>
    /// <returns>The peer.</returns>
    /// <exception cref="ArgumentNullException"><paramref name="verdict"/> is null.</exception>
    /// <exception cref="MutualAuthAssertionException">It does not.</exception>
    public static AuthenticatedPeer ShouldAccept(this CertificateVerdict verdict)
    {
        ArgumentNullException.ThrowIfNull(verdict);
        return verdict is CertificateVerdict.Accepted accepted
            ? accepted.Peer
            : throw new MutualAuthAssertionException($"Expected the peer to be accepted, but: {((CertificateVerdict.Rejected)verdict).Rejection}");
    }

    /// <summary>Asserts that a verdict rejects the peer, for this reason.</summary>
    /// <returns>The rejection.</returns>
    /// <exception cref="ArgumentNullException"><paramref name="verdict"/> is null.</exception>
    /// <exception cref="MutualAuthAssertionException">The verdict accepts the peer, or has another reason.</exception>
    public static Rejection ShouldReject(this CertificateVerdict verdict, RejectionReason reason)
    {
        ArgumentNullException.ThrowIfNull(verdict);
        return verdict switch
        {
            CertificateVerdict.Rejected rejected when rejected.Rejection.Reason == reason => rejected.Rejection,
            CertificateVerdict.Rejected other =>
                throw new MutualAuthAssertionException($"Expected a rejection for {reason.ToCode()}, but: {other.Rejection}"),
            _ => throw new MutualAuthAssertionException(
                $"Expected a rejection for {reason.ToCode()}, but the peer was accepted as {((CertificateVerdict.Accepted)verdict).Peer.Name}."),
        };
    }

    /// <summary>Asserts that every bad peer was rejected, every good neighbour served, and no address of theirs requested.</summary>
    /// <exception cref="ArgumentNullException"><paramref name="report"/> is null.</exception>
    /// <exception cref="MutualAuthAssertionException">Not so; the message is the report.</exception>
    public static void ShouldBeClean(this GalleryReport report)
    {
        ArgumentNullException.ThrowIfNull(report);
        if (!report.IsClean)
        {
            throw new MutualAuthAssertionException($"Expected every bad peer to be refused and every good one served.{Environment.NewLine}{report}");
        }
    }

    /// <summary>Asserts that no client has connected to this responder.</summary>
    /// <exception cref="ArgumentNullException"><paramref name="responder"/> is null.</exception>
    /// <exception cref="MutualAuthAssertionException">A client has; the message lists the requests and what was wrong with them.</exception>
    public static void ShouldBeUntouched(this HttpResponder responder)
    {
        ArgumentNullException.ThrowIfNull(responder);
        if (responder.Connections > 0)
        {
            var asked = string.Join(", ", responder.Requests.Select(request => $"{request.Method} {request.Path}"));
            throw new MutualAuthAssertionException(
                $"Expected no request to {responder.BaseUri}, but it received {responder.Hits} on {responder.Connections} connections: {asked}."
                + ListOf(responder.Problems),
                responder.Problems.Select(problem => problem.Exception).FirstOrDefault(exception => exception is not null));
        }
    }

    /// <summary>Asserts that this responder has refused nothing, and that nothing went wrong in it.</summary>
    /// <exception cref="ArgumentNullException"><paramref name="responder"/> is null.</exception>
    /// <exception cref="MutualAuthAssertionException">Not so; the message lists the problems, and the first exception is the inner one.</exception>
    public static void ShouldHaveNoProblems(this HttpResponder responder)
    {
        ArgumentNullException.ThrowIfNull(responder);
        var problems = responder.Problems;
        if (problems.Count > 0)
        {
            throw new MutualAuthAssertionException(
                $"Expected no problems at {responder.BaseUri}, but there are {problems.Count}.{ListOf(problems)}",
                problems.Select(problem => problem.Exception).FirstOrDefault(exception => exception is not null));
        }
    }

    private static string ListOf(IReadOnlyList<ResponderProblem> problems) =>
        string.Concat(problems.Select(problem => $"{Environment.NewLine}  {problem}"));

    /// <summary>Asserts that a fault of a wire has happened, so that what a test saw is what comes of it.</summary>
    /// <exception cref="ArgumentNullException"><paramref name="fault"/> is null.</exception>
    /// <exception cref="MutualAuthAssertionException">It has not happened.</exception>
    public static void ShouldHaveHappened(this WireFault fault)
    {
        ArgumentNullException.ThrowIfNull(fault);
        new[] { fault }.ShouldHaveHappened();
    }

    /// <summary>
    /// Asserts that every one of these faults has happened, such as <see cref="DuplexPair.Faults"/>, so that what a test saw is what comes of them.
    /// </summary>
    /// <exception cref="ArgumentNullException"><paramref name="faults"/> is null.</exception>
    /// <exception cref="MutualAuthAssertionException">One of them has not happened, or there are none; the message lists them.</exception>
    public static void ShouldHaveHappened(this IEnumerable<WireFault> faults)
    {
        ArgumentNullException.ThrowIfNull(faults);
        var all = faults.ToList();
        if (all.Count == 0)
        {
            throw new MutualAuthAssertionException("Expected the faults of the wire to have happened, but it was told to have none.");
        }

        if (!all.TrueForAll(fault => fault.Happened))
        {
            throw new MutualAuthAssertionException(
                $"Expected the wire to have had its faults, but:{Environment.NewLine}{string.Join(Environment.NewLine, all)}");
        }
    }

    private static async Task<HandshakeException> FailureOfAsync(Task handshake, string expected)
    {
        ArgumentNullException.ThrowIfNull(handshake);
        try
        {
            await handshake.ConfigureAwait(false);
        }
        catch (HandshakeException failure)
        {
            return failure;
        }

        throw new MutualAuthAssertionException($"Expected the handshake to {expected}, and it succeeded.");
    }
}
