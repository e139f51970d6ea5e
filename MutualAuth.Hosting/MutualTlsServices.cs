using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using MutualAuth.Hosting.Binding;
using MutualAuth.Hosting.Materials;
using MutualAuth.Hosting.Running;

namespace MutualAuth.Hosting;

/// <summary>Adds listeners, clients and their health check to the services of a host.</summary>
/// <remarks>
/// When the host starts, the settings of all of them are checked and their files are read, before any listener begins; with a problem the start
/// fails with a <see cref="HostingConfigurationException"/> that has every one. When the host stops, listeners drain until they are done or the
/// host's shutdown timeout is over.
/// </remarks>
public static class MutualTlsServices
{
    /// <summary>Adds a listener whose settings are read from a configuration.</summary>
    /// <param name="services">The services.</param>
    /// <param name="name">Its name: in logs, in measurements, and the key of its <see cref="HostedListener"/>.</param>
    /// <param name="section">
    /// The keys of <see cref="MutualTlsListenerSettings"/>. Every other key is a problem. Its changes are taken up while the process runs as far as
    /// the settings say.
    /// </param>
    /// <param name="configure">Changes the settings after that; null for none.</param>
    /// <exception cref="ArgumentNullException">An argument that must be given is null.</exception>
    /// <exception cref="ArgumentException"><paramref name="name"/> is empty.</exception>
    /// <exception cref="InvalidOperationException">There is a listener of that name.</exception>
    /// <example>
    /// <code>
    /// builder.Services.AddMutualTlsListener("inventory", builder.Configuration.GetSection("MutualTls:inventory")).HandledBy&lt;Inventory&gt;();
    /// </code>
    /// </example>
    public static MutualTlsListenerBuilder AddMutualTlsListener(
        this IServiceCollection services, string name, IConfiguration section, Action<MutualTlsListenerSettings>? configure = null)
    {
        ArgumentNullException.ThrowIfNull(section);
        return AddListener(services, name, section, configure);
    }

    /// <summary>Adds a listener whose settings are made in code.</summary>
    /// <param name="services">The services.</param>
    /// <param name="name">Its name: in logs, in measurements, and the key of its <see cref="HostedListener"/>.</param>
    /// <param name="configure">Makes the settings.</param>
    /// <exception cref="ArgumentNullException">An argument that must be given is null.</exception>
    /// <exception cref="ArgumentException"><paramref name="name"/> is empty.</exception>
    /// <exception cref="InvalidOperationException">There is a listener of that name.</exception>
    public static MutualTlsListenerBuilder AddMutualTlsListener(
        this IServiceCollection services, string name, Action<MutualTlsListenerSettings> configure)
    {
        ArgumentNullException.ThrowIfNull(configure);
        return AddListener(services, name, null, configure);
    }

    /// <summary>Adds a client whose settings are read from a configuration. It is a keyed service, a <see cref="MutualTlsClient"/>.</summary>
    /// <param name="services">The services.</param>
    /// <param name="name">Its name, which is the key.</param>
    /// <param name="section">
    /// The keys of <see cref="MutualTlsClientSettings"/>. Every other key is a problem. Its changes are taken up while the process runs as far as the
    /// settings say.
    /// </param>
    /// <param name="configure">Changes the settings after that; null for none.</param>
    /// <exception cref="ArgumentNullException">An argument that must be given is null.</exception>
    /// <exception cref="ArgumentException"><paramref name="name"/> is empty.</exception>
    /// <exception cref="InvalidOperationException">There is a client of that name.</exception>
    /// <example>
    /// <code>
    /// builder.Services.AddMutualTlsClient("billing", builder.Configuration.GetSection("MutualTls:billing"));
    /// // then, in a constructor: [FromKeyedServices("billing")] MutualTlsClient billing
    /// </code>
    /// </example>
    public static MutualTlsClientBuilder AddMutualTlsClient(
        this IServiceCollection services, string name, IConfiguration section, Action<MutualTlsClientSettings>? configure = null)
    {
        ArgumentNullException.ThrowIfNull(section);
        return AddClient(services, name, section, configure);
    }

    /// <summary>Adds a client whose settings are made in code. It is a keyed service, a <see cref="MutualTlsClient"/>.</summary>
    /// <param name="services">The services.</param>
    /// <param name="name">Its name, which is the key.</param>
    /// <param name="configure">Makes the settings.</param>
    /// <exception cref="ArgumentNullException">An argument that must be given is null.</exception>
    /// <exception cref="ArgumentException"><paramref name="name"/> is empty.</exception>
    /// <exception cref="InvalidOperationException">There is a client of that name.</exception>
    public static MutualTlsClientBuilder AddMutualTlsClient(this IServiceCollection services, string name, Action<MutualTlsClientSettings> configure)
    {
        ArgumentNullException.ThrowIfNull(configure);
        return AddClient(services, name, null, configure);
    }

