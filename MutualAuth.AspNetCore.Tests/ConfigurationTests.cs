using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Configuration;
using MutualAuth.AspNetCore;
using MutualAuth.Tests.Support;

namespace MutualAuth.Tests;

/// <summary>End points of appsettings.</summary>
[CancelAfter(60000)]
public sealed class ConfigurationTests
{
    private static readonly World s_world = new();
    private string _folder = null!;

    [SetUp]
    public void WriteFiles()
    {
        _folder = Directory.CreateTempSubdirectory("mutualauth-aspnet-").FullName;
        s_world.Authority.WriteTo(_folder, "authority");
        s_world.ServerCertificate.WriteTo(_folder, "server");
        File.WriteAllText(Path.Combine(_folder, "clients.txt"), "dns client.test\n");
    }

    [TearDown]
    public void RemoveFiles() => Directory.Delete(_folder, recursive: true);

    [TestCase("Allow:0", "dns client.test", true)]
    [TestCase("Allow:0", "dns other.test", false)]
    [TestCase("AllowFile", "clients.txt", true)]
    public async Task An_end_point_serves_whom_the_configuration_allows(string key, string value, bool allowed, CancellationToken cancellationToken)
    {
        await using var site = await StartAsync(new() { [key] = value });
        using var client = Clients.Plain(s_world.ClientCertificate);

        var getting = () => client.GetStringAsync(client.At(site.Port, "/"), cancellationToken);

        if (allowed)
        {
            (await getting()).Should().Be("client.test");
        }
        else
        {
            await getting.Should().ThrowAsync<HttpRequestException>();
        }
    }

    [TestCase("PermittedNames", "dns client.test", true)]
    [TestCase("PermittedNames:0", "dns other.test", false)]
    [TestCase("ExcludedNames", "dns other.test", true)]
    [TestCase("ExcludedNames", "dns client.test", false)]
    [TestCase("RequireExplicitPolicy", "false", true)]
    [TestCase("RequireExplicitPolicy", "true", false)]
    [TestCase("RequiredPolicies", "1.2.3", false)]
    [TestCase("MaximumIntermediates", "0", true)]
    public async Task Constraints_on_the_authorities_decide(string key, string value, bool serves, CancellationToken cancellationToken)
    {
        await using var site = await StartAsync(new() { ["AllowFile"] = "clients.txt", [$"TrustConstraints:{key}"] = value });
        using var client = Clients.Plain(s_world.ClientCertificate);

        var getting = () => client.GetStringAsync(client.At(site.Port, "/"), cancellationToken);

        if (serves)
        {
            (await getting()).Should().Be("client.test");
        }
        else
        {
            await getting.Should().ThrowAsync<HttpRequestException>();
        }
    }

    [Test]
    public async Task Policies_and_depth_reach_the_authorities(CancellationToken cancellationToken)
    {
        using var beneath = s_world.Authority.IssueIntermediate("Beneath");
        using var certificate = beneath.IssueClient("client.test");
        foreach (var (depth, serves) in new[] { ("1", true), ("0", false) })
        {
            await using var site = await StartAsync(new()
            {
                ["AllowFile"] = "clients.txt",
                ["TrustConstraints:MaximumIntermediates"] = depth,
                ["TrustConstraints:InhibitPolicyMapping"] = "true",
                ["TrustConstraints:InhibitAnyPolicy"] = "true",
            });
            using var client = Clients.Confirmed(s_world.ClientOptions with { Identity = certificate.ToIdentity() });
            var getting = () => client.GetStringAsync(client.At(site.Port, "/"), cancellationToken);
            if (serves)
            {
                (await getting()).Should().Be("client.test");
            }
            else
            {
                await getting.Should().ThrowAsync<HttpRequestException>();
            }
        }
    }

