using Grpc.AspNetCore.Server.Model;
using Grpc.Core;
using Microsoft.Extensions.DependencyInjection;

namespace MutualAuth.Spiffe.Testing;

/// <summary>The service by its standard name. Its messages are octets, so that malformed ones can be sent too.</summary>
internal sealed class WorkloadService
{
    private const string Name = "SpiffeWorkloadAPI";
    private const string FetchX509SVID = nameof(FetchX509SVID);
    private const string FetchX509Bundles = nameof(FetchX509Bundles);

    private static readonly Marshaller<byte[]> s_octets = Marshallers.Create<byte[]>(static octets => octets, static octets => octets);

    internal static void AddTo(IServiceCollection services, FakeWorkloadApi api) =>
        services.AddSingleton(new WorkloadService()).AddSingleton<IServiceMethodProvider<WorkloadService>>(new Methods(api));

    private sealed class Methods(FakeWorkloadApi api) : IServiceMethodProvider<WorkloadService>
    {
        public void OnServiceMethodDiscovery(ServiceMethodProviderContext<WorkloadService> context)
        {
            Add(context, FetchX509SVID, bundlesOnly: false);
            Add(context, FetchX509Bundles, bundlesOnly: true);
        }

        private void Add(ServiceMethodProviderContext<WorkloadService> context, string name, bool bundlesOnly) => context.AddServerStreamingMethod(
            new Method<byte[], byte[]>(MethodType.ServerStreaming, Name, name, s_octets, s_octets),
            [],
            (_, _, writer, call) => api.ServeAsync(bundlesOnly, writer, call));
    }
}
