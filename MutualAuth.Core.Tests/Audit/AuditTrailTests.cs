using System.Security.Cryptography;
using System.Text;
using MutualAuth.Audit;
using MutualAuth.Tests.Support;

namespace MutualAuth.Tests.Audit;

/// <summary>What an auditor sees of a trail that somebody had in hands, and what is left after a crash.</summary>
public sealed class AuditTrailTests
{
    private static readonly byte[] s_key = RandomNumberGenerator.GetBytes(AuditTrail.KeyLength);
    private static readonly string[] s_whats = ["one", "two", "three", "four", "five"];

    private TemporaryFolder _folder = null!;

    private string Trail => _folder["audit.log"];

    [SetUp]
    public void SetUp() => _folder = new TemporaryFolder();

    [TearDown]
    public void TearDown() => _folder.Dispose();

    [Test]
    public async Task A_trail_that_nobody_touched_is_intact()
    {
        await WriteFiveAsync();

        Verify().Should().BeEquivalentTo(new { IsIntact = true, Entries = 5L, IsSealed = false, Unconfirmed = 0L });
    }

    [TestCase(1, AuditProblem.CutShort)]
    [TestCase(5, AuditProblem.CutShort)]
    public async Task A_tail_that_was_cut_is_missed(int lines, AuditProblem problem)
    {
        await WriteFiveAsync();

        Edit(all => all[..^lines]);

        Verify().Problem.Should().Be(problem);
        FluentActions.Invoking(() => AuditTrail.Open(Trail)).Should().Throw<MaterialException>().WithMessage("*cut*");
    }

    [TestCase(0)]
    [TestCase(2)]
    public async Task An_entry_that_was_removed_is_missed(int line)
    {
        await WriteFiveAsync();

        Edit(all => [.. all[..line], .. all[(line + 1)..]]);

        Verify().Should().BeEquivalentTo(new { Problem = AuditProblem.OutOfOrder, Entries = (long)line });
    }

    [Test]
    public async Task Entries_that_changed_places_are_seen()
    {
        await WriteFiveAsync();

        Edit(all => [all[0], all[2], all[1], all[3], all[4]]);

        Verify().Should().BeEquivalentTo(new { Problem = AuditProblem.OutOfOrder, Entries = 1L });
    }

    [Test]
    public async Task An_entry_that_was_changed_is_seen()
    {
        await WriteFiveAsync();

        Edit(all => [.. all.Select(line => line.Replace("Bob", "Rob", StringComparison.Ordinal))]);

        Verify().Should().BeEquivalentTo(new { Problem = AuditProblem.Changed, Entries = 0L });
    }

    /// <summary>What passed in a chain of mere hashes.</summary>
    [Test]
    public async Task Codes_made_anew_with_all_that_is_on_the_machine_do_not_help()
    {
        await WriteFiveAsync();
        var state = AuditState.Read(Trail)!.Value;
        using var forger = new AuditChain(state.Chain.Key); // the key of today

        Edit(_ => [.. s_whats.Select(what => Encoding.UTF8.GetString(forger.Append(new(what, "Rob came"), DateTimeOffset.UnixEpoch)).TrimEnd('\n'))]);

        Verify().Should().BeEquivalentTo(new { Problem = AuditProblem.Changed, Entries = 0L });
    }

    [Test]
    public async Task A_state_that_was_made_to_fit_a_shorter_trail_is_seen()
    {
        await WriteFiveAsync();
        var lines = File.ReadAllLines(Trail);
        var parts = File.ReadAllText(State).Split(' ');
        Edit(all => all[..^1]);

        File.WriteAllText(State, $"{parts[0]} 4 {new FileInfo(Trail).Length} {lines[3].Split(' ')[0]} {parts[4]}");

        Verify().Problem.Should().Be(AuditProblem.StateChanged);
    }

