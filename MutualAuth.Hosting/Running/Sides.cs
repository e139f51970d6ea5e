using Microsoft.Extensions.DependencyInjection;

namespace MutualAuth.Hosting.Running;

/// <summary>All listeners and clients of the container.</summary>
internal sealed class Sides(IEnumerable<ListenerRegistration> listeners, IEnumerable<ClientRegistration> clients, IServiceProvider services)
{
    internal IReadOnlyList<ListenerSide> Listeners =>
        [.. listeners.Select(registration => services.GetRequiredKeyedService<ListenerSide>(registration.Name))];

    internal IReadOnlyList<ClientSide> Clients =>
        [.. clients.Select(registration => services.GetRequiredKeyedService<ClientSide>(registration.Name))];
}
