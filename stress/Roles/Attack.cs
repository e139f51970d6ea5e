using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using MutualAuth.Credentials;

namespace MutualAuth.Stress.Roles;

/// <summary>What a stranger does with a socket.</summary>
internal abstract class Attack : IDisposable
{
    internal static Attack Named(string name, string folder) => name switch
    {
        "silence" => new Says([]),
        "hello" => new Says(Hellos.Tls13()),
        "tls11" => new Says(Hellos.Tls11()),
        "finite-field" => new Says(Hellos.FiniteField()),
        "http" => new Says(Encoding.ASCII.GetBytes("GET / HTTP/1.1\r\nHost: server.test\r\n\r\n")),
        "foreign" => new FinishesTls(folder),
        "login" => new HalfFinishesLogins(folder),
        _ => throw new ArgumentException($"There is no attack {name}."),
    };

    /// <summary>Does its worst, and then nothing. What it gives back keeps the attack open; the socket is its own then.</summary>
    internal abstract Task<IDisposable> BeginAsync(Socket socket, CancellationToken cancellationToken);

    /// <summary>Says what it has to say, for attacks that wait for the end.</summary>
    internal virtual Task SayAsync(Socket socket, CancellationToken cancellationToken) => throw new NotSupportedException();

    public abstract void Dispose();

    /// <summary>Octets, and then silence.</summary>
    private sealed class Says(byte[] octets) : Attack
    {
        internal override async Task<IDisposable> BeginAsync(Socket socket, CancellationToken cancellationToken)
        {
            await SayAsync(socket, cancellationToken);
            return socket;
        }

        internal override async Task SayAsync(Socket socket, CancellationToken cancellationToken)
        {
            if (octets.Length > 0)
            {
                await socket.SendAsync(octets, cancellationToken);
            }
        }

        public override void Dispose()
        {
        }
    }

    /// <summary>A certificate of an authority that the server does not trust; TLS is finished, the server's verdict is not answered.</summary>
    private sealed class FinishesTls(string folder) : Attack
    {
        private readonly X509Certificate2 _certificate =
            X509Certificate2.CreateFromPemFile(Path.Combine(folder, "stranger.pem"), Path.Combine(folder, "stranger.key"));

        internal override async Task<IDisposable> BeginAsync(Socket socket, CancellationToken cancellationToken)
        {
            var tls = new SslStream(new NetworkStream(socket, ownsSocket: true));
            await tls.AuthenticateAsClientAsync(
                new SslClientAuthenticationOptions
                {
                    TargetHost = Material.ServerName,
                    ApplicationProtocols = [new SslApplicationProtocol("mutualauth/1")],
                    ClientCertificates = [_certificate],
#pragma warning disable CA5359 // an attacker does not care whom it talks to
                    RemoteCertificateValidationCallback = (_, _, _, _) => true,
#pragma warning restore CA5359
                    AllowTlsResume = false,
                    EnabledSslProtocols = SslProtocols.Tls13,
                },
                cancellationToken);
            return tls;
        }

        public override void Dispose() => _certificate.Dispose();
    }

    /// <summary>A SCRAM exchange in the honest user's name, and silence after its first message.</summary>
    private sealed class HalfFinishesLogins(string folder) : Attack
    {
        private readonly MutualTlsClient _client = new(new()
        {
            Identity = ClientIdentity.None,
            Trust = Material.Trust(folder),
            Authorization = Authorize.ServerName,
            Credentials = Login.With(new FirstMessage()),
            HandshakeTimeout = TimeSpan.FromMinutes(5),
        });

        internal override Task<IDisposable> BeginAsync(Socket socket, CancellationToken cancellationToken)
        {
            _ = LogInAsync(socket, cancellationToken);
            return Task.FromResult<IDisposable>(socket);
        }

        public override void Dispose()
        {
        }

        private async Task LogInAsync(Socket socket, CancellationToken cancellationToken)
        {
            try
            {
                await _client.UpgradeAsync(socket, Material.ServerName, cancellationToken);
            }
            catch (Exception exception) when (exception is HandshakeException or OperationCanceledException or IOException or ObjectDisposedException)
            {
                // It is not meant to succeed.
            }
        }

        private sealed class FirstMessage : ISaslClientMechanism, ISaslClientExchange
        {
            public IEnumerable<string> NamesFor(SaslClientContext context) => ["SCRAM-SHA-256-PLUS"];

            public ISaslClientExchange Begin(string name, SaslClientContext context) => this;

            public ValueTask<ReadOnlyMemory<byte>?> StartAsync(CancellationToken cancellationToken) =>
                ValueTask.FromResult<ReadOnlyMemory<byte>?>(
                    Encoding.ASCII.GetBytes(
                        $"p=tls-server-end-point,,n={Material.User},r={Convert.ToHexString(RandomNumberGenerator.GetBytes(12))}"));

            public async ValueTask<SaslClientStep> StepAsync(ReadOnlyMemory<byte> challenge, CancellationToken cancellationToken)
            {
                await Task.Delay(Timeout.InfiniteTimeSpan, cancellationToken);
                return default;
            }

            public SaslClientEnd Complete(ReadOnlyMemory<byte>? additionalData) => new(null, PeerProofs.None);

            public void Dispose()
            {
            }
        }
    }
}