    [Test]
    public async Task An_older_copy_of_the_trail_alone_is_seen_and_not_written_on()
    {
        await WriteAsync("one");
        var older = File.ReadAllBytes(Trail);
        await WriteAsync("two");

        File.WriteAllBytes(Trail, older);

        Verify().Problem.Should().Be(AuditProblem.CutShort);
        FluentActions.Invoking(() => AuditTrail.Open(Trail)).Should().Throw<MaterialException>();
    }

    [Test]
    public async Task An_older_copy_of_trail_and_state_is_seen_by_an_auditor_who_remembers()
    {
        await WriteAsync("one");
        var (older, state) = (File.ReadAllBytes(Trail), File.ReadAllBytes(State));
        await WriteAsync("two");
        var entries = Verify().Entries;

        File.WriteAllBytes(Trail, older);
        File.WriteAllBytes(State, state);

        AuditTrail.Verify(Trail, s_key).IsIntact.Should().BeTrue("that is what the page says");
        AuditTrail.Verify(Trail, s_key, entries).Problem.Should().Be(AuditProblem.CutShort);
        AuditTrail.Verify(Trail, s_key, entries - 1).IsIntact.Should().BeTrue();
    }

    [Test]
    public async Task A_seal_proves_the_end_without_a_state()
    {
        await WriteAsync("one");
        await using (var trail = AuditTrail.Open(Trail))
        {
            await trail.SealAsync();
            await trail.Invoking(closed => closed.RecordAsync(new("late", ""))).Should().ThrowAsync<ObjectDisposedException>();
        }

        File.Exists(State).Should().BeFalse();
        Verify().Should().BeEquivalentTo(new { IsIntact = true, Entries = 2L, IsSealed = true });
        FluentActions.Invoking(() => AuditTrail.Open(Trail)).Should().Throw<MaterialException>();
        Edit(all => all[..^1]);
        Verify().Problem.Should().Be(AuditProblem.EndNotProven);
    }

    [Test]
    public async Task Another_key_verifies_nothing()
    {
        await WriteFiveAsync();

        AuditTrail.Verify(Trail, RandomNumberGenerator.GetBytes(AuditTrail.KeyLength)).Problem.Should().Be(AuditProblem.Changed);
    }

    [Test]
    public async Task A_trail_cut_at_any_octet_is_never_taken_for_intact()
    {
        await WriteFiveAsync();
        var whole = File.ReadAllBytes(Trail);

        for (var length = 0; length < whole.Length; length++)
        {
            File.WriteAllBytes(Trail, whole[..length]);
            Verify().Problem.Should().Be(AuditProblem.CutShort);
        }
    }

    [Test]
    public async Task After_a_crash_at_any_step_the_trail_is_completed_and_holds_what_was_acknowledged()
    {
        var copies = new List<(string Step, byte[] Trail, byte[] State)>();
        AuditTrail.Begin(Trail, s_key);
        await using (var trail = AuditTrail.Open(
            Trail, TimeProvider.System, step => copies.Add((step, File.ReadAllBytes(Trail), File.ReadAllBytes(State)))))
        {
            await trail.RecordAsync(new("one", ""));
            await trail.RecordAsync(new("two", ""));
        }

        copies.Select(copy => copy.Step).Distinct().Should().HaveCountGreaterThan(5);
        for (var copy = 0; copy < copies.Count; copy++)
        {
            File.WriteAllBytes(Trail, copies[copy].Trail);
            File.WriteAllBytes(State, copies[copy].State);
            await using (var trail = AuditTrail.Open(Trail))
            {
                await trail.RecordAsync(new("after", "the crash"));
            }

            Verify().Should().BeEquivalentTo(new { IsIntact = true, Entries = (copy < copies.Count / 2 ? 1L : 2L) + 1, Unconfirmed = 0L });
        }
    }

