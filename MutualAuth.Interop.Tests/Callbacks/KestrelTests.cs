using System.Net;
using System.Net.Security;
using System.Security.Cryptography.X509Certificates;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Https;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using MutualAuth.Callbacks;
using MutualAuth.Testing;
using MutualAuth.Tests.Support;
using MutualAuth.Validation;

namespace MutualAuth.Tests.Callbacks;

/// <summary>Kestrel as the server and HttpClient as the client, each with the certificate stage in its callback.</summary>
[CancelAfter(120000)]
public sealed class KestrelTests
{
    private readonly List<CallbackJudgement> _judged = [];
    private ServiceMaterial _material = null!;

    [OneTimeSetUp]
    public void Make() => _material = new ServiceMaterial();

    [OneTimeTearDown]
    public void Unmake() => _material.Dispose();

    [SetUp]
    public void Forget() => _judged.Clear();

    [Test]
    public async Task A_client_that_the_stage_accepts_is_served(CancellationToken cancellationToken)
    {
        await using var server = await StartAsync(Callbacks(OnClients).ForKestrel());

        (await GetAsync(server, Callbacks(OnServers).ForServer(), _material.Client, cancellationToken)).Should().Be("hello CN=client.test");

        _judged.Select(judged => judged.Peer!.Name).Should().BeEquivalentTo("localhost", "client.test");
    }

    [TestCase("another authority", RejectionReason.UnknownAuthority)]
    [TestCase("revoked", RejectionReason.CertificateRevoked)]
    [TestCase("another name", RejectionReason.NotAuthorized)]
    public async Task A_client_that_the_stage_rejects_is_not(string fact, RejectionReason expected, CancellationToken cancellationToken)
    {
        using var other = ServiceMaterial.ClientOf(_material.Issuing, "other.test");
        var client = fact switch { "another authority" => _material.Stranger, "another name" => other, _ => _material.Client };
        var options = fact == "revoked" ? OnClients with { Revocation = _material.Lists(_material.Client) } : OnClients;
        await using var server = await StartAsync(Callbacks(options).ForKestrel());

        var getting = () => GetAsync(server, (_, _, _, _) => true, client, cancellationToken);

        await getting.Should().ThrowAsync<HttpRequestException>();
        _judged.Should().NotBeEmpty().And.OnlyContain(judged => judged.Rejection!.Reason == expected);
    }

    [Test]
    public async Task A_client_without_a_certificate_is_not(CancellationToken cancellationToken)
    {
        await using var server = await StartAsync(Callbacks(OnClients).ForKestrel());

        var getting = () => GetAsync(server, (_, _, _, _) => true, client: null, cancellationToken);

        await getting.Should().ThrowAsync<HttpRequestException>();
        _judged.Should().BeEmpty("Kestrel itself refuses it");
    }

    [TestCase("another authority", RejectionReason.UnknownAuthority)]
    [TestCase("revoked", RejectionReason.CertificateRevoked)]
    [TestCase("another name", RejectionReason.ServerNameMismatch)]
    public async Task HttpClient_sends_nothing_to_a_server_that_the_stage_rejects(
        string fact, RejectionReason expected, CancellationToken cancellationToken)
    {
        var options = fact switch
        {
            "another authority" => OnServers with { Trust = _material.Foreign.ToTrustAnchors() },
            "revoked" => OnServers with { Revocation = _material.Lists(_material.Server) },
            _ => OnServers,
        };
        await using var server = await StartAsync((_, _, _) => true);

        var getting = () => GetAsync(
            server, Callbacks(options).ForServer(fact == "another name" ? "elsewhere.test" : null), _material.Client, cancellationToken);

        await getting.Should().ThrowAsync<HttpRequestException>();
        _judged.Should().NotBeEmpty().And.OnlyContain(judged => judged.Rejection!.Reason == expected);
    }

    [TestCase(true)]
    [TestCase(false)]
    public async Task In_shadow_mode_the_answer_is_the_other_callbacks(bool answer, CancellationToken cancellationToken)
    {
        // A yes of ours where the other says no, and the reverse.
        var client = answer ? _material.Stranger : _material.Client;
        await using var server = await StartAsync(Callbacks(OnClients).ShadowForKestrel((_, _, _) => answer));

        var getting = () => GetAsync(server, (_, _, _, _) => true, client, cancellationToken);

        if (answer)
        {
            (await getting()).Should().Be("hello CN=client.test");
        }
        else
        {
            await getting.Should().ThrowAsync<HttpRequestException>();
        }

        _judged.Should().NotBeEmpty().And.OnlyContain(judged => judged.IsShadow && judged.OtherAccepted == answer);
        _judged.Should().OnlyContain(judged => (judged.Rejection != null) == answer);
    }

    private CertificateStageOptions OnServers =>
        new() { Trust = _material.Trust, Authorization = Authorize.ServerName, Revocation = _material.Lists() };

    private CertificateStageOptions OnClients => OnServers with { Authorization = Authorize.Dns(ServiceMaterial.ClientName) };

    private ValidationCallbacks Callbacks(CertificateStageOptions options) => new(new CertificateStage(options), new ValidationCallbackOptions
    {
        OnJudged = judged =>
        {
            lock (_judged)
            {
                _judged.Add(judged);
            }
        },
    });

    private async Task<WebApplication> StartAsync(Func<X509Certificate2, X509Chain?, SslPolicyErrors, bool> judge)
    {
        var (serverCertificate, serverChain) = (_material.Server.Certificate, _material.Server.Chain);
        var builder = WebApplication.CreateBuilder();
        builder.Logging.ClearProviders();
        // snippet
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, 0, listen => listen.UseHttps(https =>
        {
            https.ServerCertificate = serverCertificate;
            https.ServerCertificateChain = serverChain;
            https.ClientCertificateMode = ClientCertificateMode.RequireCertificate;
            https.ClientCertificateValidation = judge;   // callbacks.ForKestrel()
            https.OnAuthenticate = (_, tls) => tls.AllowTlsResume = false;
        })));
        // end
        var server = builder.Build();
        server.Run(context => Microsoft.AspNetCore.Http.HttpResponseWritingExtensions.WriteAsync(
            context.Response, $"hello {context.Connection.ClientCertificate?.Subject}"));
        await server.StartAsync();
        return server;
    }

    private static async Task<string> GetAsync(
        WebApplication server, RemoteCertificateValidationCallback judge, TestCertificate? client, CancellationToken cancellationToken)
    {
        var port = new Uri(server.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.Single()).Port;
        var context = client?.ToSslContext();
        // snippet
        using var handler = new SocketsHttpHandler();
        handler.SslOptions.AllowTlsResume = false;
        handler.SslOptions.ClientCertificateContext = context;
        handler.SslOptions.RemoteCertificateValidationCallback = judge;   // callbacks.ForServer()
        using var http = new HttpClient(handler);
        // end
        return await http.GetStringAsync(new Uri($"https://{ServiceMaterial.ServerName}:{port}/"), cancellationToken);
    }
}
