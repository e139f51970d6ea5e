using System.Net;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Testing;
using MutualAuth.AspNetCore;
using MutualAuth.Authorization;
using MutualAuth.Credentials;
using MutualAuth.Testing;
using MutualAuth.Tests.Support;

namespace MutualAuth.Tests;

/// <summary>The scheme whose principal is the peer, and what policies let it do.</summary>
[CancelAfter(60000)]
public sealed class PoliciesTests
{
    private static readonly World s_world = new();
    private static readonly TestCertificate s_billing = s_world.Authority.IssueClient("spiffe://example.org/billing");

    [OneTimeTearDown]
    public void TearDown() => s_billing.Dispose();

    [TestCase("/rule", "client.test", HttpStatusCode.OK)]
    [TestCase("/rule", "billing", HttpStatusCode.Forbidden)]
    [TestCase("/lines", "client.test", HttpStatusCode.OK)]
    [TestCase("/lines", "billing", HttpStatusCode.Forbidden)]
    [TestCase("/billing", "billing", HttpStatusCode.OK)]
    [TestCase("/billing", "client.test", HttpStatusCode.Forbidden)]
    [TestCase("/certified", "client.test", HttpStatusCode.OK)]
    [TestCase("/passkey", "client.test", HttpStatusCode.Forbidden)]
    [TestCase("/anyone", "billing", HttpStatusCode.OK)]
    public async Task A_policy_lets_pass_whom_it_names(string path, string name, HttpStatusCode expected, CancellationToken cancellationToken)
    {
        await using var site = await Site.StartAsync(s_world.ServerOptions, MapPolicies, AddPolicies);
        using var client = Clients.Plain(name == "billing" ? s_billing : s_world.ClientCertificate);

        using var response = await client.GetAsync(client.At(site.Port, path), cancellationToken);

        response.StatusCode.Should().Be(expected);
    }

    [TestCase("/rule")]
    [TestCase("/billing")]
    [TestCase("/certified")]
    [TestCase("/anyone")]
    public async Task Nobody_is_asked_to_authenticate(string path, CancellationToken cancellationToken)
    {
        await using var site = await Site.StartAsync(
            builder =>
            {
                AddPolicies(builder);
                builder.WebHost.ConfigureKestrel(kestrel => kestrel.Listen(Site.AnyPort));
            },
            MapPolicies);
        using var client = new HttpClient();

        using var response = await client.GetAsync(new Uri($"{site.Addresses[0]}{path}"), cancellationToken);

        response.StatusCode.Should().Be(HttpStatusCode.Unauthorized);
        response.Headers.WwwAuthenticate.ToString().Should().Be("MutualTls");
    }

    [Test]
    public async Task A_policy_follows_its_source(CancellationToken cancellationToken)
    {
        var rule = new ReplaceableAuthorization(Authorize.Dns("client.test"));
        await using var site = await Site.StartAsync(s_world.ServerOptions, app => Map(app).MapGet("/followed", () => "yes").RequireAuthorization(
            policy => policy.RequirePeer(Authorize.From(rule))), AddPolicies);
        using var client = Clients.Plain(s_world.ClientCertificate);
        (await client.GetAsync(client.At(site.Port, "/followed"), cancellationToken)).StatusCode.Should().Be(HttpStatusCode.OK);

        rule.Replace(Authorize.Dns("other.test"));

        (await client.GetAsync(client.At(site.Port, "/followed"), cancellationToken)).StatusCode.Should().Be(HttpStatusCode.Forbidden);
    }

    [Test]
    public async Task Whom_a_policy_does_not_let_pass_is_logged_with_the_reason(CancellationToken cancellationToken)
    {
        var log = new FakeLogCollector();
        await using var site = await Site.StartAsync(s_world.ServerOptions, MapPolicies, builder =>
        {
            AddPolicies(builder);
            builder.Logging.AddProvider(new FakeLoggerProvider(log));
        });
        using var client = Clients.Plain(s_world.ClientCertificate);

        await client.GetAsync(client.At(site.Port, "/billing"), cancellationToken);

        log.GetSnapshot().Single(entry => entry.Id.Id == 2023).Message.Should().Contain("client.test").And.Contain("spiffe://example.org/billing");
    }