    [Test]
    public async Task After_a_crash_within_the_write_the_beginning_of_an_entry_is_removed_and_an_entry_says_so()
    {
        await WriteAsync("one");
        var (before, state) = (File.ReadAllBytes(Trail), File.ReadAllBytes(State));
        await WriteAsync("two");
        var after = File.ReadAllBytes(Trail);

        for (var length = before.Length + 1; length < after.Length; length += 13)
        {
            File.WriteAllBytes(Trail, after[..length]);
            File.WriteAllBytes(State, state);
            Verify().Problem.Should().Be(AuditProblem.Torn);
            await AuditTrail.Open(Trail).DisposeAsync();
            Verify().Should().BeEquivalentTo(new { IsIntact = true, Entries = 2L });
            File.ReadAllLines(Trail)[1].Should().Contain("trail.recovered").And.Contain($"{length - before.Length} octets");
        }
    }

    [Test]
    public async Task A_second_writer_is_refused_until_the_first_has_closed()
    {
        AuditTrail.Begin(Trail, s_key);
        await using (AuditTrail.Open(Trail))
        {
            FluentActions.Invoking(() => AuditTrail.Open(Trail)).Should().Throw<MaterialException>().WithMessage("*lock*");
        }

        await AuditTrail.Open(Trail).DisposeAsync();
    }

    [Test]
    public async Task A_trail_is_begun_once()
    {
        await WriteAsync("one");

        FluentActions.Invoking(() => AuditTrail.Begin(Trail, s_key)).Should().Throw<MaterialException>();
    }

    [TestCase("written")]
    [TestCase("Written")]
    public async Task After_the_disk_has_failed_once_nothing_is_taken_for_recorded(string failing)
    {
        AuditTrail.Begin(Trail, s_key);
        await using var trail = AuditTrail.Open(
            Trail, TimeProvider.System, step => _ = step == failing ? throw new IOException("No space left on device") : 0);

        await trail.Invoking(full => full.RecordAsync(new("one", ""))).Should().ThrowAsync<IOException>().WithMessage("*No space*");
        await trail.Invoking(full => full.RecordAsync(new("two", ""))).Should().ThrowAsync<IOException>().WithMessage("*No space*");
    }

    [Test]
    public async Task A_thousand_at_once_are_recorded_each_once_and_flushed_together()
    {
        var flushes = 0;
        AuditTrail.Begin(Trail, s_key);
        await using (var trail = AuditTrail.Open(Trail, TimeProvider.System, step => flushes += step == "flushed" ? 1 : 0))
        {
            await Task.WhenAll(Enumerable.Range(0, 1000).Select(number => Task.Run(() => trail.RecordAsync(new("came", $"<{number}>")))))
                .WaitAsync(TimeSpan.FromSeconds(30));
        }

        Verify().Should().BeEquivalentTo(new { IsIntact = true, Entries = 1000L });
        var lines = File.ReadAllLines(Trail);
        Enumerable.Range(0, 1000).Should().OnlyContain(number => lines.Count(line => line.Contains($"\\u003C{number}\\u003E")) == 1);
        flushes.Should().BeInRange((1000 + AuditTrail.MaxBatch - 1) / AuditTrail.MaxBatch, 499);
    }

    [Test]
    public void A_long_trail_is_intact_and_one_octet_in_its_middle_is_seen()
    {
        const int Entries = 10_000;
        AuditTrail.Begin(Trail, s_key);
        using (var chain = new AuditChain(s_key))
        using (var file = File.Create(Trail))
        {
            for (var i = 0; i < Entries; i++)
            {
                file.Write(chain.Append(new("came", "Bob"), DateTimeOffset.UnixEpoch));
            }
        }

        Verify().Should().BeEquivalentTo(new { IsIntact = true, Entries = (long)Entries, Unconfirmed = (long)Entries });
        var octets = File.ReadAllBytes(Trail);
        octets[octets.Length / 2] ^= 1;
        File.WriteAllBytes(Trail, octets);
        Verify().Should().BeEquivalentTo(
            new { IsIntact = false, Entries = (long)octets.AsSpan(0, octets.Length / 2).Count((byte)'\n') }, "those before it are intact");
    }

