using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Hosting;
using MutualAuth.Hosting;

namespace MutualAuth.AotProbe;

/// <summary>A host with a listener and a client that a configuration describes: binding, scopes and health checks without reflection.</summary>
internal static class Hosted
{
    internal static async Task<bool> EchoesAsync(X509Certificate2 authority, X509Certificate2 server, X509Certificate2 client)
    {
        var folder = Directory.CreateTempSubdirectory("mutualauth-probe-").FullName;
        try
        {
            await File.WriteAllTextAsync(Path.Combine(folder, "authority.pem"), authority.ExportCertificatePem());
            await WriteAsync(server, Path.Combine(folder, "server.pem"));
            await WriteAsync(client, Path.Combine(folder, "client.pem"));
            return await EchoesAsync(folder);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private static async Task<bool> EchoesAsync(string folder)
    {
        var builder = Host.CreateApplicationBuilder(new HostApplicationBuilderSettings { ContentRootPath = folder });
        builder.Configuration.AddInMemoryCollection(new Dictionary<string, string?>
        {
            ["inventory:Listen"] = "127.0.0.1:0",
            ["inventory:Identity:Certificate"] = "server.pem",
            ["inventory:Trust"] = "authority.pem",
            ["inventory:Allow"] = "dns client.test",
            ["inventory:Confirmation"] = "Required",
            ["billing:Identity:Certificate"] = "client.pem",
            ["billing:Trust"] = "authority.pem",
            ["billing:Allow"] = "server-name",
        });
        builder.Services.AddMutualTlsListener("inventory", builder.Configuration.GetSection("inventory")).HandledBy<Echo>();
        builder.Services.AddMutualTlsClient("billing", builder.Configuration.GetSection("billing"));
        builder.Services.AddHealthChecks().AddMutualTls();
        using var host = builder.Build();
        await host.StartAsync();
        var port = ((IPEndPoint)host.Services.GetRequiredKeyedService<HostedListener>("inventory").EndPoints[0]).Port;
        var echo = new byte[5];
        await using (var connection = await host.Services.GetRequiredKeyedService<MutualTlsClient>("billing").ConnectAsync(
            new IPEndPoint(IPAddress.Loopback, port), "server.test"))
        {
            await connection.Stream.WriteAsync("hello"u8.ToArray());
            await connection.Stream.ReadExactlyAsync(echo);
        }

        var health = await host.Services.GetRequiredService<HealthCheckService>().CheckHealthAsync();
        await host.StopAsync();
        Console.WriteLine($"hosted: {health.Status}, {string.Join(' ', health.Entries.Values.Select(entry => entry.Description))}");
        return echo.AsSpan().SequenceEqual("hello"u8) && health.Entries.ContainsKey("mutual-tls");
    }

    private static Task WriteAsync(X509Certificate2 certificate, string path)
    {
        using var key = certificate.GetECDsaPrivateKey()!;
        return File.WriteAllTextAsync(path, certificate.ExportCertificatePem() + "\n" + key.ExportPkcs8PrivateKeyPem() + "\n");
    }

    private sealed class Echo : IMutualTlsHandler
    {
        public async Task HandleAsync(MutualTlsConnection connection, CancellationToken draining) =>
            await connection.Stream.CopyToAsync(connection.Stream, draining);
    }
}
