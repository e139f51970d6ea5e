using System.Runtime.Versioning;
using System.Text;
using CsCheck;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Logging.Testing;
using MutualAuth.Names;
using MutualAuth.Reloading;
using MutualAuth.Trust;

namespace MutualAuth.Tests.Trust;

[CancelAfter(30000)]
public sealed class KnownPeersFileTests
{
    private const string Pin = "sha256/47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=";
    private const string Alice = $"alice {Pin} 2026-01-31T12:00:00Z";
    private const string Bob = $"bob {Pin} 2026-02-01T12:00:00Z";

    private string _directory = null!;
    private string _path = null!;

    [SetUp]
    public void SetUp()
    {
        _directory = Directory.CreateTempSubdirectory("mutualauth-").FullName;
        _path = Path.Combine(_directory, "known-peers");
    }

    [TearDown]
    public void TearDown() => Directory.Delete(_directory, recursive: true);

    [Test]
    public async Task What_was_added_is_there_after_a_restart_and_comments_stay()
    {
        Write($"# mine\n\n{Alice}\n  # and more\n");

        var added = await KnownPeersFile.Open(_path).AddAsync(Peer("bob", 2));

        File.ReadAllText(_path).Should().Be($"# mine\n\n{Alice}\n  # and more\n{added}\n");
        KnownPeersFile.Open(_path).Peers.Values.Should().BeEquivalentTo([Peer("alice", 0, "2026-01-31T12:00:00Z"), added]);
    }

    [Test]
    public async Task A_name_that_is_known_keeps_its_key()
    {
        var store = KnownPeersFile.OpenOrCreate(_path);
        var first = await store.AddAsync(Peer("alice", 1));
        var before = File.ReadAllText(_path);

        (await store.AddAsync(Peer("alice", 2))).Should().Be(first);

        File.ReadAllText(_path).Should().Be(before);
    }

    [Test]
    public async Task A_forgotten_peer_is_gone_from_the_file_and_nothing_else_is()
    {
        Write($"# mine\r\n{Alice}\r\n{Bob}\n# end\n");
        var store = KnownPeersFile.Open(_path);

        (await store.ForgetAsync("alice")).Should().BeTrue();
        (await store.ForgetAsync("alice")).Should().BeFalse();

        File.ReadAllText(_path).Should().Be($"# mine\r\n{Bob}\n# end\n");
        store.Peers.Keys.Should().Equal("bob");
    }

    [Test]
    public async Task What_another_process_removed_is_told_of_although_the_change_that_met_it_is_refused([Values] bool isRemoved)
    {
        Write($"{Alice}\n{Bob}\n");
        var store = KnownPeersFile.Open(_path, maxPeers: 2);
        var lost = 0;
        store.Lost += (_, _) => lost++;
        var another = KnownPeersFile.Open(_path);
        if (isRemoved)
        {
            await another.ForgetAsync("bob");
            await another.AddAsync(Peer("carol", 3));
        }

        var adding = async () => await store.AddAsync(Peer("dave", 4));

        await adding.Should().ThrowAsync<MaterialException>("it is full");
        lost.Should().Be(isRemoved ? 1 : 0);
        store.Peers.Keys.Should().BeEquivalentTo(["alice", isRemoved ? "carol" : "bob"]);
    }

    [Test]
    public void A_missing_file_is_an_error_unless_it_is_to_be_made()
    {
        FluentActions.Invoking(() => KnownPeersFile.Open(_path)).Should().Throw<MaterialException>().WithMessage($"*{_path}*");
        KnownPeersFile.OpenOrCreate(_path).Peers.Should().BeEmpty();
        KnownPeersFile.Open(_path).Peers.Should().BeEmpty();
        FluentActions.Invoking(() => KnownPeersFile.OpenOrCreate(Path.Combine(_directory, "no", "such"))).Should().Throw<MaterialException>();
    }

    [TestCase("", "empty")]
    [TestCase($"# mine\n{Alice}", "cut")]
    [TestCase($"# mine\nalice\n", "Line 2")]
    [TestCase($"{Alice} # a friend\n", "Line 1")]
    [TestCase($"{Alice}\n{Bob}\nalice {Pin} 2026-03-01T12:00:00Z\n", "Line 3")]
    [TestCase($"Alice {Pin} 2026-01-31T12:00:00Z\n", "Line 1")]
    [TestCase($"*.alice {Pin} 2026-01-31T12:00:00Z\n", "Line 1")]
    [TestCase("alice sha256/AAAA 2026-01-31T12:00:00Z\n", "Line 1")]
    [TestCase($"alice {Pin} 2026-01-31 12:00\n", "Line 1")]
    [TestCase($"alice {Pin} 2026-13-31T12:00:00Z\n", "Line 1")]
    [TestCase("\0\n", "Line 1")]
    [TestCase("# mine\n\uFEFF# not a comment\n", "Line 2")]
    public void A_malformed_file_is_never_taken_for_an_empty_one(string text, string says)
    {
        Write(text);

        FluentActions.Invoking(() => KnownPeersFile.Open(_path)).Should().Throw<MaterialException>().WithMessage($"*{says}*");
        FluentActions.Invoking(() => KnownPeersFile.OpenOrCreate(_path)).Should().Throw<MaterialException>();
        File.ReadAllText(_path).Should().Be(text);
    }

