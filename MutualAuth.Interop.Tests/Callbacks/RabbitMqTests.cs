using System.Net.Security;
using System.Text;
using MutualAuth.Testing;
using MutualAuth.Tests.Support;
using RabbitMQ.Client;

namespace MutualAuth.Tests.Callbacks;

/// <summary>RabbitMQ.Client at RabbitMQ.</summary>
[TestFixture]
public sealed class RabbitMqTests : ServerCallbackTests
{
    private int _port;

    private protected override async Task<IAsyncDisposable> StartAsync(ServiceMaterial material)
    {
        var program = Tool.FindFile("rabbitmq-server, of the package of that name,", "/usr/lib/rabbitmq/bin/rabbitmq-server");
        _port = FreePorts.Next();
        var (names, distribution) = (FreePorts.Next(), FreePorts.Next());
        material.Write("rabbitmq.conf", $"""
            listeners.tcp = none
            listeners.ssl.1 = 127.0.0.1:{_port}
            ssl_options.certfile = {material.Chain}
            ssl_options.keyfile = {material.Key}
            ssl_options.cacertfile = {material.Authority}
            ssl_options.verify = verify_peer
            ssl_options.fail_if_no_peer_cert = true
            """);
        // Erlang's registry of names, which it would otherwise start on a fixed port and leave behind.
        var ports = RunningProgram.Start(Tool.Find("epmd"), "-port", $"{names}", "-address", "127.0.0.1");
        string[] settings =
        [
            $"HOME={material.Directory}", $"ERL_EPMD_PORT={names}", "ERL_EPMD_ADDRESS=127.0.0.1",
            $"RABBITMQ_CONF_ENV_FILE={material.Directory}/none", "RABBITMQ_NODENAME=mutualauth@localhost", $"RABBITMQ_DIST_PORT={distribution}",
            $"RABBITMQ_MNESIA_BASE={material.Directory}/mnesia", $"RABBITMQ_LOG_BASE={material.Directory}/log", "RABBITMQ_LOGS=-",
            $"RABBITMQ_CONFIG_FILE={material.Directory}/rabbitmq", $"RABBITMQ_ENABLED_PLUGINS_FILE={material.Directory}/plugins",
        ];
        var server = RunningProgram.Start(Tool.Find("env"), [.. settings, program]);
        return await OnceReadyAsync(new Broker(server, ports), server.LineAsync("Server startup complete", within: TimeSpan.FromMinutes(2)));
    }

    private protected override async Task UseAsync(
        RemoteCertificateValidationCallback judge, TestCertificate? client, CancellationToken cancellationToken)
    {
        var (host, port) = (ServiceMaterial.ServerName, _port);
        var context = client?.ToSslContext();
        // snippet
        var factory = new ConnectionFactory
        {
            HostName = host,
            Port = port,
            Ssl = new SslOption
            {
                Enabled = true,
                ServerName = host,
                ClientCertificateContext = context,
                CertificateValidationCallback = judge,   // callbacks.ForServer()
            },
        };
        await using var connection = await factory.CreateConnectionAsync(cancellationToken);
        // end
        await using var channel = await connection.CreateChannelAsync(cancellationToken: cancellationToken);
        var queue = await channel.QueueDeclareAsync(cancellationToken: cancellationToken);
        await channel.BasicPublishAsync(string.Empty, queue.QueueName, Encoding.UTF8.GetBytes("hello"), cancellationToken);
        var got = await channel.BasicGetAsync(queue.QueueName, autoAck: true, cancellationToken);
        Encoding.UTF8.GetString(got!.Body.Span).Should().Be("hello");
    }

    private sealed class Broker(RunningProgram server, RunningProgram ports) : IAsyncDisposable
    {
        public async ValueTask DisposeAsync()
        {
            await server.DisposeAsync();
            await ports.DisposeAsync();
        }
    }
}
