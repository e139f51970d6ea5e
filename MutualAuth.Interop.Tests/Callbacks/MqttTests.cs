using System.Net.Security;
using System.Security.Cryptography.X509Certificates;
using MQTTnet;
using MutualAuth.Testing;
using MutualAuth.Tests.Support;

namespace MutualAuth.Tests.Callbacks;

/// <summary>
/// MQTTnet at mosquitto, which takes the user's name from the client's certificate, and has to know the intermediate: it is not sent.
/// </summary>
[TestFixture]
public sealed class MqttTests : ServerCallbackTests
{
    private int _port;

    // MQTTnet calls with arguments of its own, which do not have the stream.
    private protected override bool CalledByTheStream => false;

    private protected override async Task<IAsyncDisposable> StartAsync(ServiceMaterial material)
    {
        var program = Tool.FindFile("mosquitto, of the package of that name,", "/usr/sbin/mosquitto", "/usr/local/sbin/mosquitto");
        _port = FreePorts.Next();
        var configuration = material.Write("mosquitto.conf", $"""
            user root
            log_dest stderr
            listener {_port} 127.0.0.1
            certfile {material.Chain}
            keyfile {material.Key}
            cafile {material.Authorities}
            require_certificate true
            use_identity_as_username true
            allow_anonymous false
            """);
        var server = RunningProgram.Start(program, "-c", configuration);
        return await OnceReadyAsync(server, server.ErrorLineAsync("running"));
    }

    private protected override async Task UseAsync(
        RemoteCertificateValidationCallback judge, TestCertificate? client, CancellationToken cancellationToken)
    {
        var (host, port) = (ServiceMaterial.ServerName, _port);
        X509Certificate2Collection clientCertificates = client is null ? [] : [client.Certificate];
        // snippet
        var options = new MqttClientOptionsBuilder()
            .WithTcpServer(host, port)
            .WithTlsOptions(tls => tls
                .WithTargetHost(host)
                .WithClientCertificates(clientCertificates)
                // judge is callbacks.ForServer(host)
                .WithCertificateValidationHandler(seen => judge(seen, seen.Certificate, seen.Chain, seen.SslPolicyErrors)))
            .Build();
        // end
        using var mqtt = new MqttClientFactory().CreateMqttClient();
        var received = new TaskCompletionSource<string>(TaskCreationOptions.RunContinuationsAsynchronously);
        mqtt.ApplicationMessageReceivedAsync += message =>
        {
            received.TrySetResult(message.ApplicationMessage.ConvertPayloadToString());
            return Task.CompletedTask;
        };
        (await mqtt.ConnectAsync(options, cancellationToken)).ResultCode.Should().Be(MqttClientConnectResultCode.Success);
        await mqtt.SubscribeAsync("orders", cancellationToken: cancellationToken);
        await mqtt.PublishStringAsync("orders", "hello", cancellationToken: cancellationToken);
        (await received.Task.WaitAsync(RunningProgram.Deadline, cancellationToken)).Should().Be("hello");
        await mqtt.DisconnectAsync(cancellationToken: cancellationToken);
    }
}