    [Test]
    public void Octets_that_are_no_text_are_named_by_their_line()
    {
        File.WriteAllBytes(_path, [.. Encoding.ASCII.GetBytes("# one\n# two\n# "), 0xc3, 0x28, (byte)'\n']);

        FluentActions.Invoking(() => KnownPeersFile.Open(_path)).Should().Throw<MaterialException>().WithMessage("Line 3*");
    }

    [Test]
    public void Any_cut_or_damage_of_a_file_is_an_error_or_loses_whole_lines_at_the_end_only()
    {
        var whole = $"# mine\n{Alice}\n{Bob}\n";
        for (var length = 0; length < whole.Length; length++)
        {
            Write(whole[..length]);
            if (length > 0 && whole[length - 1] == '\n')
            {
                KnownPeersFile.Open(_path).Peers.Count.Should().Be(whole[..length].Count(character => character == '\n') - 1);
            }
            else
            {
                FluentActions.Invoking(() => KnownPeersFile.Open(_path)).Should().Throw<MaterialException>($"cut at {length}");
            }
        }
    }

    [Test]
    public void Whatever_the_file_holds_it_is_read_or_refused_with_a_sentence() =>
        Gen.OneOf(Gen.Const("alice"), Gen.Const(Pin), Gen.Const(" "), Gen.Const(
            "\n"), Gen.Const("#"), Gen.Const("2026-01-31T12:00:00Z"), Gen.Const("\t"), Gen.Char.Select(character => character.ToString()))
            .Array[0, 12].Select(string.Concat).Sample(text =>
            {
                try
                {
                    KnownPeersText.Parse(Encoding.UTF8.GetBytes(text), "known-peers");
                }
                catch (MaterialException)
                {
                    // Said.
                }
            });

    [Test]
    public async Task A_full_store_takes_nobody_more()
    {
        var store = KnownPeersFile.OpenOrCreate(_path, maxPeers: 2);
        await store.AddAsync(Peer("alice", 1));
        await store.AddAsync(Peer("bob", 2));

        await FluentActions.Awaiting(() => store.AddAsync(Peer("carol", 3)).AsTask()).Should().ThrowAsync<MaterialException>();

        store.Peers.Should().HaveCount(2);
        (await store.AddAsync(Peer("bob", 2))).Name.Should().Be("bob");
    }

    [Test]
    public async Task The_changes_of_another_process_are_taken_in_at_the_next_handshake()
    {
        var ours = KnownPeersFile.OpenOrCreate(_path);
        var theirs = KnownPeersFile.OpenOrCreate(_path);
        await theirs.AddAsync(Peer("alice", 1));
        ours.Peers.Should().BeEmpty();

        await ours.RefreshAsync(NullLogger.Instance, CancellationToken.None);
        ours.Peers.Keys.Should().Equal("alice");

        await theirs.ForgetAsync("alice");
        await ours.RefreshAsync(NullLogger.Instance, CancellationToken.None);
        ours.Peers.Should().BeEmpty();
    }

    [Test]
    public async Task A_change_that_shows_in_no_stamp_is_found_while_the_stamp_is_young()
    {
        Write($"{Alice}\n");
        var stamp = File.GetLastWriteTimeUtc(_path);
        var store = KnownPeersFile.Open(_path);
        File.WriteAllText(_path, $"alicf {Pin} 2026-01-31T12:00:00Z\n");
        File.SetLastWriteTimeUtc(_path, stamp);

        await store.RefreshAsync(NullLogger.Instance, CancellationToken.None);

        store.Peers.Keys.Should().Equal("alicf");
    }

    [Test]
    public async Task A_file_that_goes_bad_leaves_the_known_known_says_so_once_and_takes_nobody()
    {
        Write($"{Alice}\n");
        var store = KnownPeersFile.Open(_path);
        var log = new FakeLogger();
        Write("nonsense\n");

        await store.RefreshAsync(log, CancellationToken.None);
        await store.RefreshAsync(log, CancellationToken.None);
        store.Peers.Keys.Should().Equal("alice");
        await FluentActions.Awaiting(() => store.AddAsync(Peer("bob", 2)).AsTask()).Should().ThrowAsync<MaterialException>();
        File.ReadAllText(_path).Should().Be("nonsense\n");
        log.Collector.GetSnapshot().Should().ContainSingle().Which.Id.Id.Should().Be(1122);

        Write($"{Bob}\n");
        await store.RefreshAsync(log, CancellationToken.None);
        store.Peers.Keys.Should().Equal("bob");
    }

    [Test]
    public async Task A_file_that_is_deleted_is_not_made_anew_behind_the_operators_back()
    {
        var store = KnownPeersFile.OpenOrCreate(_path);
        await store.AddAsync(Peer("alice", 1));
        File.Delete(_path);

        await store.RefreshAsync(NullLogger.Instance, CancellationToken.None);
        store.Peers.Keys.Should().Equal("alice");
        await FluentActions.Awaiting(() => store.AddAsync(Peer("bob", 2)).AsTask()).Should().ThrowAsync<MaterialException>();
        File.Exists(_path).Should().BeFalse();
    }

