using MutualAuth.Tests.Support;

namespace MutualAuth.Tests.Samples;

[CancelAfter(60000)]
public sealed class PeerChatTests
{
    private string _home = null!;

    [SetUp]
    public void SetUp() => _home = Directory.CreateTempSubdirectory("mutualauth-chat-").FullName;

    [TearDown]
    public void TearDown() => Directory.Delete(_home, recursive: true);

    [Test]
    public async Task Two_strangers_meet_talk_and_read_the_same_fingerprint()
    {
        await using var alice = Start("alice");
        await using var bob = Start("bob", "--connect", await AddressAsync(alice));

        var seenByAlice = await alice.LineAsync("joined ");
        var seenByBob = await bob.LineAsync("joined ");
        await alice.WriteAsync("good morning\n");
        await bob.LineAsync("<alice> good morning");
        await bob.WriteAsync("likewise\u001b[2J\n");
        await alice.LineAsync("<bob> likewise\uFFFD[2J");

        seenByAlice.Should().StartWith("joined bob, known since ");
        seenByBob.Should().StartWith("joined alice, known since ");
        Fingerprint(seenByAlice).Should().Be(Fingerprint(seenByBob)).And.HaveLength(83);
        bob.EndInput();
        (await bob.ExitCodeAsync()).Should().Be(0, bob.ToString());
        await alice.LineAsync("left bob");
    }

    [Test]
    public async Task One_who_comes_back_is_known_and_one_with_another_key_is_turned_away_loudly()
    {
        await using var alice = Start("alice");
        var address = await AddressAsync(alice);
        await using (var bob = Start("bob", "--connect", address))
        {
            await alice.LineAsync("joined bob");
        }

        await using (var again = Start("bob", "--connect", address))
        {
            await alice.LineAsync("joined bob");
        }

        await using var impostor = RunningProgram.StartSample("PeerChat", "--name", "bob", "--home", Path.Combine(_home, "mallory"), "--listen", "127.0.0.1:0", "--connect", address);

        (await alice.LineAsync("rejected ")).Should().Be("rejected reason=peer_key_changed name=bob");
        (await alice.LineAsync()).Should().Contain("SOMEBODY STANDS IN ITS PLACE");
        (await impostor.LineAsync("refused-by-peer")).Should().Be("refused-by-peer code=certificate_unknown");
    }

    [Test]
    public async Task A_stranger_is_turned_away_by_one_who_wants_known_peers_only()
    {
        await using var alice = Start("alice", "--known-only");
        await using var bob = Start("bob", "--connect", await AddressAsync(alice));

        (await alice.LineAsync("rejected ")).Should().Be("rejected reason=unknown_authority name=bob");
        (await bob.LineAsync("refused-by-peer")).Should().Be("refused-by-peer code=unknown_ca");
    }

    private RunningProgram Start(string name, params string[] more) =>
        RunningProgram.StartSample("PeerChat", ["--name", name, "--home", Path.Combine(_home, name), "--listen", "127.0.0.1:0", .. more]);

    private static async Task<string> AddressAsync(RunningProgram peer) => (await peer.LineAsync("listening on "))["listening on ".Length..];

    private static string Fingerprint(string line) => line[(line.LastIndexOf(": ", StringComparison.Ordinal) + 2)..];
}