    [Test]
    public async Task A_list_that_was_put_back_while_the_site_was_down_is_refused()
    {
        var keys = new Dictionary<string, string?>
        {
            ["AllowFile"] = "clients.txt",
            ["RevocationLists"] = "authority.crl",
            ["RevocationListWitness"] = "lists.witness",
            ["DangerouslyCreateRevocationListWitness"] = "true",
        };
        void Put(int number) => File.WriteAllText(
            Path.Combine(_folder, "authority.crl"), s_world.Authority.IssueCrl(crl => crl with { Number = number }).Pem);
        Put(6);
        await (await StartAsync(keys)).DisposeAsync();
        keys.Remove("DangerouslyCreateRevocationListWitness");
        Put(5);

        var starting = () => StartAsync(keys);

        (await starting.Should().ThrowAsync<InvalidOperationException>()).Which.Message.Should().Contain("Internal:RevocationLists: ");
        Put(7);
        await (await StartAsync(keys)).DisposeAsync();
        File.Delete(Path.Combine(_folder, "lists.witness"));
        (await starting.Should().ThrowAsync<InvalidOperationException>()).Which.Message.Should().Contain("Internal:RevocationListWitness: ");
    }

    [TestCase("TrustConstraints:PermittedNames", "dns *.x", "TrustConstraints:PermittedNames")]
    [TestCase("TrustConstraints:ExcludedNames:0", "x", "TrustConstraints:ExcludedNames")]
    [TestCase("TrustConstraints:RequiredPolicies", "gold", "TrustConstraints")]
    [TestCase("TrustConstraints:RequireExplicitPolicy", "perhaps", "TrustConstraints:RequireExplicitPolicy")]
    [TestCase("TrustConstraints:MaximumIntermediates", "many", "TrustConstraints:MaximumIntermediates")]
    [TestCase("TrustConstraints:MaximumIntermediates", "33", "TrustConstraints")]
    [TestCase("TrustConstraints:Permitted", "dns x", "TrustConstraints:Permitted")]
    [TestCase("RevocationListWitness", "lists.witness", "RevocationListWitness")]
    [TestCase("DangerouslyCreateRevocationListWitness", "true", "DangerouslyCreateRevocationListWitness")]
    [TestCase("DangerouslyCreateRevocationListWitness", "perhaps", "DangerouslyCreateRevocationListWitness")]
    public async Task A_constraint_that_means_nothing_keeps_the_site_from_starting(string key, string value, string told)
    {
        var starting = () => StartAsync(new() { ["AllowFile"] = "clients.txt", [key] = value });

        (await starting.Should().ThrowAsync<InvalidOperationException>()).Which.Message.Split(Environment.NewLine).Skip(1)
            .Should().ContainSingle().Which.Should().StartWith($"MutualTls:Endpoints:Internal:{told}: ");
    }

    [TestCase("Http1", 1, true)]
    [TestCase("Http1", 2, false)]
    [TestCase("Http2", 2, true)]
    public async Task It_speaks_what_the_configuration_says(string protocols, int version, bool speaks, CancellationToken cancellationToken)
    {
        await using var site = await StartAsync(new() { ["AllowFile"] = "clients.txt", ["Protocols"] = protocols });
        using var client = Clients.Plain(s_world.ClientCertificate, version);

        var getting = () => client.GetStringAsync(client.At(site.Port, "/"), cancellationToken);

        if (speaks)
        {
            (await getting()).Should().Be("client.test");
        }
        else
        {
            await getting.Should().ThrowAsync<HttpRequestException>();
        }
    }

    [TestCase("Preferred", true)]
    [TestCase("Required", false)]
    public async Task It_confirms_as_the_configuration_says(string confirmation, bool serves, CancellationToken cancellationToken)
    {
        await using var site = await StartAsync(new() { ["AllowFile"] = "clients.txt", ["Confirmation"] = confirmation });
        using var plain = Clients.Plain(s_world.ClientCertificate);
        using var confirmed = Clients.Confirmed(s_world.ClientOptions);

        (await confirmed.GetStringAsync(confirmed.At(site.Port, "/"), cancellationToken)).Should().Be("client.test");
        var getting = () => plain.GetStringAsync(plain.At(site.Port, "/"), cancellationToken);
        if (serves)
        {
            (await getting()).Should().Be("client.test");
        }
        else
        {
            await getting.Should().ThrowAsync<HttpRequestException>();
        }
    }

    [Test]
    public async Task Code_can_change_an_end_point_by_its_name(CancellationToken cancellationToken)
    {
        var named = new List<string>();
        await using var site = await StartAsync(new() { ["AllowFile"] = "clients.txt" }, (name, options) =>
        {
            named.Add(name);
            return options with { Authorization = Authorize.Nobody };
        });
        using var client = Clients.Plain(s_world.ClientCertificate);

        var getting = () => client.GetStringAsync(client.At(site.Port, "/"), cancellationToken);

        await getting.Should().ThrowAsync<HttpRequestException>();
        named.Should().Equal("Internal");
    }

