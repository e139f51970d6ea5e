using System.Net;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using MutualAuth.AspNetCore.Configuration;
using MutualAuth.AspNetCore.Transport;

namespace MutualAuth.AspNetCore;

/// <summary>Has Kestrel listen with mutual TLS of this library.</summary>
/// <remarks>
/// Connections come from a <see cref="MutualTlsListener"/>, so that all of its bounds and deadlines hold, and every connection has an authenticated
/// peer: <see cref="IMutualTlsFeature"/>. Other end points of the same Kestrel are as they were. Where code names an end point, Kestrel ignores
/// <c>urls</c> and <c>ASPNETCORE_URLS</c>. HTTP/3 is not carried.
/// </remarks>
public static class MutualTlsWebHostBuilderExtensions
{
    /// <summary>Has Kestrel listen with mutual TLS.</summary>
    /// <param name="builder">The web host, whose server is Kestrel.</param>
    /// <param name="endPoint">Where to listen: an IP end point (port 0: any free port) or a Unix domain socket.</param>
    /// <param name="server">
    /// Whom to accept, and as whom to answer. Empty <see cref="Handshake.HandshakeOptions.ApplicationProtocols"/> become those of
    /// <see cref="ListenOptions.Protocols"/>: <c>h2</c> and <c>http/1.1</c>. Without a logger factory it logs to the host's.
    /// </param>
    /// <param name="configure">Kestrel's options of the end point; connection middleware that it adds sees the plain text. Null: none.</param>
    /// <exception cref="ArgumentNullException">An argument other than <paramref name="configure"/> is null.</exception>
    /// <remarks>The start of the host throws an <see cref="ArgumentException"/> with every problem of the options.</remarks>
    /// <example>
    /// <code>
    /// builder.WebHost.ListenMutualTls(new IPEndPoint(IPAddress.Any, 8443), serverOptions);
    /// </code>
    /// </example>
    public static IWebHostBuilder ListenMutualTls(
        this IWebHostBuilder builder, EndPoint endPoint, MutualTlsServerOptions server, Action<ListenOptions>? configure = null)
    {
        ArgumentNullException.ThrowIfNull(endPoint);
        ArgumentNullException.ThrowIfNull(server);
        return builder.Listen(
            (services, listen) => new MutualTlsListenerOptions { Server = MakeServer(services, listen, server), EndPoint = endPoint }, configure);
    }

    /// <summary>Has Kestrel listen with a listener of your own: with bounds, a PROXY header, or a socket that is bound already.</summary>
    /// <param name="builder">The web host, whose server is Kestrel.</param>
    /// <param name="listener">
    /// Makes the listener's options, with the services of the application, when the host starts. The server's
    /// <see cref="Handshake.HandshakeOptions.ApplicationProtocols"/> must name what Kestrel speaks: <c>h2</c>, <c>http/1.1</c>.
    /// </param>
    /// <param name="configure">Kestrel's options of the end point; connection middleware that it adds sees the plain text. Null: none.</param>
    /// <exception cref="ArgumentNullException">An argument other than <paramref name="configure"/> is null.</exception>
    /// <remarks>The start of the host throws an <see cref="ArgumentException"/> with every problem of the options.</remarks>
    /// <example>
    /// <code>
    /// builder.WebHost.ListenMutualTls(_ =&gt; new MutualTlsListenerOptions
    /// {
    ///     Server = new MutualTlsServer(serverOptions with { ApplicationProtocols = ["h2", "http/1.1"] }),
    ///     EndPoint = new IPEndPoint(IPAddress.Any, 8443),
    ///     ProxyProtocol = new ProxyProtocol { TrustedProxies = [IPNetwork.Parse("10.1.2.0/24")] },
    /// });
    /// </code>
    /// </example>
    public static IWebHostBuilder ListenMutualTls(
        this IWebHostBuilder builder, Func<IServiceProvider, MutualTlsListenerOptions> listener, Action<ListenOptions>? configure = null)
    {
        ArgumentNullException.ThrowIfNull(listener);
        return builder.Listen((services, _) => listener(services), configure);
    }

