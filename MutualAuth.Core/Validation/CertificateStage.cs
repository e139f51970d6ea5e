using System.Collections.Immutable;
using System.Diagnostics.CodeAnalysis;
using Microsoft.Extensions.Logging;
using MutualAuth.Authorization;
using MutualAuth.Certificates;
using MutualAuth.Collections;
using MutualAuth.Evidence;
using MutualAuth.Paths;
using MutualAuth.Reloading;
using MutualAuth.Revocation;
using MutualAuth.Telemetry;
using MutualAuth.Trust;

namespace MutualAuth.Validation;

/// <summary>
/// Turns what a peer has shown into a verdict: bounds, path to a trust anchor, pins, authorization, the application's own validators.
/// </summary>
/// <remarks>
/// Pure: no I/O, and the time is given. All of the steps must be satisfied; none can make up for another. Safe for use from many threads.
/// The handshake runs it on every connection; call it yourself to judge recorded evidence.
/// </remarks>
public sealed class CertificateStage
{
    private readonly CertificateStageOptions _options;
    private readonly PathValidator _paths;
    private readonly ILogger _logger;

    /// <summary>Prepares a stage.</summary>
    /// <exception cref="ArgumentNullException"><paramref name="options"/> is null.</exception>
    /// <exception cref="ArgumentException">The options contradict themselves; the message lists every problem.</exception>
    public CertificateStage(CertificateStageOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        var problems = string.Join(' ', options.Problems());
        if (problems.Length > 0)
        {
            throw new ArgumentException(problems, nameof(options));
        }

        _options = options;
        _paths = new PathValidator(options.Profile);
        _logger = MutualAuthTelemetry.CreateLogger(options.LoggerFactory, LogArea.Validation);
        SayHowRevocationStands();
        SayWhatIsOddAboutFiles();
    }

    /// <summary>Where the events of this stage are logged.</summary>
    internal ILogger Logger => _logger;

    /// <summary>What its options demand of a peer that this stage does not decide.</summary>
    internal IEnumerable<string> DemandsBeyond() => _options.DemandsBeyondTheStage();

    /// <summary>Judges what a peer showed, as of the time <paramref name="at"/>. Never throws for anything that a peer can show.</summary>
    public CertificateVerdict Judge(PeerEvidence evidence, DateTimeOffset at) =>
        Judge(evidence, at, facts: []);

    /// <summary>
    /// As <see cref="Judge(PeerEvidence, DateTimeOffset)"/>, for a handshake in which validators are still to be asked: what the rule says of their
    /// facts is left to <see cref="ExamineFacts"/>.
    /// </summary>
    internal CertificateVerdict JudgeBeforeFacts(PeerEvidence evidence, DateTimeOffset at) =>
        Judge(evidence, at, facts: null);

    /// <summary>Asks the rule about a peer whose facts are known now. It changes nothing where the rule does not look at facts.</summary>
    /// <param name="peer">The peer; a name by which the rule accepts it now replaces the one that it has.</param>
    /// <param name="at">The time for which the judgement holds.</param>
    internal Rejection? ExamineFacts(ref AuthenticatedPeer peer, DateTimeOffset at)
    {
        if (peer.Path.IsEmpty || !_options.Authorization.AsksForFacts)
        {
            return null;
        }

        var context = CertificateContext.Of(peer, at);
        if (ExamineRule(context, out var admittedAs) is { } objection)
        {
            return objection;
        }

        peer = peer.WithName(PeerNames.Of(context, admittedAs));
        return null;
    }