    [Test]
    public async Task A_peer_that_is_no_longer_accepted_but_stays_connected_is_nobody(CancellationToken cancellationToken)
    {
        var rule = new ReplaceableAuthorization(Authorize.Dns("client.test"));
        var lost = new TaskCompletionSource();
        await using var site = await Site.StartAsync(
            s_world.ServerOptions with
            {
                Authorization = Authorize.From(rule),
                Revalidation = new RevalidationPolicy { OnUnauthorized = InvalidationAction.Notify },
            },
            app => Map(app).MapGet("/wait", async (HttpContext context) =>
            {
                context.Features.Get<IMutualTlsFeature>()!.Connection!.NoLongerValid.Register(lost.SetResult);
                rule.Replace(Authorize.Dns("other.test"));
                await lost.Task;
            }),
            AddPolicies);
        using var client = Clients.Plain(s_world.ClientCertificate);
        (await client.GetAsync(client.At(site.Port, "/anyone"), cancellationToken)).StatusCode.Should().Be(HttpStatusCode.OK);
        (await client.GetAsync(client.At(site.Port, "/wait"), cancellationToken)).StatusCode.Should().Be(HttpStatusCode.OK);

        using var response = await client.GetAsync(client.At(site.Port, "/anyone"), cancellationToken);

        response.StatusCode.Should().Be(HttpStatusCode.Unauthorized);
    }

    [Test]
    public async Task The_principal_has_the_facts_as_claims(CancellationToken cancellationToken)
    {
        await using var site = await Site.StartAsync(
            s_world.ServerOptions,
            app => Map(app).MapGet("/claims", ClaimsOf),
            AddPolicies);
        using var client = Clients.Plain(s_billing);

        var claims = (await client.GetStringAsync(client.At(site.Port, "/claims"), cancellationToken)).Split('\n');

        claims.Should().Contain([
            "mutualauth:peer=spiffe://example.org/billing", "mutualauth:spiffe_id=spiffe://example.org/billing", "mutualauth:proof=Certificate",
        ]).And.NotContain(claim => claim.StartsWith("mutualauth:user", StringComparison.Ordinal) || claim.Contains("confirmed"));
    }

    [Test]
    public async Task A_user_that_logged_in_is_there_with_its_device(CancellationToken cancellationToken)
    {
        var users = new MemoryCredentialStore();
        await users.SetAsync("alice", ScramVerifier.Create(Password.From("correct horse"), iterations: 4096), cancellationToken);
        await using var site = await Site.StartAsync(
            s_world.ServerOptions with { Credentials = Require.CertificateAndUser(SaslServer.Scram(users)) },
            app => Map(app).MapGet("/claims", ClaimsOf),
            AddPolicies);
        using var client = Clients.Confirmed(s_world.ClientOptions with { Credentials = Login.WithPassword("alice", "correct horse") });

        var claims = (await client.GetStringAsync(client.At(site.Port, "/claims"), cancellationToken)).Split('\n');

        claims.Should().Contain([
            "mutualauth:user=alice", "mutualauth:device=client.test", "mutualauth:proof=Password", "mutualauth:proof=Certificate",
            "mutualauth:confirmed=true",
        ]);
    }

    [Test]
    public void Nothing_that_cannot_be_met_can_be_required()
    {
        FluentActions.Invoking(() => new AuthorizationPolicyBuilder().RequirePeer("dns")).Should().Throw<FormatException>();
        FluentActions.Invoking(() => new AuthorizationPolicyBuilder().RequirePeer([])).Should().Throw<FormatException>();
        FluentActions.Invoking(() => new AuthorizationPolicyBuilder().RequireSpiffeId([])).Should().Throw<ArgumentException>();
        FluentActions.Invoking(() => new AuthorizationPolicyBuilder().RequireSpiffeId("https://x")).Should().Throw<FormatException>();
        FluentActions.Invoking(() => new AuthorizationPolicyBuilder().RequireProofs(PeerProofs.None)).Should().Throw<ArgumentOutOfRangeException>();
    }

    private static void AddPolicies(WebApplicationBuilder builder)
    {
        builder.Services.AddAuthentication(MutualTlsDefaults.AuthenticationScheme).AddMutualTls();
        builder.Services.AddAuthorizationBuilder()
            .AddPolicy("rule", policy => policy.RequirePeer(Authorize.Dns("client.test")))
            .AddPolicy("lines", policy => policy.RequirePeer("dns other.test", "dns client.test"))
            .AddPolicy("billing", policy => policy.RequireSpiffeId("spiffe://example.org/shipping", "spiffe://example.org/billing"))
            .AddPolicy("certified", policy => policy.RequireProofs(PeerProofs.Certificate))
            .AddPolicy("passkey", policy => policy.RequireProofs(PeerProofs.Certificate | PeerProofs.Passkey))
            .AddPolicy("anyone", policy => policy.RequireAuthenticatedUser());
    }

    private static string ClaimsOf(HttpContext context) => string.Join('\n', context.User.Claims.Select(claim => $"{claim.Type}={claim.Value}"));

    private static void MapPolicies(WebApplication app) => Map(app);

    private static WebApplication Map(WebApplication app)
    {
        app.UseAuthentication();
        app.UseAuthorization();
        foreach (var policy in new[] { "rule", "lines", "billing", "certified", "passkey", "anyone" })
        {
            app.MapGet($"/{policy}", () => "yes").RequireAuthorization(policy);
        }

        return app;
    }
}