    [Test]
    public async Task A_crash_at_any_step_leaves_the_old_state_or_the_new_one_and_the_next_writer_goes_on([ValueSource(nameof(Steps))] string step)
    {
        var at = Enum.Parse<ReplaceStep>(step);
        await KnownPeersFile.OpenOrCreate(_path).AddAsync(Peer("alice", 1));
        var crashing = Crashing(at);

        await FluentActions.Awaiting(() => crashing.AddAsync(Peer("bob", 2)).AsTask()).Should().ThrowAsync<Crash>();

        var after = KnownPeersFile.Open(_path);
        after.Peers.Keys.Should().BeEquivalentTo(at is ReplaceStep.Renamed or ReplaceStep.Durable ? ["alice", "bob"] : ["alice"]);
        await after.AddAsync(Peer("carol", 3));
        await after.AddAsync(Peer("bob", 2));
        KnownPeersFile.Open(_path).Peers.Keys.Should().BeEquivalentTo("alice", "bob", "carol");
        Directory.GetFiles(_directory).Should().BeEquivalentTo([_path, _path + ".lock"]);
    }

    [Test]
    public async Task Many_writers_at_once_lose_nobody_and_agree_on_every_key()
    {
        KnownPeersFile.OpenOrCreate(_path);
        var writers = Enumerable.Range(0, 6).Select(_ => KnownPeersFile.Open(_path)).ToArray();

        var inForce = await Task.WhenAll(
            from writer in writers.Select((store, number) => (store, number))
            from name in Enumerable.Range(0, 12)
            select Task.Run(async () => await writer.store.AddAsync(Peer($"peer{name}", (byte)(1 + writer.number)))))
            .WaitAsync(TimeSpan.FromSeconds(25));

        var kept = KnownPeersFile.Open(_path).Peers;
        kept.Should().HaveCount(12);
        inForce.Should().OnlyContain(peer => kept[peer.Name].Key.Equals(peer.Key), "every writer was told whose key came first");
    }

    [Test]
    public async Task The_lock_is_waited_for_and_a_lock_file_that_nobody_holds_stops_nobody()
    {
        File.WriteAllText(_path + ".lock", "left by a process that died");
        var store = KnownPeersFile.OpenOrCreate(_path);
        await store.AddAsync(Peer("alice", 1));

        using var held = await FileLock.AcquireAsync(_path + ".lock", CancellationToken.None);
        using var giveUp = new CancellationTokenSource();
        var waiting = store.AddAsync(Peer("bob", 2), giveUp.Token).AsTask();
        await giveUp.CancelAsync();
        await FluentActions.Awaiting(() => waiting).Should().ThrowAsync<OperationCanceledException>();

        var next = store.AddAsync(Peer("bob", 2)).AsTask();
        next.IsCompleted.Should().BeFalse();
        held.Dispose();
        (await next).Name.Should().Be("bob");
    }

    [Test]
    [Platform(Exclude = "Win")]
    [UnsupportedOSPlatform("windows")]
    public async Task Only_its_owner_can_read_and_write_it()
    {
        var store = KnownPeersFile.OpenOrCreate(_path);
        await store.AddAsync(Peer("alice", 1));
        foreach (var file in Directory.GetFiles(_directory))
        {
            File.GetUnixFileMode(file).Should().Be(UnixFileMode.UserRead | UnixFileMode.UserWrite, file);
        }

        File.SetUnixFileMode(_path, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupWrite);
        FluentActions.Invoking(() => KnownPeersFile.Open(_path)).Should().Throw<MaterialException>().WithMessage("*chmod 600*");
    }

    [Test]
    [Platform(Exclude = "Win")]
    public async Task A_link_is_followed_and_stays_a_link()
    {
        var link = Path.Combine(_directory, "link");
        Write($"{Alice}\n");
        File.CreateSymbolicLink(link, _path);

        await KnownPeersFile.Open(link).AddAsync(Peer("bob", 2));

        new FileInfo(link).LinkTarget.Should().Be(_path);
        KnownPeersFile.Open(_path).Peers.Should().HaveCount(2);
    }

    private static string[] Steps => Enum.GetNames<ReplaceStep>();

    private KnownPeersFile Crashing(ReplaceStep at) => KnownPeersFile.OpenForTests(_path, step =>
    {
        if (step == at)
        {
            throw new Crash();
        }
    });

    private void Write(string text) => File.WriteAllText(_path, text);

    private static KnownPeer Peer(string name, byte key, string since = "2026-02-03T04:05:06Z") => new(
        name,
        key == 0 ? SpkiPin.Parse(Pin) : SpkiPin.OfSubjectPublicKeyInfo([key]),
        DateTimeOffset.Parse(since, System.Globalization.CultureInfo.InvariantCulture));

    private sealed class Crash : Exception;
}