    /// <summary>Judges again a peer that was admitted before: one that has been removed from the known peers since is no longer trusted.</summary>
    /// <param name="evidence">What it showed then.</param>
    /// <param name="path">The path by which it was accepted. Its signatures need not be verified once more; everything else is checked again.</param>
    /// <param name="at">The time at which everything but the certificates' own dates must hold: lists, pins, validators.</param>
    /// <param name="datesAt">The time at which the certificates must be valid, so that an expired certificate does not hide other changes.</param>
    /// <param name="standsOn">The path by which it is accepted now, perhaps another one; empty when it is not.</param>
    /// <param name="facts">What validators say of the peer; by default nothing.</param>
    /// <param name="shared">What was found out for other peers of the same sweep; null where there are none.</param>
    /// <returns>The objection; null when the peer is accepted.</returns>
    internal Rejection? Rejudge(PeerEvidence evidence, ImmutableArray<Certificate> path, DateTimeOffset at, DateTimeOffset datesAt,
        out ImmutableArray<Certificate> standsOn, ImmutableArray<PeerFact> facts = default, SharedPaths? shared = null)
    {
        var objection = Examine(evidence, at, datesAt, path, facts.IsDefault ? [] : facts, shared, out _, out var context, out _);
        standsOn = objection is null ? context!.Path : [];
        return objection;
    }

    private CertificateVerdict Judge(PeerEvidence evidence, DateTimeOffset at, ImmutableArray<PeerFact>? facts) =>
        Examine(evidence, at, at, admittedBy: default, facts, shared: null, out var leaf, out var context, out var admittedAs) is { } objection
            ? new CertificateVerdict.Rejected(objection, leaf is null ? null : PeerNames.Of(leaf).ToString())
            : new CertificateVerdict.Accepted(
                new AuthenticatedPeer(evidence, context!.Path, SpiffeSvid.IdOf(leaf!), PeerNames.Of(context, admittedAs))
                { Policies = context.Policies, Trust = _options.Trust });

    /// <summary>The objection to what the peer showed; null when it is accepted, as what the context says.</summary>
    private Rejection? Examine(
        PeerEvidence evidence,
        DateTimeOffset at,
        DateTimeOffset datesAt,
        ImmutableArray<Certificate> admittedBy,
        ImmutableArray<PeerFact>? facts,
        SharedPaths? shared,
        out Certificate? leaf,
        out CertificateContext? context,
        out PeerName? admittedAs)
    {
        ArgumentNullException.ThrowIfNull(evidence);
        (leaf, context, admittedAs) = (null, null, null);
        try
        {
            if (CheckBounds(evidence) is { } outOfBounds)
            {
                return outOfBounds;
            }

            if (!TryReadLeaf(evidence, admittedBy, out leaf, out var malformed))
            {
                return malformed!;
            }

            var (presented, unreadable) = ReadOthers(evidence, admittedBy, shared);
            var result = _options.Trust.FindPath(new PathSearch(_paths, leaf, presented, evidence.Role, datesAt)
            {
                Revocation = PrepareRevocation(leaf, at),
                WasAdmitted = !admittedBy.IsDefault,
                Verified = admittedBy,
                Shared = shared,
            });
            if (result.Rejection is { } noPath)
            {
                if (noPath.Reason == RejectionReason.PeerKeyChanged)
                {
                    ValidationLog.PeerKeyChanged(_logger, noPath, noPath.Reason.ToCode());
                }

                // A certificate that cannot be read can be no part of a path. When none is found, it is the likelier cause.
                var likelier = noPath.Reason == RejectionReason.UnknownAuthority ? unreadable : null;
                return likelier ?? Located(noPath, evidence);
            }

            context = new CertificateContext(evidence, result.Path, at, result.Policies) { Trust = _options.Trust, Facts = facts };
            return Examine(context, !admittedBy.IsDefault, out admittedAs);
        }
        catch (Exception exception)
        {
            // What cannot be judged is refused. A peer must not be able to bring this about; if one does, the operator needs the trace.
            ValidationLog.StageFaulted(_logger, exception);
            return new Rejection(RejectionReason.ValidatorFaulted, "a judgement", $"an exception, {exception.GetType().Name}") { IsOurFault = true };
        }
    }

