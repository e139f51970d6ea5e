using System.Collections.Concurrent;
using System.Net;
using MutualAuth.Certificates;
using MutualAuth.Identities;
using MutualAuth.Tests.Support;
using MutualAuth.Trust;

namespace MutualAuth.Tests.Scenarios;

/// <summary>Identity and trust are replaced all the time while clients connect: none fails, and none sees half of one and half of another.</summary>
[CancelAfter(300000)]
public sealed class SwapsUnderLoadTests
{
    private const int Swaps = 10_000;
    private const int Identities = 8;
    private const int Clients = 3;

    [Test]
    public async Task Ten_thousand_swaps_under_load_leave_no_handshake_failed_or_mixed(CancellationToken cancellationToken)
    {
        using var world = new World();

        // Each identity has an intermediate of its own with the same name: a leaf before another's intermediate would not verify.
        var issuing = Enumerable.Range(0, Identities).Select(_ => world.Authority.IssueIntermediate("Issuing")).ToArray();
        var identities = issuing.Select(authority => World.ToIdentity(authority.IssueServer("server.test"))).ToArray();
        var known = identities.ToDictionary(identity => identity.Certificate, identity => identity.Intermediates[0]);
        var identity = new ReplaceableIdentity(identities[0]);
        var trust = new ReplaceableTrustAnchors(world.Trust);
        await using var listener = MutualTlsListener.Start(new()
        {
            EndPoint = new IPEndPoint(IPAddress.Loopback, 0),
            Server = new MutualTlsServer(world.ServerOptions with { Identity = identity, Trust = trust }),
        });
        var failures = new ConcurrentQueue<Exception>();
        var paths = new ConcurrentQueue<(Certificate Leaf, Certificate Intermediate)>();
        var done = 0;
        using var end = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var serving = ServeAsync(listener);
        var clients = Enumerable.Range(0, Clients)
            .Select(_ => Task.Run(() => DialAsync(new MutualTlsClient(world.ClientOptions)), cancellationToken))
            .ToArray();

        // The swaps are spread over the handshakes, so that many of them fall into each.
        for (var count = 0; count < Swaps; count++)
        {
            identity.Replace(identities[count % Identities]);
            trust.Replace(count % 2 == 0 ? world.Trust.WithIntermediates(issuing[0].Certificate) : world.Trust);
            while (Volatile.Read(ref done) * 50 < count && failures.IsEmpty)
            {
                await Task.Yield();
                cancellationToken.ThrowIfCancellationRequested();
            }
        }

        await end.CancelAsync();
        await Task.WhenAll(clients).WaitAsync(ConnectedPair.Deadline, cancellationToken);
        await listener.StopAsync(TimeSpan.Zero, cancellationToken);
        await serving.WaitAsync(ConnectedPair.Deadline, cancellationToken);

        failures.Should().BeEmpty();
        paths.Should().HaveCountGreaterThanOrEqualTo(Swaps / 50);
        paths.Should().OnlyContain(path => known[path.Leaf].Equals(path.Intermediate));
        paths.Select(path => path.Leaf).Distinct().Should().HaveCountGreaterThan(1);

        async Task DialAsync(MutualTlsClient client)
        {
            while (!end.IsCancellationRequested)
            {
                try
                {
                    await using var connection = await client.ConnectAsync(listener.LocalEndPoint, "server.test", cancellationToken);
                    paths.Enqueue((connection.Peer.Certificate!, connection.Peer.Path[1]));
                }
                catch (Exception exception)
                {
                    failures.Enqueue(exception);
                }

                Interlocked.Increment(ref done);
            }
        }
    }

    private static async Task ServeAsync(MutualTlsListener listener)
    {
        await foreach (var connection in listener.AcceptAllAsync())
        {
            await connection.DisposeAsync();
        }
    }
}
