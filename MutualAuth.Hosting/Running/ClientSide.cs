using MutualAuth.Credentials;
using MutualAuth.Hosting.Materials;
using MutualAuth.Revocation;

namespace MutualAuth.Hosting.Running;

/// <summary>A named client.</summary>
internal sealed class ClientSide(ClientRegistration registration, IServiceProvider services)
    : HostedSide<MutualTlsClientSettings>(registration, services)
{
    private volatile MutualTlsClient? _client;

    /// <summary>The client; it is set up here when that has not been done.</summary>
    /// <exception cref="HostingConfigurationException">It cannot be set up.</exception>
    internal MutualTlsClient Client
    {
        get
        {
            if (_client is null)
            {
                var problems = new List<string>();
                Prepare(problems);
                if (problems.Count > 0)
                {
                    throw new HostingConfigurationException(problems);
                }
            }

            return _client!;
        }
    }

    private protected override PeerRole Role => PeerRole.Client;

    private protected override void Build(MutualTlsClientSettings settings, SideMaterial material, List<string> problems) =>
        Try(settings, problems, () =>
        {
            var options = new MutualTlsClientOptions
            {
                Identity = material.Identity is { } identity ? identity.Source : ClientIdentity.None,
                Trust = material.Trust!,
                Authorization = Authorize.From(material.Rules!),
                Pins = material.Pins,
                Revocation = material.Lists is { } lists ? new RevocationPolicy { Lists = lists, Coverage = settings.RevocationCoverage } : null,
                DenyList = material.DenyList,
                Confirmation = settings.Confirmation,
                KeyExchange = settings.KeyExchange,
                RequirePlatform = settings.RequirePlatform,
                MinimumTlsVersion = settings.MinimumTlsVersion,
                ApplicationProtocols = [.. settings.ApplicationProtocols],
                HandshakeTimeout = settings.HandshakeTimeout,
                CloseTimeout = settings.CloseTimeout,
                ConnectTimeout = settings.ConnectTimeout,
                JudgeServerBeforeShowingIdentity = settings.JudgeServerBeforeShowingIdentity,
                Credentials = settings.User is { } user ? Login.WithPassword(user, material.Password!) : null,
                AcknowledgedWarnings = settings.AcknowledgedWarnings,
                Revalidation = settings.ToRevalidationPolicy(),
                LoggerFactory = LoggerFactory,
                TimeProvider = Time,
                Audit = settings.Audit.ToPolicy(material.Audit?.Source.Trail),
            };
            _client = new MutualTlsClient(registration.Changes.Aggregate(options, (changed, change) => change(Services, changed)));
        });
}
