using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using System.Threading.Channels;

namespace MutualAuth.Platforms;

/// <summary>
/// Two TLS 1.3 handshakes with ourselves in memory, once for the process. They show whether the process's OpenSSL gives sessions, and whether
/// keys are written to a file: docs/decisions/0024 and 0026.
/// </summary>
internal static class OwnHandshakes
{
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(30);
    private static readonly Lazy<Task<Outcome>> s_finding = new(() => Task.Run(FindAsync));

    /// <summary>What they showed.</summary>
    /// <param name="GivesNoSessions">No session was given, and none was taken up.</param>
    /// <param name="Hellos">The records of our hellos, by which a line in a file of keys would be known.</param>
    internal sealed record Outcome(bool GivesNoSessions, IReadOnlyList<ReadOnlyMemory<byte>> Hellos);

    /// <summary>Begins to find out, once for the process, and answers when that is done. Never throws.</summary>
    internal static Task<Outcome> FindOut() => s_finding.Value;

    /// <summary>Never throws: whatever goes wrong, sessions are taken to be given.</summary>
    private static async Task<Outcome> FindAsync()
    {
        var hellos = new List<ReadOnlyMemory<byte>>();
        try
        {
            using var patience = new CancellationTokenSource(s_patience);
            using var certificates = new OwnCertificates();
            foreach (var context in certificates.All)
            {
                try
                {
                    // Twice: the second client would offer what the first was given.
                    var givesNone = await GivesNoSessionAsync(context, hellos, patience.Token).ConfigureAwait(false)
                        && await GivesNoSessionAsync(context, hellos, patience.Token).ConfigureAwait(false);
                    return new Outcome(givesNone && OperatingSystem.IsLinux(), hellos); // measured there alone
                }
                catch (Exception exception) when (exception is AuthenticationException or IOException && hellos.Count == 0)
                {
                    // The configuration permits no signature by such a key.
                }
            }

            return new Outcome(false, hellos);
        }
        catch (Exception)
        {
            return new Outcome(false, hellos);
        }
    }

    /// <summary>Who fails takes the other along, that would wait for it.</summary>
    private static async Task EndOfBothAsync(Task accepting, SslStream server, Task connecting, SslStream client)
    {
        var first = await Task.WhenAny(accepting, connecting).ConfigureAwait(false);
        if (!first.IsCompletedSuccessfully)
        {
            await (first == accepting ? server : client).DisposeAsync().ConfigureAwait(false);
        }

        await Task.WhenAll(accepting, connecting).ConfigureAwait(false);
    }

    private static async Task<bool> GivesNoSessionAsync(
        SslStreamCertificateContext context, List<ReadOnlyMemory<byte>> hellos, CancellationToken cancellationToken)
    {
        var fromClient = Channel.CreateUnbounded<byte[]>();
        var fromServer = Channel.CreateUnbounded<byte[]>();
        var serverWire = new MemoryWire(fromClient.Reader, fromServer.Writer);
        var clientWire = new MemoryWire(fromServer.Reader, fromClient.Writer);
        await using var server = new SslStream(serverWire);
        await using var client = new SslStream(clientWire);
        var accepting = server.AuthenticateAsServerAsync(
            new SslServerAuthenticationOptions { ServerCertificateContext = context, AllowTlsResume = true }, cancellationToken);
        var connecting = client.AuthenticateAsClientAsync(
            new SslClientAuthenticationOptions
            {
                TargetHost = OwnHello.ServerName,
                AllowTlsResume = true,
                CertificateChainPolicy = new X509ChainPolicy
                {
                    TrustMode = X509ChainTrustMode.CustomRootTrust,
                    RevocationMode = X509RevocationMode.NoCheck,
                    DisableCertificateDownloads = true,
                },
                RemoteCertificateValidationCallback = (_, shown, _, _) => context.TargetCertificate.Equals(shown),
            },
            cancellationToken);
        await EndOfBothAsync(accepting, server, connecting, client).ConfigureAwait(false);
        hellos.Add(clientWire.First);

        // The client has read the server's flight and no more: what the server wrote beyond are sessions.
        var beyond = serverWire.Written - clientWire.Taken;
        await server.WriteAsync(new byte[1], cancellationToken).ConfigureAwait(false);
        await client.ReadExactlyAsync(new byte[1], cancellationToken).ConfigureAwait(false);
        return server.SslProtocol == SslProtocols.Tls13 && beyond == 0 && serverWire.Flight is { IsComplete: true, TakesUpSession: false };
    }
}
