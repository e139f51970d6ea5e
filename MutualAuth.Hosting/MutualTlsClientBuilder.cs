using Microsoft.Extensions.DependencyInjection;
using MutualAuth.Hosting.Running;

namespace MutualAuth.Hosting;

/// <summary>Adds to a named client what a configuration cannot say.</summary>
/// <remarks>For use while the services are put together; not safe for use from many threads.</remarks>
public sealed class MutualTlsClientBuilder
{
    private readonly ClientRegistration _registration;

    internal MutualTlsClientBuilder(IServiceCollection services, ClientRegistration registration) =>
        (Services, _registration) = (services, registration);

    /// <summary>The services to which the client belongs.</summary>
    public IServiceCollection Services { get; }

    /// <summary>The name of the client, which is the key of its <see cref="MutualTlsClient"/>.</summary>
    public string Name => _registration.Name;

    /// <summary>Changes the options of the client after the settings have been applied, for what they cannot say.</summary>
    /// <param name="change">Is given the services and the options, and returns a changed copy. It runs once, before the first use.</param>
    /// <exception cref="ArgumentNullException"><paramref name="change"/> is null.</exception>
    public MutualTlsClientBuilder ConfigureClient(Func<IServiceProvider, MutualTlsClientOptions, MutualTlsClientOptions> change)
    {
        ArgumentNullException.ThrowIfNull(change);
        _registration.Changes.Add(change);
        return this;
    }
}