    /// <summary>
    /// Adds one health check of all listeners and clients. Unhealthy: a listener does not run, our certificate or a revocation list has expired, new
    /// material or a new configuration was refused, or no user can log in. Degraded: our certificate expires soon, or the users' file cannot be read
    /// or can be read by others.
    /// </summary>
    /// <param name="builder">The health checks.</param>
    /// <param name="name">The name of the check.</param>
    /// <param name="degradedWithin">
    /// How long before our certificate expires the check is degraded; never more than a third of its lifetime. Null: 14 days.
    /// </param>
    /// <param name="tags">Tags of the check; null for none.</param>
    /// <exception cref="ArgumentNullException"><paramref name="builder"/> is null.</exception>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="degradedWithin"/> is negative.</exception>
    public static IHealthChecksBuilder AddMutualTls(
        this IHealthChecksBuilder builder, string name = "mutual-tls", TimeSpan? degradedWithin = null, IEnumerable<string>? tags = null)
    {
        ArgumentNullException.ThrowIfNull(builder);
        ArgumentOutOfRangeException.ThrowIfLessThan(degradedWithin ?? TimeSpan.Zero, TimeSpan.Zero);
        AddShared(builder.Services);
        return builder.Add(new HealthCheckRegistration(
            name,
            services => new MutualTlsHealthCheck(services.GetRequiredService<Sides>(), degradedWithin ?? TimeSpan.FromDays(14)),
            failureStatus: null,
            tags));
    }

    private static MutualTlsListenerBuilder AddListener(
        IServiceCollection services, string name, IConfiguration? section, Action<MutualTlsListenerSettings>? configure)
    {
        var registration = new ListenerRegistration(name);
        Register(services, registration);
        AddSettings(services, name, section, configure);
        services.AddKeyedSingleton(name, (provider, _) => new ListenerSide(registration, provider));
        services.AddKeyedSingleton(name, (provider, _) => new HostedListener(provider.GetRequiredKeyedService<ListenerSide>(name)));
        return new MutualTlsListenerBuilder(services, registration);
    }

    private static MutualTlsClientBuilder AddClient(
        IServiceCollection services, string name, IConfiguration? section, Action<MutualTlsClientSettings>? configure)
    {
        var registration = new ClientRegistration(name);
        Register(services, registration);
        AddSettings(services, name, section, configure);
        services.AddKeyedSingleton(name, (provider, _) => new ClientSide(registration, provider));
        services.AddKeyedSingleton(name, (provider, _) => provider.GetRequiredKeyedService<ClientSide>(name).Client);
        return new MutualTlsClientBuilder(services, registration);
    }

    private static void Register<TRegistration>(IServiceCollection services, TRegistration registration)
        where TRegistration : Registration
    {
        ArgumentNullException.ThrowIfNull(services);
        ArgumentException.ThrowIfNullOrEmpty(registration.Name);
        if (services.Any(service => !service.IsKeyedService && service.ImplementationInstance is TRegistration other
            && other.Name == registration.Name))
        {
            throw new InvalidOperationException($"There is a {registration.Kind} '{registration.Name}' already: give each a name of its own.");
        }

        AddShared(services);
        services.AddSingleton(registration);
    }

    private static void AddShared(IServiceCollection services)
    {
        services.AddOptions();
        services.TryAddSingleton(
            provider => new MaterialStore(provider.GetService<ILoggerFactory>(), provider.GetService<TimeProvider>()));
        services.TryAddSingleton<SystemdSockets>();
        services.TryAddSingleton<HostingMeter>();
        services.TryAddSingleton<Sides>();
        services.TryAddEnumerable(ServiceDescriptor.Singleton<IHostedService, MutualTlsHostedService>());
    }

    private static void AddSettings<TSettings>(
        IServiceCollection services, string name, IConfiguration? section, Action<TSettings>? configure)
        where TSettings : MutualTlsSettings
    {
        services.AddSingleton<IConfigureOptions<TSettings>>(new ConfigureNamedOptions<TSettings>(name, settings =>
        {
            settings.Path = section is null ? name : SectionReader.PathOf(section, name);
            if (section is not null)
            {
                SectionReader.Read(section, settings);
            }

            configure?.Invoke(settings);
        }));
        if (section is not null)
        {
            services.AddSingleton<IOptionsChangeTokenSource<TSettings>>(new SectionChanges<TSettings>(name, section));
        }
    }
}
