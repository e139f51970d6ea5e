using Microsoft.Extensions.DependencyInjection;

namespace MutualAuth.Http;

/// <summary>Mutual TLS for the clients of an <see cref="IHttpClientFactory"/>.</summary>
public static class MutualTlsHttpClientBuilderExtensions
{
    /// <summary>
    /// Sends the requests of this client over connections of a <see cref="MutualTlsClient"/> of the container: the keyed one that has the name of
    /// the HTTP client, else the one without a key.
    /// </summary>
    /// <remarks>
    /// The handler belongs to the factory, which replaces it by its handler lifetime: the replaced one's connections end with their requests. The
    /// <see cref="MutualTlsClient"/> belongs to the container.
    /// </remarks>
    /// <param name="builder">The HTTP client.</param>
    /// <param name="options">Pools, lifetimes and redirects; null for the defaults.</param>
    /// <exception cref="ArgumentNullException"><paramref name="builder"/> is null.</exception>
    /// <example>
    /// <code>
    /// services.AddKeyedSingleton("inventory", new MutualTlsClient(clientOptions));
    /// services.AddHttpClient("inventory").AddMutualTls();
    /// </code>
    /// </example>
    public static IHttpClientBuilder AddMutualTls(this IHttpClientBuilder builder, MutualTlsHttpOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(builder);
        var name = builder.Name;
        return builder.AddMutualTls(
            services => services.GetKeyedService<MutualTlsClient>(name) ?? services.GetRequiredService<MutualTlsClient>(), options);
    }

    /// <summary>Sends the requests of this client over connections of a <see cref="MutualTlsClient"/>.</summary>
    /// <remarks>
    /// The handler belongs to the factory, which replaces it by its handler lifetime: the replaced one's connections end with their requests. The
    /// <see cref="MutualTlsClient"/> does not belong to it: give the same one each time, so that sessions, caches and revalidation are shared.
    /// </remarks>
    /// <param name="builder">The HTTP client.</param>
    /// <param name="client">Gives the client that authenticates; it is called for each handler that the factory makes.</param>
    /// <param name="options">Pools, lifetimes and redirects; null for the defaults.</param>
    /// <exception cref="ArgumentNullException"><paramref name="builder"/> or <paramref name="client"/> is null.</exception>
    /// <example><code>services.AddHttpClient("inventory").AddMutualTls(_ =&gt; mutualTls);</code></example>
    public static IHttpClientBuilder AddMutualTls(
        this IHttpClientBuilder builder, Func<IServiceProvider, MutualTlsClient> client, MutualTlsHttpOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(builder);
        ArgumentNullException.ThrowIfNull(client);
        return builder.ConfigurePrimaryHttpMessageHandler(services => new MutualTlsHttpHandler(client(services), options));
    }
}
