using System.Collections.Concurrent;
using System.Collections.Immutable;
using System.Globalization;
using System.Net;
using MutualAuth.Credentials;
using MutualAuth.Stress.Support;
using MutualAuth.Stress.Users;

namespace MutualAuth.Stress.Roles;

/// <summary>
/// An echo server whose users are in a store that others change: <c>storm-server FOLDER STORE</c>. <c>news</c> is answered with
/// <c>NAME=REASON</c> for each connection that has ended since the last question; <c>take NAMES</c> and <c>give NAMES</c> take the device of these
/// users away and give it back; <c>open</c> is answered with how many connections the library has.
/// </summary>
internal sealed class StormServerRole
{
    internal static readonly TimeSpan Interval = TimeSpan.FromSeconds(1);
    internal static readonly TimeSpan Grace = TimeSpan.FromSeconds(1);

    private readonly ConcurrentQueue<string> _news = new();
    private readonly ReplaceableUserRule _rule = new(UserRules.Any);
    private ImmutableHashSet<string> _taken = [];

    internal static async Task RunAsync(string[] words)
    {
        var role = new StormServerRole();
        var folder = words[0];
        using var meters = new Meters();
        using var store = StormStore.Open(words[1], folder);
        await using var listener = MutualTlsListener.Start(new()
        {
            Server = new MutualTlsServer(new()
            {
                Identity = Material.Identity(folder, "server"),
                Trust = Material.Trust(folder),
                Authorization = Authorize.AnyTrustedPeer,
                Credentials = Require.CertificateOrUser(SaslServer.Scram(store.Users)) with
                {
                    Users = UserRules.From(role._rule),
                    DecoyIterations = ScramVerifier.MinIterations, // as those of the users
                },
                Revalidation = new RevalidationPolicy { GracePeriod = Grace, RecheckInterval = Interval },
            }),
            EndPoint = new IPEndPoint(IPAddress.Any, 0),

            // One address plays all users.
            MaxPendingHellosPerAddress = 512,
        });
        _ = role.AcceptAsync(listener);
        var port = ((IPEndPoint)listener.LocalEndPoint).Port;
        await Lines.AnswerAsync(port.ToString(CultureInfo.InvariantCulture), asked =>
        {
            switch (asked[0])
            {
                case "take":
                    role.Take(role._taken.Union(asked[1].Split(',')));
                    break;
                case "give":
                    role.Take(role._taken.Except(asked[1].Split(',')));
                    break;
                case "open":
                    return Task.FromResult(meters.Connections.ToString(CultureInfo.InvariantCulture));
            }

            return Task.FromResult(Lines.TakeAll(role._news));
        });
    }

    private void Take(ImmutableHashSet<string> taken)
    {
        _taken = taken;
        _rule.Replace(UserRules.Where("the device is the user's", (user, _) => !taken.Contains(user.Name)));
    }

    private async Task AcceptAsync(MutualTlsListener listener)
    {
        await foreach (var connection in listener.AcceptAllAsync())
        {
            _ = Task.Run(() => ServeAsync(connection));
        }
    }

    /// <summary>It never looks at DrainRequested: the library ends what is over.</summary>
    private async Task ServeAsync(MutualTlsConnection connection)
    {
        await Applications.EchoAsync(connection, new byte[64]);
        _news.Enqueue($"{connection.Peer.User!.Name}={connection.Invalidation?.Rejection.Reason.ToCode() ?? "none"}");
    }
}
