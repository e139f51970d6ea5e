using System.Diagnostics;
using System.Runtime.Versioning;
using MutualAuth.Tests.Support;

namespace MutualAuth.Tests.Samples;

/// <summary>Equal peers without any authority: they meet, they know each other again, and a changed key is loud on both sides.</summary>
[CancelAfter(120000)]
public sealed class PeerChatTests
{
    private string _directory = null!;

    [SetUp]
    public void SetUp() => _directory = Directory.CreateTempSubdirectory("mutualauth-chat-").FullName;

    [TearDown]
    public void TearDown() => Directory.Delete(_directory, recursive: true);

    [Test]
    public async Task Two_peers_meet_read_the_same_fingerprint_talk_and_know_each_other_again()
    {
        await using (var alice = await ListenAsync("alice"))
        await using (var bob = await ListenAsync("bob", "--connect", $"alice@{AddressOf(alice)}"))
        {
            var (bobs, alices) = (await bob.LineAsync("met alice"), await alice.LineAsync("met bob"));
            bobs.Split(": ")[1].Should().MatchRegex("^[0-9]{5}( [0-9]{5}){13}$").And.Be(alices.Split(": ")[1]);

            await bob.WriteAsync("hello, alice\n");
            (await alice.LineAsync(">")).Should().Be("bob> hello, alice");
            await alice.WriteAsync("hello,\u001b[2J bob\nhow are you?\n");
            (await bob.LineAsync(">")).Should().Be("alice> hello,�[2J bob");
            (await bob.LineAsync(">")).Should().Be("alice> how are you?");
            await EndAsync(bob, 0);
            await alice.LineAsync("bob has left");
            await EndAsync(alice, 0);
        }

        await using var again = await ListenAsync("alice", "--only-known");
        await using var back = await ListenAsync("bob", "--only-known", "--connect", AddressOf(again));
        await back.LineAsync("connected to alice");
        await again.LineAsync("connected to bob");
    }

    [Test]
    [Platform(Exclude = "Win")]
    [UnsupportedOSPlatform("windows")]
    public async Task Key_and_known_peers_are_for_their_owner_only()
    {
        await MeetAsync();

        foreach (var file in Directory.GetFiles(Path.Combine(_directory, "bob")))
        {
            File.GetUnixFileMode(file).Should().Be(UnixFileMode.UserRead | UnixFileMode.UserWrite, file);
        }
    }

    [Test]
    public async Task Where_only_known_peers_may_come_a_stranger_is_turned_away()
    {
        await using var alice = await ListenAsync("alice", "--only-known");
        await using var bob = await ListenAsync("bob", "--connect", AddressOf(alice));

        await EndAsync(bob, 11);
        bob.Errors.Should().Contain(line => line.Contains("HAS REFUSED US"));
        await EndAsync(alice, 0);
    }

    [Test]
    public async Task A_dialler_with_a_new_key_is_refused_loudly_on_both_sides()
    {
        await MeetAsync();
        File.Delete(Path.Combine(_directory, "bob", "identity.pem"));

        await using var alice = await ListenAsync("alice");
        await using var bob = await ListenAsync("bob", "--connect", AddressOf(alice));

        await EndAsync(bob, 11);
        await EndAsync(alice, 10);
        alice.Errors.Should().Contain("THE KEY OF bob HAS CHANGED. No connection was made.");
        bob.Errors.Should().Contain(line => line.Contains("HAS REFUSED US"));
        alice.Output.Should().NotContain(line => line.Contains("connected") || line.Contains("met "));
    }

    [Test]
    public async Task A_listener_with_a_new_key_is_refused_loudly_on_both_sides()
    {
        await MeetAsync();
        File.Delete(Path.Combine(_directory, "alice", "identity.pem"));

        await using var alice = await ListenAsync("alice");
        await using var bob = await ListenAsync("bob", "--connect", AddressOf(alice));

        await EndAsync(bob, 10);
        await EndAsync(alice, 11);
        bob.Errors.Should().Contain("THE KEY OF alice HAS CHANGED. No connection was made.");
        alice.Errors.Should().Contain(line => line.Contains("HAS REFUSED US"));
    }