    [Test]
    public async Task A_clock_that_goes_back_changes_no_order()
    {
        var clock = new SteppingClock();
        AuditTrail.Begin(Trail, s_key);
        await using (var trail = AuditTrail.Open(Trail, clock))
        {
            foreach (var what in s_whats)
            {
                await trail.RecordAsync(new AuditEvent(what, "")).WaitAsync(TimeSpan.FromSeconds(10));
            }
        }

        Verify().Should().BeEquivalentTo(new { IsIntact = true, Entries = 5L });
        File.ReadAllLines(Trail).Zip(s_whats).Should().OnlyContain(each => each.First.Contains($"\"what\":\"{each.Second}\""));
    }

    [TestCase("two\nlines \"quoted\"\r\u0000\u2028")]
    [TestCase("half of a pair \ud800")]
    [TestCase(null)]
    public async Task A_text_of_a_peers_stays_one_entry(string? text)
    {
        await WriteAsync("one", text ?? new string('\u0001', 1_000_000));

        File.ReadAllBytes(Trail).Count(octet => octet == '\n').Should().Be(1);
        Verify().Should().BeEquivalentTo(new { IsIntact = true, Entries = 1L });
    }

    [Test]
    public async Task A_kind_that_is_the_trails_own_is_refused()
    {
        AuditTrail.Begin(Trail, s_key);
        await using var trail = AuditTrail.Open(Trail);

        await trail.Invoking(own => own.RecordAsync(new("trail.sealed", ""))).Should().ThrowAsync<ArgumentException>();
    }

    [TestCase("")]
    [TestCase("mutualauth-audit-1 0 0")]
    [TestCase("mutualauth-audit-1 0 0 zz zz")]
    public void A_state_that_is_none_opens_nothing(string state)
    {
        AuditTrail.Begin(Trail, s_key);
        File.WriteAllText(State, state);

        FluentActions.Invoking(() => AuditTrail.Open(Trail)).Should().Throw<MaterialException>();
        Verify().Problem.Should().Be(AuditProblem.Unreadable);
    }

    [Test]
    public void A_line_without_an_end_takes_no_more_memory_than_the_longest_entry()
    {
        AuditTrail.Begin(Trail, s_key);
        using (var file = File.OpenWrite(Trail))
        {
            file.SetLength(1L << 30); // holes: no disk is used
        }

        var before = GC.GetAllocatedBytesForCurrentThread();
        Verify().Problem.Should().Be(AuditProblem.Changed);
        (GC.GetAllocatedBytesForCurrentThread() - before).Should().BeLessThan(1 << 20);
    }

    [Test]
    public void The_files_are_the_owners_alone()
    {
        if (OperatingSystem.IsWindows())
        {
            Assert.Ignore("Windows has no such modes: there the files inherit the rights of their folder.");
            return;
        }

        AuditTrail.Begin(Trail, s_key);

        foreach (var path in new[] { Trail, State })
        {
            File.GetUnixFileMode(path).Should().Be(UnixFileMode.UserRead | UnixFileMode.UserWrite);
        }
    }

    /// <summary>An hour earlier each time that it is asked.</summary>
    private sealed class SteppingClock : TimeProvider
    {
        private int _asked;

        public override DateTimeOffset GetUtcNow() => new DateTimeOffset(2030, 6, 1, 12, 0, 0, TimeSpan.Zero).AddHours(-_asked++);
    }

    private string State => Trail + ".state";

    private AuditVerification Verify() => AuditTrail.Verify(Trail, s_key);

    private async Task WriteFiveAsync()
    {
        foreach (var what in s_whats)
        {
            await WriteAsync(what);
        }
    }

    private async Task WriteAsync(string what, string text = "Bob came")
    {
        if (!File.Exists(State))
        {
            AuditTrail.Begin(Trail, s_key);
        }

        await using var trail = AuditTrail.Open(Trail);
        await trail.RecordAsync(new AuditEvent(what, text)).WaitAsync(TimeSpan.FromSeconds(10));
    }

    private void Edit(Func<string[], IEnumerable<string>> change) =>
        File.WriteAllText(Trail, string.Concat(change(File.ReadAllLines(Trail)).Select(line => line + "\n")));
}
