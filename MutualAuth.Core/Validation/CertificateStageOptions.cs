using System.Collections.Immutable;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using MutualAuth.Authorization;
using MutualAuth.Collections;
using MutualAuth.Paths;
using MutualAuth.Pinning;
using MutualAuth.Reloading;
using MutualAuth.Revocation;
using MutualAuth.Trust;

namespace MutualAuth.Validation;

/// <summary>The trust, authorization and further checks that decide about a peer's certificates.</summary>
/// <remarks>Immutable. A contradiction is reported, with all others, by the constructor that takes it.</remarks>
public record CertificateStageOptions
{
    private const ConfigurationWarnings AllWarnings = ConfigurationWarnings.RevocationNotChecked | ConfigurationWarnings.RevocationRelaxed
        | ConfigurationWarnings.OwnIdentityDoubtful | ConfigurationWarnings.BoundsExceedDescriptors;

    private EquatableArray<ICertificateValidator> _validators = new([]);

    /// <summary>
    /// Where a peer's path must end: at an authority (<see cref="TrustAnchors"/>), or at the key that is kept for it (<see cref="KnownPeers"/>).
    /// </summary>
    public required ITrustSource Trust { get; init; }

    /// <summary>Which of the peers that a trusted authority vouches for are accepted. See <see cref="Authorize"/>.</summary>
    public required AuthorizationRule Authorization { get; init; }

    /// <summary>
    /// Keys of which one must stand on the verified path (a <see cref="PinSet"/>), or where they come from. Default: none are demanded.
    /// </summary>
    public IPinSource? Pins { get; init; }

    /// <summary>
    /// The revocation lists that every certificate of the path but the anchor's must be covered by, and what to do when one is not. Default:
    /// none, so that revocation is not checked by lists; a warning at start-up says so.
    /// </summary>
    public RevocationPolicy? Revocation { get; init; }

    /// <summary>Certificates and keys that are rejected even if their authority is trusted. Default: none.</summary>
    public IDenyListSource? DenyList { get; init; }

    /// <summary>Further objections of the application's own. They run last and can only say no. Default: none.</summary>
    public ImmutableArray<ICertificateValidator> Validators
    {
        get => _validators.Items;
        init => _validators = new(value);
    }

    /// <summary>The rules of path validation. Default: <see cref="ValidationProfile.MutualTls"/>.</summary>
    public ValidationProfile Profile { get; init; } = ValidationProfile.MutualTls;

    /// <summary>How much a peer may present. Default: 16 certificates of at most 32 KiB.</summary>
    public CertificateLimits CertificateLimits { get; init; } = new();

    /// <summary>
    /// The warnings about this configuration that are not to be logged, because it is meant so. Default: <see cref="ConfigurationWarnings.None"/>,
    /// all are logged. It changes nothing else.
    /// </summary>
    public ConfigurationWarnings AcknowledgedWarnings { get; init; }

    /// <summary>Where events are logged. Default: nowhere.</summary>
    public ILoggerFactory LoggerFactory { get; init; } = NullLoggerFactory.Instance;

    /// <summary>The sources that reject single certificates, if they report their replacement.</summary>
    internal IEnumerable<IReloadable> ReloadableStatements() => new object?[] { Revocation?.Lists, DenyList }.OfType<IReloadable>().Distinct();

    /// <summary>All other sources of a verdict, if they report their replacement.</summary>
    internal IEnumerable<IReloadable> ReloadableRules() =>
        new object?[] { Trust, Pins }.OfType<IReloadable>().Concat(Authorization.Reloadables()).Distinct();

    /// <summary>What these options demand of a peer beyond the certificate stage: one sentence each.</summary>
    internal virtual IEnumerable<string> DemandsBeyondTheStage() =>
        [
            .. Trust.NeedsAsyncSteps
                ? [$"{nameof(Trust)} is {nameof(KnownPeers)}, which decides about an unknown key only after the certificate stage."]
                : Array.Empty<string>(),
            .. Authorization.AsksForFacts
                ? [$"{nameof(Authorization)} asks for facts, which validators give only after the certificate stage."]
                : Array.Empty<string>(),
        ];

    internal virtual IEnumerable<string> Problems()
    {
        if (Trust is null)
        {
            yield return $"{nameof(Trust)} is missing: no peer could ever be accepted.";
        }

        if (Authorization is null)
        {
            yield return $"{nameof(Authorization)} is missing: say which peers are accepted, with {nameof(Authorize)}.";
        }

        foreach (var problem in Revocation?.Problems() ?? [])
        {
            yield return problem;
        }

        if (Validators.IsDefault || Validators.Any(validator => validator is null))
        {
            yield return $"{nameof(Validators)} must be set, and hold no null.";
        }

        if ((AcknowledgedWarnings & ~AllWarnings) != 0)
        {
            yield return $"{nameof(AcknowledgedWarnings)} must be defined flags; it is {AcknowledgedWarnings}.";
        }

        if (Profile is null || LoggerFactory is null || CertificateLimits is null)
        {
            yield return $"{nameof(Profile)}, {nameof(LoggerFactory)} and {nameof(CertificateLimits)} must not be null.";
            yield break;
        }

        if (Profile.Purpose == PurposeRule.DangerouslyServerAuthForClients && Authorization is { NamesEachPeer: false })
        {
            yield return $"{nameof(Profile)} has {nameof(PurposeRule)}.{nameof(PurposeRule.DangerouslyServerAuthForClients)}, but "
                + $"{nameof(Authorization)} does not spell out the names of all peers: every server of the trusted authorities would be accepted. "
                + $"Use {nameof(Authorize)}.{nameof(Authorize.Dns)} or another name.";
        }

        foreach (var problem in CertificateLimits.Problems())
        {
            yield return problem;
        }
    }
}