    [Test]
    public async Task Whoever_answers_in_the_place_of_the_peer_that_was_dialled_is_turned_away()
    {
        await using var mallory = await ListenAsync("mallory");
        await using var bob = await ListenAsync("bob", "--connect", $"alice@{AddressOf(mallory)}");

        await EndAsync(bob, 12);
        bob.Errors.Should().Contain(line => line.Contains("not_authorized"));
        KnownTo("bob").Should().BeEmpty("whom the rule turns away is not kept");
    }

    [Test]
    public async Task Of_several_that_claim_one_name_at_once_exactly_one_is_kept_and_the_others_are_told()
    {
        await using var alice = await ListenAsync("alice");
        var claimants = await Task.WhenAll(
            Enumerable.Range(0, 4).Select(number => StartAsync("bob", $"bob-{number}", "--connect", AddressOf(alice))));

        var codes = await Task.WhenAll(claimants.Select(async claimant =>
        {
            claimant.EndInput();
            return await claimant.ExitCodeAsync();
        }));

        codes.Should().BeEquivalentTo([0, 11, 11, 11]);
        KnownTo("alice").Should().ContainSingle().Which.Should().StartWith("bob sha256/");
        await EndAsync(alice, 10);
        foreach (var claimant in claimants)
        {
            await claimant.DisposeAsync();
        }
    }

    [Test]
    public async Task Several_processes_that_share_one_file_lose_none_of_the_peers_that_they_meet_at_once()
    {
        // Three alices on one home: one key, one file of known peers, three listeners.
        var alices = new List<RunningProgram> { await ListenAsync("alice") };
        alices.AddRange(await Task.WhenAll(ListenAsync("alice"), ListenAsync("alice")));
        var strangers = await Task.WhenAll(
            Enumerable.Range(0, 6).Select(number => StartAsync($"peer{number}", $"peer{number}", "--connect", AddressOf(alices[number % 3]))));
        foreach (var stranger in strangers)
        {
            await stranger.LineAsync("met alice");
            await EndAsync(stranger, 0);
            await stranger.DisposeAsync();
        }

        KnownTo("alice").Select(line => line.Split(' ')[0]).Should().BeEquivalentTo(Enumerable.Range(0, 6).Select(number => $"peer{number}"));
        foreach (var alice in alices)
        {
            await alice.DisposeAsync();
        }
    }

    [Test]
    public async Task Whoever_was_told_that_it_is_accepted_is_known_although_the_other_was_killed_at_that_moment()
    {
        for (var round = 0; round < 3; round++)
        {
            await using (var alice = await ListenAsync("alice"))
            await using (var stranger = await StartAsync($"peer{round}", $"peer{round}", "--connect", AddressOf(alice)))
            {
                await stranger.LineAsync("met alice");
                Process.GetProcessById(alice.Id).Kill();
                await alice.ExitCodeAsync();
            }

            KnownTo("alice").Select(line => line.Split(' ')[0]).Should().Equal(Enumerable.Range(0, round + 1).Select(number => $"peer{number}"));
        }
    }

    [Test]
    public async Task A_damaged_file_of_known_peers_stops_the_start()
    {
        await MeetAsync();
        await File.AppendAllTextAsync(Path.Combine(_directory, "bob", "known-peers"), "half a li\n");

        await using var bob = Start("bob", "bob");

        (await bob.ExitCodeAsync()).Should().Be(2);
        bob.Errors[^1].Should().StartWith("material: Line ");
    }

