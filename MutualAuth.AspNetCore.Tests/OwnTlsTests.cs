using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using MutualAuth.AspNetCore;
using MutualAuth.Callbacks;
using MutualAuth.Tests.Support;
using MutualAuth.Validation;

namespace MutualAuth.Tests;

/// <summary>Kestrel's own TLS, in which the certificate stage decides.</summary>
[CancelAfter(60000)]
public sealed class OwnTlsTests
{
    private static readonly World s_world = new();

    [TestCase(1)]
    [TestCase(2)]
    public async Task A_client_that_the_stage_accepts_is_the_peer_of_its_requests(int version, CancellationToken cancellationToken)
    {
        await using var site = await StartAsync(_ => { });
        using var client = Clients.Plain(s_world.ClientCertificate, version);

        (await client.GetStringAsync(client.At(site.Port, "/"), cancellationToken)).Should().Be("client.test, no connection of ours");
    }

    [TestCase("another authority", RejectionReason.UnknownAuthority)]
    [TestCase("another name", RejectionReason.NotAuthorized)]
    public async Task A_client_that_it_rejects_is_none(string fact, RejectionReason expected, CancellationToken cancellationToken)
    {
        using var other = fact == "another name" ? s_world.Authority.IssueClient("other.test") : s_world.Foreign.IssueClient("client.test");
        var judged = new List<CallbackJudgement>();
        await using var site = await StartAsync(judged.Add);
        using var client = Clients.Plain(other);

        var getting = () => client.GetStringAsync(client.At(site.Port, "/"), cancellationToken);

        await getting.Should().ThrowAsync<HttpRequestException>();
        judged.Should().NotBeEmpty().And.OnlyContain(one => one.Rejection!.Reason == expected);
    }

    [Test]
    public async Task A_client_without_a_certificate_is_none(CancellationToken cancellationToken)
    {
        var judged = new List<CallbackJudgement>();
        await using var site = await StartAsync(judged.Add);
        using var client = Clients.Plain(null);

        var getting = () => client.GetStringAsync(client.At(site.Port, "/"), cancellationToken);

        await getting.Should().ThrowAsync<HttpRequestException>();
        judged.Should().BeEmpty("Kestrel itself turns it away");
    }

    [Test]
    public async Task What_was_configured_before_is_called_first(CancellationToken cancellationToken)
    {
        var called = 0;
        await using var site = await StartAsync(_ => { }, () => called++);
        using var client = Clients.Plain(s_world.ClientCertificate);

        await client.GetStringAsync(client.At(site.Port, "/"), cancellationToken);

        called.Should().Be(1);
    }

    private static Task<Site> StartAsync(Action<CallbackJudgement> onJudged, Action? onAuthenticate = null) => Site.StartAsync(
        builder =>
        {
            builder.Services.AddAuthentication(MutualTlsDefaults.AuthenticationScheme).AddMutualTls();
            builder.Services.AddAuthorization();
            builder.WebHost.ConfigureKestrel(kestrel => kestrel.Listen(Site.AnyPort, listen => listen.UseHttps(https =>
            {
                https.ServerCertificate = s_world.ServerCertificate.Certificate;
                https.OnAuthenticate = (_, _) => onAuthenticate?.Invoke();
                https.UseMutualAuth(
                    new CertificateStage(s_world.ServerOptions with { Authorization = Authorize.Dns("client.test") }),
                    new ValidationCallbackOptions { OnJudged = onJudged });
            })));
        },
        app =>
        {
            app.UseAuthentication();
            app.UseAuthorization();
            app.MapGet("/", (HttpContext context) =>
                $"{context.GetMutualTlsPeer()!.Name}, {(context.Features.Get<IMutualTlsFeature>()!.Connection is null ? "no connection of ours" : "ours")}")
                .RequireAuthorization(policy => policy.RequirePeer("dns client.test"));
        });
}
