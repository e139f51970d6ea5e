using System.Net;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using MutualAuth.Authorization;
using MutualAuth.Connections;
using MutualAuth.Identities;
using MutualAuth.Paths;
using MutualAuth.Reloading;
using MutualAuth.Revocation;
using MutualAuth.Trust;

namespace MutualAuth.AspNetCore.Configuration;

/// <summary>End points of a configuration, and the files that they follow, which the container disposes of after the server.</summary>
internal sealed class ConfiguredEndpoints(IServiceProvider services) : IDisposable
{
    private readonly string _root = services.GetRequiredService<IHostEnvironment>().ContentRootPath;
    private readonly WatchOptions _watch = new() { LoggerFactory = services.GetRequiredService<ILoggerFactory>() };
    private readonly List<IDisposable> _files = [];

    /// <summary>Adds every end point of the section.</summary>
    /// <exception cref="InvalidOperationException">Something is wrong; the message has every problem of all of them.</exception>
    internal void AddTo(
        KestrelServerOptions kestrel,
        IConfigurationSection endpoints,
        Func<string, MutualTlsServerOptions, MutualTlsServerOptions>? adjust,
        Action<string, ListenOptions>? configure)
    {
        var problems = new List<string>();
        var sections = endpoints.GetChildren().ToArray();
        if (sections.Length == 0)
        {
            problems.Add(
                $"{endpoints.Path}: there is no end point. Write one, such as {endpoints.Path}:Internal with Listen, Identity, Trust and Allow.");
        }

        foreach (var section in sections)
        {
            Add(kestrel, new EndpointSection(section, problems), adjust, configure);
        }

        if (problems.Count > 0)
        {
            throw new InvalidOperationException(
                $"The end points of mutual TLS cannot be used:{Environment.NewLine}{string.Join(Environment.NewLine, problems)}");
        }
    }

    public void Dispose()
    {
        foreach (var file in _files)
        {
            file.Dispose();
        }
    }

    private void Add(
        KestrelServerOptions kestrel,
        EndpointSection section,
        Func<string, MutualTlsServerOptions, MutualTlsServerOptions>? adjust,
        Action<string, ListenOptions>? configure)
    {
        section.RefuseUnknownKeys();
        EndPoint[] endPoints = [.. section.EndPoints()];
        var protocols = section.Choice("Protocols", HttpProtocols.Http1AndHttp2);
        var confirmation = section.Choice("Confirmation", ConfirmationPolicy.Preferred);
        var identity = ReadIdentity(section);
        var trust = ReadTrust(section);
        var rule = ReadRule(section);
        var revocation = ReadRevocation(section);
        var denied = section.Text("DenyListFile") is { } deny ? section.Try("DenyListFile", () => Own(new DenyListFile(Path(deny), _watch))) : null;
        var trusted = section.List("TrustedProxies");
        var proxies = trusted.IsEmpty
            ? null
            : section.Try("TrustedProxies", () => new ProxyProtocol { TrustedProxies = [.. trusted.Select(network => IPNetwork.Parse(network))] });
        if (identity is null || trust is null || rule is null)
        {
            return;
        }

        var options = new MutualTlsServerOptions
        {
            Identity = identity,
            Trust = trust,
            Authorization = rule,
            Revocation = revocation,
            DenyList = denied,
            Confirmation = confirmation,
        };
        foreach (var endPoint in endPoints)
        {
            try
            {
                MutualTlsWebHostBuilderExtensions.Add(
                    kestrel,
                    listen => new MutualTlsListenerOptions
                    {
                        Server = MutualTlsWebHostBuilderExtensions.MakeServer(services, listen, adjust?.Invoke(section.Name, options) ?? options),
                        EndPoint = endPoint,
                        ProxyProtocol = proxies,
                    },
                    listen =>
                    {
                        listen.Protocols = protocols;
                        configure?.Invoke(section.Name, listen);
                    });
            }
            catch (ArgumentException exception)
            {
                section.Problem("Listen", exception.Message);
            }
        }
    }

    private RevocationPolicy? ReadRevocation(EndpointSection section)
    {
        var (files, addresses) = (section.List("RevocationLists"), section.List("RevocationListAddresses"));
        var directory = Path(section.Text("RevocationListDirectory"));
        if (addresses.IsEmpty && directory is not null)
        {
            section.Problem("RevocationListDirectory", "nothing is fetched; write RevocationListAddresses too.");
        }

        if (!TryReadWitness(section, hasLists: !files.IsEmpty || !addresses.IsEmpty, out var witness))
        {
            return null;
        }

        var sources = new List<IRevocationListSource?>();
        if (!files.IsEmpty)
        {
            sources.Add(section.Try("RevocationLists", () => Own(witness is null
                ? new RevocationListFiles(Paths(files), _watch)
                : new RevocationListFiles(Paths(files), witness, _watch))));
        }

        if (!addresses.IsEmpty)
        {
            sources.Add(section.Try("RevocationListAddresses", () => Own(new FetchedRevocationLists(new RevocationFetchOptions
            {
                Addresses = [.. addresses.Select(address => new Uri(address))],
                Directory = directory,
                Witness = witness,
                LoggerFactory = _watch.LoggerFactory,
            }))));
        }

        return sources.Count == 0 || sources.Contains(null) ? null
            : sources is [{ } only] ? new RevocationPolicy { Lists = only }
            : new RevocationPolicy { Lists = Own(new CombinedRevocationLists(sources.OfType<IRevocationListSource>())) };
    }