    [Test]
    public async Task Several_end_points_listen_at_several_addresses(CancellationToken cancellationToken)
    {
        await using var site = await StartAsync(new()
        {
            ["AllowFile"] = "clients.txt",
            ["Listen:1"] = "127.0.0.1:0",
            ["+Listen"] = "127.0.0.1:0",
            ["+Identity:Certificate"] = "server.pem",
            ["+Identity:Key"] = "server.key",
            ["+Trust:0"] = "authority.pem",
            ["+Allow:0"] = "any-trusted",
        });
        using var client = Clients.Plain(s_world.ClientCertificate);

        site.Ports.Should().HaveCount(3).And.OnlyHaveUniqueItems();
        foreach (var port in site.Ports)
        {
            (await client.GetStringAsync(client.At(port, "/"), cancellationToken)).Should().Be("client.test");
        }
    }

    [Test]
    public async Task Every_problem_of_every_end_point_is_told_at_once()
    {
        var starting = () => StartAsync(new()
        {
            ["Listen:0"] = "example.org:80",
            ["Protocols"] = "Http9",
            ["Confirmation"] = "7",
            ["Identity:Key"] = "none.key",
            ["Trust:0"] = "none.pem",
            ["Allow:0"] = "dns",
            ["Allowed"] = "x",
            ["Identity:Passwort"] = "x",
            ["RevocationLists"] = "none.crl",
            ["RevocationListAddresses"] = "ftp://crl.test/",
            ["DenyListFile"] = "none.txt",
            ["+RevocationListDirectory"] = "lists",
            ["TrustedProxies:0"] = "10.0.0.1/99",
            ["+Identity:Pkcs12"] = "a",
            ["+Identity:Certificate"] = "b",
        });

        var told = (await starting.Should().ThrowAsync<InvalidOperationException>()).Which.Message.Split(Environment.NewLine);

        told.Skip(1).Select(line => line.Split(": ")[0]).Should().BeEquivalentTo(
            new[]
            {
                "Internal:Listen", "Internal:Protocols", "Internal:Confirmation", "Internal:Identity", "Internal:Trust", "Internal:Allow",
                "Internal:Allowed", "Internal:Identity:Passwort", "Internal:RevocationLists", "Internal:RevocationListAddresses",
                "Internal:DenyListFile", "Internal:TrustedProxies",
                "Other:Listen", "Other:Identity", "Other:Trust", "Other:Allow", "Other:RevocationListDirectory",
            }.Select(key => $"MutualTls:Endpoints:{key}"));
    }

    [Test]
    public async Task A_section_without_end_points_is_a_problem()
    {
        var starting = () => Site.StartAsync(builder => builder.WebHost.ListenMutualTls("MutualTls:Endpoints"), _ => { });

        (await starting.Should().ThrowAsync<InvalidOperationException>()).Which.Message.Should().Contain("there is no end point");
    }

    /// <summary>Keys of the end point Internal, over those of one that is right; with a plus, keys of the end point Other.</summary>
    private Task<Site> StartAsync(
        Dictionary<string, string?> keys, Func<string, MutualTlsServerOptions, MutualTlsServerOptions>? adjust = null)
    {
        var all = new Dictionary<string, string?>
        {
            ["Listen:0"] = "127.0.0.1:0",
            ["Identity:Certificate"] = "server.pem",
            ["Identity:Key"] = "server.key",
            ["Trust:0"] = "authority.pem",
        };
        foreach (var (key, value) in keys)
        {
            all[key] = value;
        }

        return Site.StartAsync(
            builder =>
            {
                builder.Configuration.AddInMemoryCollection(all.Select(pair => KeyValuePair.Create(
                    $"MutualTls:Endpoints:{(pair.Key.StartsWith('+') ? $"Other:{pair.Key[1..]}" : $"Internal:{pair.Key}")}", pair.Value)));
                builder.WebHost.ListenMutualTls("MutualTls:Endpoints", adjust);
            },
            app => app.MapGet("/", (HttpContext context) => context.GetMutualTlsPeer()!.Name),
            _folder);
    }
}
