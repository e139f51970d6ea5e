using System.Net.Security;
using MutualAuth.Testing;
using MutualAuth.Tests.Support;
using StackExchange.Redis;

namespace MutualAuth.Tests.Callbacks;

/// <summary>StackExchange.Redis at Redis.</summary>
[TestFixture]
public sealed class RedisTests : ServerCallbackTests
{
    private int _port;

    private protected override async Task<IAsyncDisposable> StartAsync(ServiceMaterial material)
    {
        var program = Tool.Find("redis-server");
        _port = FreePorts.Next();
        var server = RunningProgram.Start(
            program, "--port", "0", "--tls-port", $"{_port}", "--bind", "127.0.0.1",
            "--tls-cert-file", material.Chain, "--tls-key-file", material.Key,
            "--tls-ca-cert-file", material.Authority, "--tls-auth-clients", "yes", "--save", string.Empty, "--dir", material.Directory);
        return await OnceReadyAsync(server, server.LineAsync("Ready to accept connections"));
    }

    private protected override async Task UseAsync(
        RemoteCertificateValidationCallback judge, TestCertificate? client, CancellationToken cancellationToken)
    {
        var (host, port, context) = (ServiceMaterial.ServerName, _port, client?.ToSslContext());
        // snippet
        var options = new ConfigurationOptions
        {
            EndPoints = { { host, port } },
            Ssl = true,
            SslClientAuthenticationOptions = name => new SslClientAuthenticationOptions
            {
                TargetHost = name,
                AllowTlsResume = false,
                ClientCertificateContext = context,
                RemoteCertificateValidationCallback = judge,   // callbacks.ForServer()
            },
        };
        // end
        options.ConnectRetry = 1;
        options.ConnectTimeout = 20_000;
        await using var redis = await ConnectionMultiplexer.ConnectAsync(options);
        var database = redis.GetDatabase();
        await database.StringSetAsync("greeting", "hello");
        ((string?)await database.StringGetAsync("greeting")).Should().Be("hello");
    }
}
