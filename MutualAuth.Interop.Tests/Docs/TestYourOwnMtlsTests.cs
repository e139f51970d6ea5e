using System.Net;
using MutualAuth.Snippets;
using MutualAuth.Testing;
using MutualAuth.Testing.Assertions;
using MutualAuth.Testing.BadPeers;
using MutualAuth.Testing.Transports;

namespace MutualAuth.Tests.Docs;

/// <summary>The code of docs/how-to/test-your-own-mtls.md is not only compiled: it does what the page says.</summary>
[CancelAfter(120000)]
[NonParallelizable] // it moves the current directory
public sealed class TestYourOwnMtlsTests
{
    [Test]
    public Task A_pair_connects() => TestYourOwnMtls.ConnectAsync();

    [Test]
    public Task The_page_of_the_package_connects_a_pair_and_rejects_its_neighbour() => PackagePages.TestAsync();

    [Test]
    public Task A_bent_pair_is_refused_on_both_sides() => TestYourOwnMtls.BendAsync();

    [Test]
    public void The_staircase_can_be_climbed() => TestYourOwnMtls.Climb();

    [Test]
    public async Task A_broken_wire_is_told_as_such()
    {
        using var authority = new TestAuthority();
        using var pair = authority.CreatePair();

        await TestYourOwnMtls.BreakAsync(pair);
    }

    [Test]
    public async Task A_far_end_closes_as_the_page_about_wires_says() =>
        await FluentActions.Awaiting(Wires.CloseAsync).Should().ThrowAsync<IOException>();

    [Test]
    public async Task A_frame_that_is_none_is_malformed(CancellationToken token)
    {
        using var authority = new TestAuthority();
        using var pair = authority.CreatePair();
        await using var wire = new DuplexPair();
        var accepting = new MutualTlsServer(pair.Server).AcceptAsync(wire.Server, token);

        await TestYourOwnMtls.BabbleAsync(wire.Client, pair.ClientCertificate);

        await accepting.Invoking(handshake => handshake).Should().ThrowAsync<HandshakeException>().Where(
            failure => failure.Reason == RejectionReason.ConfirmationMalformed);
    }

    [Test]
    public void The_files_are_where_the_page_says()
    {
        var before = Environment.CurrentDirectory;
        var directory = Directory.CreateTempSubdirectory("mutualauth-");
        try
        {
            Environment.CurrentDirectory = directory.FullName;
            TestYourOwnMtls.Export();
            Directory.EnumerateFiles("certificates")
                .Select(Path.GetFileName)
                .Should().BeEquivalentTo(["authority.pem", "server.pem", "server.key", "server.p12"]);
        }
        finally
        {
            Environment.CurrentDirectory = before;
            directory.Delete(recursive: true);
        }
    }

    [Test]
    [Platform(Exclude = "Win", Reason = "Windows has no links that are replaced in one step.")]
    public void A_torn_pair_is_refused_until_it_is_whole()
    {
        var before = Console.Out;
        using var said = new StringWriter();
        try
        {
            Console.SetOut(said);
            TestYourOwnMtls.Rotate();
        }
        finally
        {
            Console.SetOut(before);
        }

        said.ToString().Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries).Should().Equal("False", "True");
    }

    [Test]
    public async Task The_gallery_finds_of_the_platforms_client_what_the_page_says()
    {
        var before = Console.Out;
        using var said = new StringWriter();
        try
        {
            Console.SetOut(said);
            await TestYourOwnMtls.RunGalleryAgainstHttpClientAsync().WaitAsync(TimeSpan.FromSeconds(100));
        }
        finally
        {
            Console.SetOut(before);
        }

        said.ToString().Should().Contain(" 0 without control, 0 unclear, 0 not tried");
        said.ToString().Split('\n').Where(line => line.StartsWith("LET IN", StringComparison.Ordinal)).Select(line => line[11..line.IndexOf(':')])
            .Should().BeEquivalentTo(["CommonNameOnly", "NameInUriOnly"]);
    }

    [Test]
    public Task The_agent_of_the_page_serves() => GetIdentitiesFromSpiffe.TestAsync().WaitAsync(TimeSpan.FromSeconds(60));

    [Test]
    public async Task The_gallery_finds_nothing_wrong_with_our_own_server(CancellationToken token)
    {
        using var authority = new TestAuthority();
        using var server = authority.IssueServer("server.test");
        await using var listener = MutualTlsListener.Start(new MutualTlsListenerOptions
        {
            EndPoint = new IPEndPoint(IPAddress.Loopback, 0),
            Server = new MutualTlsServer(
                new MutualTlsServerOptions
                { Identity = server.ToIdentity(), Trust = authority.ToTrustAnchors(), Authorization = Authorize.AnyTrustedPeer }),
        });
        var echo = EchoAsync(listener);

        var report = await GalleryRun.AgainstServerAsync(authority, listener.LocalEndPoint, cancellationToken: token);

        report.ShouldBeClean();
        await listener.DisposeAsync();
        await echo;
    }

    private static async Task EchoAsync(MutualTlsListener listener)
    {
        await foreach (var connection in listener.AcceptAllAsync())
        {
            _ = AnswerAsync(connection);
        }

        static async Task AnswerAsync(MutualAuth.MutualTlsConnection connection)
        {
            await using (connection)
            {
                try
                {
                    await connection.Stream.CopyToAsync(connection.Stream);
                }
                catch (IOException)
                {
                    // The peer of the gallery has seen enough.
                }
            }
        }
    }
}
