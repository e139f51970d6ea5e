using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using MutualAuth.Testing;
using MutualAuth.Tests.Support;

namespace MutualAuth.Tests.Scenarios;

/// <summary>
/// A running EchoServer with many live clients, in another process: what its files say takes the ground from some, and the others lose no byte.
/// </summary>
[CancelAfter(300000)]
public sealed class InvalidationTests
{
    private static readonly TimeSpan s_deadline = TimeSpan.FromSeconds(60);

    [Test]
    public async Task A_thousand_clients_and_the_file_of_lists_is_replaced()
    {
        const int Count = 1000;
        using var workshop = new Workshop();
        var key = TestKey.Generate(); // one for all: making keys is what takes long
        var certificates =
            Enumerable.Range(0, Count).Select(i => workshop.Issue(NameOf(i), ExtendedKeyUsage.ClientAuth, spec => spec with { Key = key })).ToArray();
        var lists = workshop.RevocationLists();
        await using var server = await EchoServer.StartAsync(workshop, workshop.Server(), "--allow-any-trusted", "--crl", lists);
        await using var clients = await Clients.ConnectAsync(server, workshop, certificates);
        var revoked = Enumerable.Range(0, 10).Select(i => (i * 97) + 5).ToHashSet();

        foreach (var i in revoked)
        {
            workshop.Revoke(certificates[i]);
        }

        var next = workshop.RevocationLists();
        await clients.TalkDuringAsync(i => !revoked.Contains(i), async () =>
        {
            var clock = Stopwatch.StartNew();
            File.Move(next, lists, overwrite: true);
            await Task.WhenAll(revoked.Select(clients.MustBeResetAsync));
            await TestContext.Out.WriteLineAsync(
                string.Create(
                    CultureInfo.InvariantCulture,
                    $"{revoked.Count} of {Count} were closed {clock.ElapsedMilliseconds} ms after their list was replaced"));
        });

        await MustHaveClosedAsync(server, revoked, "certificate_revoked");
    }

    [Test]
    public async Task An_anchor_is_removed()
    {
        using var workshop = new Workshop();
        using var other = new Workshop();
        var key = TestKey.Generate(); // one for all: making keys is what takes long
        var certificates = Enumerable.Range(0, 40)
            .Select(i => (i % 4 == 0 ? other : workshop).Issue(NameOf(i), ExtendedKeyUsage.ClientAuth, spec => spec with { Key = key }))
            .ToArray();
        var trust = workshop.Write("both.pem", await File.ReadAllTextAsync(workshop.Trust) + await File.ReadAllTextAsync(other.Trust));
        var own = workshop.Server();
        await using var server = await EchoServer.StartAsync("--certificate", own.Chain, "--key", own.Key, "--trust", trust, "--allow-any-trusted");
        await using var clients = await Clients.ConnectAsync(server, workshop, certificates);
        var lost = Enumerable.Range(0, 40).Where(i => i % 4 == 0).ToHashSet();

        await clients.TalkDuringAsync(i => !lost.Contains(i), async () =>
        {
            await File.WriteAllTextAsync(trust, await File.ReadAllTextAsync(workshop.Trust));
            await Task.WhenAll(lost.Select(clients.MustBeResetAsync));
        });

        await MustHaveClosedAsync(server, lost, "unknown_authority");
    }

    [Test]
    public async Task A_name_is_taken_off_the_allow_list_and_its_client_sees_a_clean_end()
    {
        using var workshop = new Workshop();
        var key = TestKey.Generate(); // one for all: making keys is what takes long
        var certificates =
            Enumerable.Range(0, 20).Select(i => workshop.Issue(NameOf(i), ExtendedKeyUsage.ClientAuth, spec => spec with { Key = key })).ToArray();
        var allowed = workshop.Write("allowed.txt", string.Concat(Enumerable.Range(0, 20).Select(i => $"dns {NameOf(i)}\n")));
        var own = workshop.Server();
        await using var server = await EchoServer.StartAsync(
            "--certificate", own.Chain, "--key", own.Key, "--trust", workshop.Trust, "--allow-file", allowed);
        await using var clients = await Clients.ConnectAsync(server, workshop, certificates);

        await clients.TalkDuringAsync(i => i != 3, async () =>
        {
            await File.WriteAllTextAsync(allowed, string.Concat(Enumerable.Range(0, 20).Where(i => i != 3).Select(i => $"dns {NameOf(i)}\n")));
            await clients.MustEndCleanlyAsync(3);
        });

        await MustHaveClosedAsync(server, [3], "not_authorized");
    }