    private void SayHowRevocationStands()
    {
        if (_options.Revocation is not { } policy || !policy.Lists.Current.IsChecked)
        {
            // Without authorities there is no revocation: remove a known peer from the store instead.
            if (_options.Trust is KnownPeers)
            {
                return;
            }

            if (!_options.AcknowledgedWarnings.HasFlag(ConfigurationWarnings.RevocationNotChecked))
            {
                ValidationLog.RevocationNotChecked(_logger);
            }
        }
        else if (policy.IsRelaxed && !_options.AcknowledgedWarnings.HasFlag(ConfigurationWarnings.RevocationRelaxed))
        {
            ValidationLog.RevocationRelaxed(
                _logger, policy.Coverage.ToString(), policy.Unknown.ToString(), policy.DangerousGracePeriod, policy.ShortLivedLifetime,
                policy.NoRevAvailLifetime);
        }
    }

    /// <summary>What was read once has no log of its own; sources that follow their files say it themselves.</summary>
    private void SayWhatIsOddAboutFiles()
    {
        (_options.Trust as TrustAnchors)?.SayWhatIsLeftOut(_logger);
        IHasFileRemarks.Log(_logger, _options.Trust, _options.Revocation?.Lists, _options.DenyList);
    }

    private RevocationCheck? PrepareRevocation(Certificate leaf, DateTimeOffset at) => _options.Revocation is null && _options.DenyList is null
        ? null
        : new RevocationCheck(leaf, _options.Revocation, _options.DenyList, _options.Profile, at);

    private Rejection? CheckBounds(PeerEvidence evidence)
    {
        if (evidence.Certificates.IsEmpty)
        {
            return new Rejection(RejectionReason.NoCertificate, $"a {RoleName(evidence)} certificate", "none")
            {
                Hint = evidence.Role == PeerRole.Client
                    ? "The client must be configured with a certificate and its key. TLS leaves out one whose key is of a kind that the server does "
                        + "not ask for, such as Ed25519, brainpool or secp256k1."
                    : null,
            };
        }

        var limits = _options.CertificateLimits;
        if (evidence.Certificates.Length > limits.MaxCertificates)
        {
            return new Rejection(
                RejectionReason.TooManyCertificates, $"at most {limits.MaxCertificates} certificates", $"{evidence.Certificates.Length}");
        }

        var largest = 0;
        foreach (var certificate in evidence.Certificates)
        {
            largest = Math.Max(largest, certificate.Length);
        }

        return largest > limits.MaxCertificateBytes
            ? new Rejection(
                RejectionReason.CertificateTooLarge, $"certificates of at most {limits.MaxCertificateBytes} bytes", $"one of {largest} bytes")
            : null;
    }

    private bool TryReadLeaf(
        PeerEvidence evidence, ImmutableArray<Certificate> admittedBy, [NotNullWhen(true)] out Certificate? leaf, out Rejection? malformed)
    {
        malformed = null;
        leaf = !admittedBy.IsDefaultOrEmpty && admittedBy[0] is var known && known.RawData.Span.SequenceEqual(evidence.Certificates[0].Span)
            ? known
            : _paths.Peers.Find(evidence.Certificates[0].Span);
        return leaf is not null || Certificate.TryParse(evidence.Certificates[0], PlaceOf(evidence, 0), out leaf, out malformed);
    }

    private (Certificate[] Presented, Rejection? Unreadable) ReadOthers(
        PeerEvidence evidence, ImmutableArray<Certificate> admittedBy, SharedPaths? shared)
    {
        var presented = new ShortList<Certificate>();
        Rejection? unreadable = null;
        for (var i = 1; i < evidence.Certificates.Length; i++)
        {
            var der = evidence.Certificates[i];
            if ((OnPath(admittedBy, der.Span) ?? _paths.Authorities.Find(der.Span)) is { } known)
            {
                presented.Add(known);
            }
            else if (Certificate.TryParse(der, PlaceOf(evidence, i), out var certificate, out var problem))
            {
                presented.Add(certificate);
            }
            else
            {
                unreadable ??= problem;
            }
        }

        return (shared is null ? presented.Items.ToArray() : shared.ListOf(presented.Items), unreadable);
    }