    /// <summary>False when there is a problem with it.</summary>
    private bool TryReadWitness(EndpointSection section, bool hasLists, out RevocationListWitness? witness)
    {
        witness = null;
        var mayCreate = section.Flag("DangerouslyCreateRevocationListWitness");
        if (section.Text("RevocationListWitness") is not { } path)
        {
            if (mayCreate)
            {
                section.Problem("DangerouslyCreateRevocationListWitness", "there is nothing to create; write RevocationListWitness too.");
            }

            return !mayCreate;
        }

        if (!hasLists)
        {
            section.Problem("RevocationListWitness", "there are no lists; write RevocationLists or RevocationListAddresses too.");
            return false;
        }

        witness = section.Try("RevocationListWitness", () => mayCreate
            ? RevocationListWitness.DangerouslyOpenOrCreate(Path(path))
            : RevocationListWitness.Open(Path(path)));
        return witness is not null;
    }

    private IdentityFiles? ReadIdentity(EndpointSection section)
    {
        var (certificate, pkcs12) = (section.Text("Identity:Certificate"), section.Text("Identity:Pkcs12"));
        var (key, password) = (section.Text("Identity:Key"), Path(section.Text("Identity:PasswordFile")));
        if ((certificate is null) == (pkcs12 is null) || (pkcs12 is not null && key is not null))
        {
            section.Problem("Identity", "write either Certificate, with Key where it stands in a file of its own, or Pkcs12.");
            return null;
        }

        return section.Try("Identity", () => Own(pkcs12 is not null
            ? IdentityFiles.FromPkcs12(Path(pkcs12), password, options: _watch)
            : IdentityFiles.FromPem(Path(certificate!), Path(key), password, options: _watch)));
    }

    private TrustAnchorFiles? ReadTrust(EndpointSection section)
    {
        var paths = section.List("Trust");
        if (paths.IsEmpty)
        {
            section.Problem("Trust", "it is missing. Write the PEM files of the authorities that issue the clients' certificates.");
            return null;
        }

        return ReadConstraints(section) is { } constraints
            ? section.Try("Trust", () => Own(new TrustAnchorFiles(Paths(paths), constraints, _watch)))
            : null;
    }

    private static AnchorConstraints? ReadConstraints(EndpointSection section)
    {
        var permitted = section.Try("TrustConstraints:PermittedNames", () => Subtrees(section.List("TrustConstraints:PermittedNames")));
        var excluded = section.Try("TrustConstraints:ExcludedNames", () => Subtrees(section.List("TrustConstraints:ExcludedNames")));
        return permitted is null || excluded is null ? null : section.Try("TrustConstraints", () => new AnchorConstraints
        {
            PermittedSubtrees = [.. permitted],
            ExcludedSubtrees = [.. excluded],
            RequiredPolicies = section.List("TrustConstraints:RequiredPolicies"),
            RequireExplicitPolicy = section.Flag("TrustConstraints:RequireExplicitPolicy"),
            InhibitPolicyMapping = section.Flag("TrustConstraints:InhibitPolicyMapping"),
            InhibitAnyPolicy = section.Flag("TrustConstraints:InhibitAnyPolicy"),
            MaximumIntermediates = section.Number("TrustConstraints:MaximumIntermediates"),
        });
    }

    private static GeneralSubtree[] Subtrees(IEnumerable<string> names) => [.. names.Select(GeneralSubtree.Parse)];

    private AuthorizationRule? ReadRule(EndpointSection section)
    {
        var (lines, file) = (section.List("Allow"), section.Text("AllowFile"));
        if (lines.IsEmpty == file is null)
        {
            section.Problem("Allow", "write either Allow, a list of lines such as \"dns client.example\", or AllowFile, a file of them.");
            return null;
        }

        return file is null
            ? section.Try("Allow", () => Authorize.Parse(lines))
            : section.Try("AllowFile", () => Authorize.From(Own(new AuthorizationFile(Path(file), _watch))));
    }

    private T Own<T>(T file)
        where T : IDisposable
    {
        _files.Add(file);
        return file;
    }

    private IEnumerable<string> Paths(IEnumerable<string> paths) => paths.Select(path => Path(path));

    [return: System.Diagnostics.CodeAnalysis.NotNullIfNotNull(nameof(path))]
    private string? Path(string? path) => path is null ? null : System.IO.Path.Combine(_root, path);
}