    [Test]
    public async Task A_short_lived_certificate_runs_out()
    {
        using var workshop = new Workshop();
        var end = DateTimeOffset.UtcNow.AddSeconds(20);
        TestCertificate[] certificates =
        [
            workshop.Issue(NameOf(0), ExtendedKeyUsage.ClientAuth, spec => spec with { NotAfter = end }),
            workshop.Issue(NameOf(1), ExtendedKeyUsage.ClientAuth),
        ];
        await using var server = await EchoServer.StartAsync(workshop, workshop.Server(), "--allow-any-trusted");
        await using var clients = await Clients.ConnectAsync(server, workshop, certificates);

        await clients.TalkDuringAsync(i => i == 1, () => clients.MustEndCleanlyAsync(0));

        DateTimeOffset.UtcNow.Should().BeAfter(end, "it is good to its last second");
        await MustHaveClosedAsync(server, [0], "certificate_expired");
    }

    [Test]
    public async Task Asked_to_resume_sessions_the_server_says_that_it_does_not_and_serves()
    {
        using var workshop = new Workshop();
        await using var server = await EchoServer.StartAsync(workshop, workshop.Server(), "--resume");

        var client = await EchoClient.RunAsync("hello", server.Address, workshop, workshop.Client());

        (client.ExitCode, client.Output).Should().Be((0, "hello"), client.All);
        server.Program.Errors.Should().Contain(line => line.Contains("--resume", StringComparison.Ordinal));
    }

    private static string NameOf(int index) => $"client-{index}.test";

    private static async Task MustHaveClosedAsync(EchoServer server, HashSet<int> indices, string reason)
    {
        var expected = indices.Select(i => $"closed name={NameOf(i)} reason={reason}").ToHashSet();
        for (var count = 0; count < expected.Count; count++)
        {
            expected.Should().Contain(await server.LineAsync("closed "));
        }

        server.Program.Output.Where(line => line.StartsWith("closed ", StringComparison.Ordinal)).Should().BeEquivalentTo(
            expected, "nobody else is closed");
    }

    /// <summary>The clients of one test, all connected.</summary>
    private sealed class Clients : IAsyncDisposable
    {
        private readonly MutualTlsConnection[] _connections;

        private Clients(MutualTlsConnection[] connections) => _connections = connections;

        internal static async Task<Clients> ConnectAsync(EchoServer server, Workshop workshop, TestCertificate[] certificates)
        {
            var connections = new ConcurrentDictionary<int, MutualTlsConnection>();
            var options = new MutualTlsClientOptions
            { Identity = ClientIdentity.None, Trust = TrustAnchors.FromPemFiles(workshop.Trust), Authorization = Authorize.ServerName };
            await Parallel.ForAsync(0, certificates.Length, new ParallelOptions { MaxDegreeOfParallelism = 8 }, async (i, cancellationToken) =>
            {
                var client = new MutualTlsClient(options with { Identity = Identity.From(certificates[i].Certificate, certificates[i].Chain) });
                connections[i] = await client.ConnectAsync(new IPEndPoint(IPAddress.Loopback, server.Port), Workshop.ServerName, cancellationToken);
            });
            return new Clients([.. Enumerable.Range(0, certificates.Length).Select(i => connections[i])]);
        }

        /// <summary>Those chosen exchange octets before and after something happens, and some of them without a pause.</summary>
        internal async Task TalkDuringAsync(Predicate<int> talks, Func<Task> happening)
        {
            var happened = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            var talking = Enumerable.Range(0, _connections.Length).Where(i => talks(i)).Select(
                (i, order) => TalkAsync(_connections[i], order % 25 == 0, happened.Task)).ToArray();
            await happening();
            happened.SetResult();
            await Task.WhenAll(talking).WaitAsync(s_deadline);
        }

        internal async Task MustBeResetAsync(int index)
        {
            var read = async () => await _connections[index].Stream.ReadAsync(new byte[1]).AsTask().WaitAsync(s_deadline);
            (await read.Should().ThrowAsync<IOException>())
                .Which.GetBaseException()
                .Should().BeOfType<SocketException>().Which.SocketErrorCode
                .Should().Be(SocketError.ConnectionReset);
        }

        internal async Task MustEndCleanlyAsync(int index)
        {
            (await _connections[index].Stream.ReadAsync(new byte[1]).AsTask().WaitAsync(s_deadline)).Should().Be(0);
            await _connections[index].DisposeAsync();
        }

        public ValueTask DisposeAsync()
        {
            foreach (var connection in _connections)
            {
                connection.Abort();
            }

            return ValueTask.CompletedTask;
        }

        private static async Task TalkAsync(MutualTlsConnection connection, bool withoutPause, Task happened)
        {
            do
            {
                await SayAndHearAsync(connection);
            }
            while (withoutPause && !happened.IsCompleted);
            await happened;
            await SayAndHearAsync(connection);
        }

        private static async Task SayAndHearAsync(MutualTlsConnection connection)
        {
            var (question, answer) = (RandomNumberGenerator.GetBytes(2000), new byte[2000]);
            await connection.Stream.WriteAsync(question);
            await connection.Stream.ReadExactlyAsync(answer).AsTask().WaitAsync(s_deadline);
            if (!question.AsSpan().SequenceEqual(answer))
            {
                throw new AssertionException("What came back is not what was sent.");
            }
        }
    }
}