    private static Certificate? OnPath(ImmutableArray<Certificate> path, ReadOnlySpan<byte> der)
    {
        for (var i = 1; !path.IsDefault && i < path.Length; i++)
        {
            if (path[i].RawData.Span.SequenceEqual(der))
            {
                return path[i];
            }
        }

        return null;
    }

    private Rejection? Examine(CertificateContext context, bool isAgain, out PeerName? admittedAs)
    {
        admittedAs = null;
        // The search has asked about every certificate that another one issued; a peer that is itself an anchor has not been asked about.
        if (context.Path.Length == 1 && _options.DenyList?.Current.Examine(context.Certificate) is { } denied)
        {
            return denied;
        }

        if (_options.Pins?.Current is { } pins && pins.Examine(context) is { } unpinned)
        {
            if (!pins.IsReportOnly)
            {
                return unpinned;
            }

            if (!isAgain)
            {
                // Once for each connection, and not again whenever it is judged again.
                ValidationLog.PinsReportOnly(_logger, PeerNames.Of(context.Certificate).ToString(), unpinned, unpinned.Reason.ToCode());
            }
        }

        if (ExamineRule(context, out admittedAs) is { } unauthorized)
        {
            return unauthorized;
        }

        foreach (var validator in _options.Validators)
        {
            if (Examine(validator, context) is { } objection)
            {
                return objection;
            }
        }

        return null;
    }

    private Rejection? ExamineRule(CertificateContext context, out PeerName? admittedAs)
    {
        if (_options.Authorization.Examine(context, out admittedAs) is { } unauthorized)
        {
            return unauthorized;
        }

        if (CertificateRules.IsByException(context.Certificate, _options.Profile, context.Evidence.Role)
            && !(admittedAs is not null && _options.Authorization.NamesEachPeer))
        {
            // The rule was checked when the options were; here is one that a source has replaced since.
            admittedAs = null;
            return new Rejection(RejectionReason.WrongUsage, "a client that the authorization rule accepts by a name that it spells out",
                "one with a server's certificate under a rule that does not")
            {
                Element = "leaf certificate",
                Rule = $"{nameof(PurposeRule)}.{nameof(PurposeRule.DangerouslyServerAuthForClients)}",
                Hint = "Authorize it by its DNS name or another name of its own.",
            };
        }

        return null;
    }

    private Rejection? Examine(ICertificateValidator validator, CertificateContext context)
    {
        try
        {
            return validator.Examine(context);
        }
        catch (Exception exception)
        {
            ValidationLog.ValidatorFaulted(_logger, validator.GetType().Name, exception);
            return new Rejection(
                RejectionReason.ValidatorFaulted, $"a verdict of {validator.GetType().Name}", $"an exception, {exception.GetType().Name}");
        }
    }

    private static string PlaceOf(PeerEvidence evidence, int index) => $"certificate {index + 1} of {evidence.Certificates.Length}";

    /// <summary>A strict profile rejects an encoding that was read: the place in the list is known here only.</summary>
    private static Rejection Located(Rejection rejection, PeerEvidence evidence)
    {
        for (var i = 0; rejection.Digest is { } digest && i < evidence.Certificates.Length; i++)
        {
            if (Certificate.DigestOf(evidence.Certificates[i]) == digest)
            {
                return rejection with { Element = $"{PlaceOf(evidence, i)}, {rejection.Element}, SHA-256 {digest}" };
            }
        }

        return rejection;
    }

    private static string RoleName(PeerEvidence evidence) => evidence.Role == PeerRole.Client ? "client" : "server";
}