    /// <summary>Has Kestrel listen with mutual TLS at the end points of the configuration.</summary>
    /// <param name="builder">The web host, whose server is Kestrel.</param>
    /// <param name="section">The section whose children are the end points, each with a name.</param>
    /// <param name="adjust">
    /// Changes the options of an end point, by its name, where the configuration does not say enough: logins, timeouts. Null: nothing.
    /// </param>
    /// <param name="configure">Kestrel's options of an end point, by its name. Null: none.</param>
    /// <exception cref="ArgumentNullException">An argument other than the last two is null.</exception>
    /// <remarks>
    /// <para>
    /// Keys: <c>Listen</c> (one or more of <c>ADDRESS:PORT</c>, <c>unix:PATH</c>), <c>Identity</c> (<c>Certificate</c> and <c>Key</c>, or
    /// <c>Pkcs12</c>; <c>PasswordFile</c>), <c>Trust</c>, <c>TrustConstraints</c>, <c>Allow</c> or <c>AllowFile</c>,
    /// <c>RevocationLists</c>, <c>RevocationListAddresses</c>, <c>RevocationListDirectory</c>, <c>RevocationListWitness</c>,
    /// <c>DangerouslyCreateRevocationListWitness</c>, <c>DenyListFile</c>,
    /// <c>Confirmation</c>, <c>Protocols</c>, <c>TrustedProxies</c>. The files are relative to the content root, and are followed; the
    /// application's container disposes of them. The configuration itself is read once.
    /// </para>
    /// <para>
    /// The start of the host throws an <see cref="InvalidOperationException"/> with every problem of all end points and the path of its key; a key
    /// that is not known is one.
    /// </para>
    /// </remarks>
    /// <example>
    /// <code>
    /// builder.WebHost.ListenMutualTls("MutualTls:Endpoints");
    /// </code>
    /// </example>
    public static IWebHostBuilder ListenMutualTls(
        this IWebHostBuilder builder,
        string section,
        Func<string, MutualTlsServerOptions, MutualTlsServerOptions>? adjust = null,
        Action<string, ListenOptions>? configure = null)
    {
        ArgumentNullException.ThrowIfNull(builder);
        ArgumentNullException.ThrowIfNull(section);
        builder.ConfigureServices(services => services.TryAddSingleton<ConfiguredEndpoints>());
        return builder.ListenAll((services, kestrel) => services.GetRequiredService<ConfiguredEndpoints>().AddTo(
            kestrel, services.GetRequiredService<IConfiguration>().GetSection(section), adjust, configure));
    }

    internal static IWebHostBuilder Listen(
        this IWebHostBuilder builder, Func<IServiceProvider, ListenOptions, MutualTlsListenerOptions> listener, Action<ListenOptions>? configure)
    {
        ArgumentNullException.ThrowIfNull(builder);
        return builder.ListenAll((services, kestrel) => Add(kestrel, listen => listener(services, listen), configure));
    }

    /// <summary>After all other configuration of Kestrel, so that its services are at hand and its defaults for end points apply.</summary>
    internal static IWebHostBuilder ListenAll(this IWebHostBuilder builder, Action<IServiceProvider, KestrelServerOptions> add) =>
        builder.ConfigureServices(services =>
        {
            services.TryAddEnumerable(ServiceDescriptor.Singleton<IConnectionListenerFactory, MutualTlsTransportFactory>());
            services.AddSingleton<IPostConfigureOptions<KestrelServerOptions>>(
                provider => new PostConfigureOptions<KestrelServerOptions>(Options.DefaultName, kestrel => add(provider, kestrel)));
        });

    internal static void Add(
        KestrelServerOptions kestrel, Func<ListenOptions, MutualTlsListenerOptions> listener, Action<ListenOptions>? configure)
    {
        var endPoint = new MutualTlsEndPoint();
        kestrel.Listen(endPoint, listen =>
        {
            MutualTlsPipeline.AddTo(listen);
            configure?.Invoke(listen);
            if (listen.Protocols.HasFlag(HttpProtocols.Http3))
            {
                throw new ArgumentException("Mutual TLS of this library does not carry HTTP/3. Set Protocols to Http1AndHttp2, Http1 or Http2.");
            }

            endPoint.Listener = listener(listen);
        });
    }

    internal static MutualTlsServer MakeServer(IServiceProvider services, ListenOptions listen, MutualTlsServerOptions server) =>
        new(server with
        {
            ApplicationProtocols = server.ApplicationProtocols.IsEmpty ? [.. ProtocolsOf(listen.Protocols)] : server.ApplicationProtocols,
            LoggerFactory = server.LoggerFactory is NullLoggerFactory ? services.GetRequiredService<ILoggerFactory>() : server.LoggerFactory,
        });

    private static IEnumerable<string> ProtocolsOf(HttpProtocols protocols)
    {
        if (protocols.HasFlag(HttpProtocols.Http2))
        {
            yield return "h2";
        }

        if (protocols.HasFlag(HttpProtocols.Http1))
        {
            yield return "http/1.1";
        }
    }
}
