using System.Globalization;
using System.Net;
using MutualAuth.Credentials;
using MutualAuth.Stress.Support;

namespace MutualAuth.Stress.Roles;

/// <summary>
/// An echo server with the options that everybody has who sets none: <c>server FOLDER KIND</c>. It answers <c>failures</c> with how many handshakes
/// failed. KIND: plain; login (users, by SCRAM); throwing-log (its logger throws when accepting fails); kestrel
/// (Kestrel accepts, over a listener of ours, and a connection handler echoes).
/// </summary>
internal static class ServerRole
{
    internal static async Task RunAsync(string[] words)
    {
        var (folder, kind) = (words[0], words[1]);
        var failures = 0;
        using var log = new CountingLog { Throws = eventId => kind == "throwing-log" && eventId == 1200 };
        var options = new MutualTlsListenerOptions
        {
            Server = new MutualTlsServer(new()
            {
                Identity = Material.Identity(folder, "server"),
                Trust = Material.Trust(folder),
                Authorization = Authorize.AnyTrustedPeer,
                Credentials = kind == "login" ? await LoginAsync() : Require.Certificate,
                LoggerFactory = log,
            }),
            EndPoint = new IPEndPoint(IPAddress.Any, 0),
            OnHandshakeFailed = _ => Interlocked.Increment(ref failures),
        };
        await using var kestrel = kind == "kestrel" ? await KestrelEcho.StartAsync(options) : null;
        await using var listener = kestrel is null ? MutualTlsListener.Start(options) : null;
        if (listener is not null)
        {
            _ = Applications.EchoAllAsync(listener);
        }

        var port = kestrel?.Port ?? ((IPEndPoint)listener!.LocalEndPoint).Port;
        await Lines.AnswerAsync(
            port.ToString(CultureInfo.InvariantCulture), _ => Task.FromResult(Volatile.Read(ref failures).ToString(CultureInfo.InvariantCulture)));
    }

    private static async Task<CredentialPolicy> LoginAsync()
    {
        var store = new MemoryCredentialStore();
        using var password = Material.Password;
        await store.SetAsync(Material.User, ScramVerifier.Create(password));
        return Require.User(SaslServer.Scram(store));
    }
}