    [Test]
    public async Task A_member_whose_key_is_dropped_is_put_out_while_it_is_connected_and_nobody_else()
    {
        await using var alice = await ListenAsync("alice");
        await using var bob = await ListenAsync("bob", "--connect", AddressOf(alice));
        await using var carol = await ListenAsync("carol", "--connect", AddressOf(alice));
        await alice.LineAsync("met bob");
        await alice.LineAsync("met carol");

        await alice.WriteAsync("/drop dave\n/drop bob\n");

        (await alice.LineAsync("bob ")).Should().Be("bob was put out: unknown_authority");
        await bob.LineAsync("alice has left");
        await alice.WriteAsync("only carol reads this\n");
        (await carol.LineAsync(">")).Should().Be("alice> only carol reads this");
        await EndAsync(alice, 0);
        alice.Errors.Should().Contain(line => line.Contains("nobody is known as dave"));
        alice.Output.Should().NotContain(line => line.Contains("carol was put out"));
        bob.Output.Should().NotContain(line => line.Contains("only carol reads this"));
        KnownTo("alice").Should().ContainSingle().Which.Should().StartWith("carol ");
    }

    [Test]
    public async Task What_a_peer_writes_goes_to_those_it_is_connected_to_and_is_passed_on_to_none()
    {
        await using var alice = await ListenAsync("alice");
        await using var bob = await ListenAsync("bob", "--connect", AddressOf(alice));
        await using var carol = await ListenAsync("carol", "--connect", AddressOf(alice));
        await alice.LineAsync("met bob");
        await alice.LineAsync("met carol");

        await carol.WriteAsync("alice alone reads this\n");
        (await alice.LineAsync(">")).Should().Be("carol> alice alone reads this");
        await alice.WriteAsync("both read this\n");

        (await bob.LineAsync(">")).Should().Be("alice> both read this", "it is the first that came to bob");
        (await carol.LineAsync(">")).Should().Be("alice> both read this");
        KnownTo("bob").Should().ContainSingle().Which.Should().StartWith("alice ", "those whom alice knows are no peers of bob's");
    }

    [Test]
    public async Task A_second_device_of_a_known_name_is_a_changed_key_and_the_first_one_stays()
    {
        await using var alice = await ListenAsync("alice");
        await using var telephone = await StartAsync("bob", "bob-telephone", "--connect", AddressOf(alice));
        await alice.LineAsync("met bob");

        await using (var laptop = await StartAsync("bob", "bob-laptop", "--connect", AddressOf(alice)))
        {
            await EndAsync(laptop, 11);
        }

        await telephone.WriteAsync("still here\n");
        (await alice.LineAsync(">")).Should().Be("bob> still here");
        alice.Errors.Should().Contain("THE KEY OF bob HAS CHANGED. No connection was made.");
    }

    private async Task MeetAsync()
    {
        await using var alice = await ListenAsync("alice");
        await using var bob = await ListenAsync("bob", "--connect", AddressOf(alice));
        await bob.LineAsync("met alice");
        await EndAsync(bob, 0);
        await EndAsync(alice, 0);
    }

    private Task<RunningProgram> ListenAsync(string name, params string[] arguments) => StartAsync(name, name, arguments);

    private async Task<RunningProgram> StartAsync(string name, string home, params string[] arguments)
    {
        var program = Start(name, home, arguments);
        await program.LineAsync("listening on ");
        return program;
    }

    private RunningProgram Start(string name, string home, params string[] arguments) =>
        RunningProgram.StartSample("PeerChat", ["--name", name, "--listen", "127.0.0.1:0", "--home", Path.Combine(_directory, home), .. arguments]);

    private static string AddressOf(RunningProgram program) => program.Output[0]["listening on ".Length..];

    private static async Task EndAsync(RunningProgram program, int exitCode)
    {
        program.EndInput();
        (await program.ExitCodeAsync()).Should().Be(exitCode, program.ToString());
    }

    private string[] KnownTo(string home) => [.. File.ReadLines(Path.Combine(_directory, home, "known-peers")).Where(line => !line.StartsWith('#'))];
}
