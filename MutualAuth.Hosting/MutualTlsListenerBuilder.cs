using System.Diagnostics.CodeAnalysis;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using MutualAuth.Credentials;
using MutualAuth.Hosting.Running;

namespace MutualAuth.Hosting;

/// <summary>Adds to a named listener what a configuration cannot say: who serves its connections, and options of your own.</summary>
/// <remarks>For use while the services are put together; not safe for use from many threads.</remarks>
public sealed class MutualTlsListenerBuilder
{
    private readonly ListenerRegistration _registration;

    internal MutualTlsListenerBuilder(IServiceCollection services, ListenerRegistration registration) =>
        (Services, _registration) = (services, registration);

    /// <summary>The services to which the listener belongs.</summary>
    public IServiceCollection Services { get; }

    /// <summary>The name of the listener.</summary>
    public string Name => _registration.Name;

    /// <summary>
    /// Has every connection served by a <typeparamref name="THandler"/> from a scope of the connection's own. The type is added as a scoped service
    /// where it is not a service yet.
    /// </summary>
    /// <exception cref="InvalidOperationException">The listener has a handler already.</exception>
    /// <example>
    /// <code>services.AddMutualTlsListener("inventory", configuration.GetSection("MutualTls:inventory")).HandledBy&lt;Inventory&gt;();</code>
    /// </example>
    public MutualTlsListenerBuilder HandledBy<[DynamicallyAccessedMembers(DynamicallyAccessedMemberTypes.PublicConstructors)] THandler>()
        where THandler : class, IMutualTlsHandler
    {
        Services.TryAddScoped<THandler>();
        return HandledBy((services, connection, draining) => services.GetRequiredService<THandler>().HandleAsync(connection, draining));
    }

    /// <summary>Has every connection served by a function.</summary>
    /// <param name="handle">As <see cref="IMutualTlsHandler.HandleAsync"/>.</param>
    /// <exception cref="ArgumentNullException"><paramref name="handle"/> is null.</exception>
    /// <exception cref="InvalidOperationException">The listener has a handler already.</exception>
    public MutualTlsListenerBuilder HandledBy(Func<MutualTlsConnection, CancellationToken, Task> handle)
    {
        ArgumentNullException.ThrowIfNull(handle);
        return HandledBy((_, connection, draining) => handle(connection, draining));
    }

    /// <summary>Has every connection served by a function that is given the services of the connection's scope.</summary>
    /// <param name="handle">As <see cref="IMutualTlsHandler.HandleAsync"/>.</param>
    /// <exception cref="ArgumentNullException"><paramref name="handle"/> is null.</exception>
    /// <exception cref="InvalidOperationException">The listener has a handler already.</exception>
    public MutualTlsListenerBuilder HandledBy(Func<IServiceProvider, MutualTlsConnection, CancellationToken, Task> handle)
    {
        ArgumentNullException.ThrowIfNull(handle);
        _registration.Handle = _registration.Handle is null
            ? handle
            : throw new InvalidOperationException($"The listener '{Name}' has a handler already: call {nameof(HandledBy)} once.");
        return this;
    }

    /// <summary>Changes the options of the server after the settings have been applied, for what they cannot say.</summary>
    /// <param name="change">Is given the services and the options, and returns a changed copy. It runs once, when the host starts.</param>
    /// <exception cref="ArgumentNullException"><paramref name="change"/> is null.</exception>
    /// <example><code>builder.ConfigureServer((services, options) =&gt; options with { Validators = [new OfficeHours()] });</code></example>
    public MutualTlsListenerBuilder ConfigureServer(Func<IServiceProvider, MutualTlsServerOptions, MutualTlsServerOptions> change)
    {
        ArgumentNullException.ThrowIfNull(change);
        _registration.ServerChanges.Add(change);
        return this;
    }

    /// <summary>
    /// Changes how users log in after the settings have been applied: second factors, for instance, over the users of the settings.
    /// </summary>
    /// <param name="change">
    /// Is given the services, what the listener has opened for its users, and the policy, and returns a changed copy. It runs once, when the host
    /// starts, before those of <see cref="ConfigureServer"/>, and only where <see cref="MutualTlsListenerSettings.UsersFile"/> is set.
    /// </param>
    /// <exception cref="ArgumentNullException"><paramref name="change"/> is null.</exception>
    /// <example>
    /// <code>
    /// builder.ConfigureCredentials((services, users, policy) =&gt; policy with
    /// {
    ///     SecondFactors = [SecondFactors.OneTimeCodes(users.Store, new OneTimeCodeOptions { Keys = users.FactorKeys })],
    ///     LoginFactors = FactorRequirement.TwoKinds,
    /// });
    /// </code>
    /// </example>
    public MutualTlsListenerBuilder ConfigureCredentials(Func<IServiceProvider, ListenerUsers, CredentialPolicy, CredentialPolicy> change)
    {
        ArgumentNullException.ThrowIfNull(change);
        _registration.CredentialChanges.Add(change);
        return this;
    }

    /// <summary>Changes the options of each of its end points after the settings have been applied, for what they cannot say.</summary>
    /// <param name="change">Is given the services and the options, and returns a changed copy. It runs when the host starts.</param>
    /// <exception cref="ArgumentNullException"><paramref name="change"/> is null.</exception>
    public MutualTlsListenerBuilder ConfigureListener(Func<IServiceProvider, MutualTlsListenerOptions, MutualTlsListenerOptions> change)
    {
        ArgumentNullException.ThrowIfNull(change);
        _registration.ListenerChanges.Add(change);
        return this;
    }
}
