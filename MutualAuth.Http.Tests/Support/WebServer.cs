using System.Collections.Concurrent;
using System.IO.Pipelines;
using System.Net;
using System.Security.Cryptography.X509Certificates;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core.Features;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace MutualAuth.Tests.Support;

/// <summary>Kestrel over a <see cref="MutualTlsServer"/>, with as little between them as possible.</summary>
internal sealed class WebServer : IAsyncDisposable
{
    private readonly WebApplication _app;

    private WebServer(WebApplication app, ConcurrentQueue<MutualTlsConnection> accepted)
    {
        _app = app;
        Accepted = accepted;
        Port = new Uri(app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.Single()).Port;
    }

    /// <summary>Every connection that was ever accepted.</summary>
    internal ConcurrentQueue<MutualTlsConnection> Accepted { get; }

    internal int Port { get; }

    internal static async Task<WebServer> StartAsync(
        MutualTlsServerOptions options, Action<WebApplication> map, Action<IServiceCollection>? add = null)
    {
        var server = new MutualTlsServer(options);
        var accepted = new ConcurrentQueue<MutualTlsConnection>();
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        add?.Invoke(builder.Services);
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, 0, listen => listen.Use(next => async context =>
        {
            MutualTlsConnection connection;
            try
            {
                connection = await server.AcceptAsync(new PipeStream(context.Transport), context.RemoteEndPoint, context.ConnectionClosed);
            }
            catch (HandshakeException)
            {
                return;
            }

            accepted.Enqueue(connection);
            await using (connection)
            {
                context.Features.Set<ITlsConnectionFeature>(new Tls());
                context.Features.Set<ITlsApplicationProtocolFeature>(new Protocol(connection.Session.ApplicationProtocol ?? string.Empty));
                context.Transport = new Duplex(PipeReader.Create(connection.Stream), PipeWriter.Create(connection.Stream));
                await next(context);
                await context.Transport.Output.CompleteAsync();
            }
        })));
        var app = builder.Build();
        map(app);
        await app.StartAsync();
        return new WebServer(app, accepted);
    }

    internal Uri At(string path, string host = "server.test") => new($"https://{host}:{Port}{path}");

    public async ValueTask DisposeAsync()
    {
        foreach (var connection in Accepted)
        {
            connection.Abort();
        }

        await _app.DisposeAsync();
    }

    private sealed record Duplex(PipeReader Input, PipeWriter Output) : IDuplexPipe;

    private sealed class Tls : ITlsConnectionFeature
    {
        public X509Certificate2? ClientCertificate { get; set; }

        public Task<X509Certificate2?> GetClientCertificateAsync(CancellationToken cancellationToken) => Task.FromResult<X509Certificate2?>(null);
    }

    private sealed record Protocol(string Name) : ITlsApplicationProtocolFeature
    {
        public ReadOnlyMemory<byte> ApplicationProtocol { get; } = System.Text.Encoding.ASCII.GetBytes(Name);
    }

    private sealed class PipeStream(IDuplexPipe pipe) : Stream
    {
        private readonly Stream _input = pipe.Input.AsStream();
        private readonly Stream _output = pipe.Output.AsStream();

        public override bool CanRead => true;

        public override bool CanWrite => true;

        public override bool CanSeek => false;

        public override long Length => throw new NotSupportedException();

        public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }

        public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) =>
            _input.ReadAsync(buffer, cancellationToken);

        public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default) =>
            _output.WriteAsync(buffer, cancellationToken);

        public override Task FlushAsync(CancellationToken cancellationToken) => _output.FlushAsync(cancellationToken);

        public override void Flush() => throw new NotSupportedException();

        public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

        public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();

        protected override void Dispose(bool disposing)
        {
            pipe.Input.CancelPendingRead();
            pipe.Input.Complete();
            pipe.Output.Complete();
            base.Dispose(disposing);
        }
    }
}
