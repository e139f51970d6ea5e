using System.Text;
using System.Text.Json;
using MutualAuth.Audit;
using MutualAuth.Tests.Support;

namespace MutualAuth.Tests.Audit;

/// <summary>What an entry holds, and which files are no trail: each refused, and named, also by the writer.</summary>
public sealed class AuditFilesTests
{
    private static readonly byte[] s_key = [.. Enumerable.Range(1, AuditTrail.KeyLength).Select(octet => (byte)octet)];

    private TemporaryFolder _folder = null!;

    private string Trail => _folder["audit.log"];

    private string State => Trail + ".state";

    [SetUp]
    public void SetUp() => _folder = new TemporaryFolder();

    [TearDown]
    public void TearDown() => _folder.Dispose();

    [Test]
    public async Task An_entry_holds_number_time_kind_connection_and_text()
    {
        var at = new DateTimeOffset(2030, 6, 1, 12, 0, 0, TimeSpan.Zero);
        AuditTrail.Begin(Trail, s_key);
        await using (var trail = AuditTrail.Open(Trail, new Microsoft.Extensions.Time.Testing.FakeTimeProvider(at)))
        {
            await RecordAsync(trail, new AuditEvent("accepted", "Bob") { Connection = "c-7" });
            await RecordAsync(trail, new AuditEvent(new string('k', 65), new string('t', 8193)) { Connection = new string('c', 129) });
        }

        var lines = File.ReadAllLines(Trail);
        lines[0].Split(' ', 2)[1].Should().Be(
            """{"n":0,"at":"2030-06-01T12:00:00Z","what":"accepted","connection":"c-7","text":"Bob"}""");
        using var cut = JsonDocument.Parse(lines[1].Split(' ', 2)[1]);
        cut.RootElement.GetProperty("n").GetInt64().Should().Be(1);
        cut.RootElement.GetProperty("what").GetString().Should().Be(new string('k', 64) + "… (65 characters)");
        cut.RootElement.GetProperty("connection").GetString().Should().Be(new string('c', 128) + "… (129 characters)");
        cut.RootElement.GetProperty("text").GetString().Should().Be(new string('t', 8192) + "… (8193 characters)");
    }

    [Test]
    public void A_key_of_another_length_and_a_path_that_is_none_are_refused()
    {
        FluentActions.Invoking(() => AuditTrail.Begin(Trail, s_key.AsSpan(1)))
            .Should().Throw<ArgumentException>().WithMessage("*48 octets; it has 47*");
        FluentActions.Invoking(() => AuditTrail.Verify(Trail, s_key.AsSpan(1)))
            .Should().Throw<ArgumentException>().WithMessage("*48 octets; it has 47*");
        FluentActions.Invoking(() => AuditTrail.Begin("", s_key)).Should().Throw<ArgumentException>();
        FluentActions.Invoking(() => AuditTrail.Open("")).Should().Throw<ArgumentException>();
        File.Exists(Trail).Should().BeFalse();
    }

    [Test]
    public void A_file_with_anything_in_it_is_not_begun_over()
    {
        File.WriteAllText(Trail, "x");

        FluentActions.Invoking(() => AuditTrail.Begin(Trail, s_key)).Should().Throw<MaterialException>().WithMessage("*already*");

        File.ReadAllText(Trail).Should().Be("x");
        File.Exists(State).Should().BeFalse();
    }

    [Test]
    public void A_folder_that_is_not_there_is_told()
    {
        var trail = Path.Combine(_folder["missing"], "audit.log");

        FluentActions.Invoking(() => AuditTrail.Begin(trail, s_key)).Should().Throw<MaterialException>();
        FluentActions.Invoking(() => AuditTrail.Open(trail)).Should().Throw<MaterialException>();
        AuditTrail.Verify(trail, s_key).Problem.Should().Be(AuditProblem.Unreadable);
    }

    [TestCase(false)]
    [TestCase(true)]
    public async Task A_trail_that_is_gone_is_told_and_nothing_is_held_after_that(bool isAFolderNow)
    {
        AuditTrail.Begin(Trail, s_key);
        File.Delete(Trail);
        if (isAFolderNow)
        {
            Directory.CreateDirectory(Trail);
        }

        FluentActions.Invoking(() => AuditTrail.Open(Trail)).Should().Throw<MaterialException>().WithMessage("*cannot be opened*");
        AuditTrail.Verify(Trail, s_key).Problem.Should().Be(AuditProblem.Unreadable);

        if (isAFolderNow)
        {
            Directory.Delete(Trail);
        }

        File.WriteAllText(Trail, "");
        await AuditTrail.Open(Trail).DisposeAsync();
    }

    [Test]
    public void The_state_of_another_trail_fits_no_empty_one()
    {
        AuditTrail.Begin(Trail, [.. s_key.Reverse()]);

        AuditTrail.Verify(Trail, s_key).Problem.Should().Be(AuditProblem.StateChanged);
    }

    [TestCase(1)]
    [TestCase(3)]
    public async Task A_state_whose_count_was_changed_is_seen(int said)
    {
        await WriteAsync(4);
        var parts = File.ReadAllText(State).Split(' ');
        parts[1] = $"{said}";
        File.WriteAllText(State, string.Join(' ', parts));

        AuditTrail.Verify(Trail, s_key).Problem.Should().Be(AuditProblem.StateChanged);
    }

    [Test]
    public async Task A_state_with_another_code_of_the_last_entry_is_seen()
    {
        await WriteAsync(4);
        var parts = File.ReadAllText(State).Split(' ');
        parts[3] = new string('0', parts[3].Length);
        File.WriteAllText(State, string.Join(' ', parts));

        AuditTrail.Verify(Trail, s_key).Problem.Should().Be(AuditProblem.StateChanged);
    }

    [Test]
    public async Task A_code_in_other_letters_is_another_entry()
    {
        await WriteAsync(2);
        var lines = File.ReadAllLines(Trail);
        lines[0] = lines[0][..96].ToUpperInvariant() + lines[0][96..];
        File.WriteAllText(Trail, string.Join('\n', lines) + "\n");

        AuditTrail.Verify(Trail, s_key).Should().BeEquivalentTo(new { Problem = AuditProblem.Changed, Entries = 0L });
    }

    [Test]
    public async Task An_event_that_waits_while_the_disk_fails_is_told_so()
    {
        using var isWriting = new ManualResetEventSlim();
        using var mayGoOn = new ManualResetEventSlim();
        AuditTrail.Begin(Trail, s_key);
        await using var trail = AuditTrail.Open(Trail, TimeProvider.System, _ =>
        {
            isWriting.Set();
            mayGoOn.Wait(TimeSpan.FromSeconds(10));
            throw new IOException("No space left on device");
        });
        var first = trail.RecordAsync(new AuditEvent("first", ""));
        isWriting.Wait(TimeSpan.FromSeconds(10)).Should().BeTrue();
        var behind = trail.RecordAsync(new AuditEvent("behind", ""));

        mayGoOn.Set();

        foreach (var lost in (Task[])[first, behind])
        {
            await FluentActions.Awaiting(() => lost.WaitAsync(TimeSpan.FromSeconds(10))).Should().ThrowAsync<IOException>().WithMessage("*No space*");
        }
    }

    [TestCase(1)]
    [TestCase(4)]
    public async Task An_end_of_the_same_length_that_is_another_is_not_written_on(int entries)
    {
        await WriteAsync(entries);
        var octets = File.ReadAllBytes(Trail);
        var last = octets.AsSpan(0, octets.Length - 1).LastIndexOf((byte)'\n') + 1;
        octets[last] = octets[last] == (byte)'0' ? (byte)'1' : (byte)'0';
        File.WriteAllBytes(Trail, octets);

        FluentActions.Invoking(() => AuditTrail.Open(Trail)).Should().Throw<MaterialException>().WithMessage("*does not end as it did*");
        octets[^1] = (byte)' ';
        File.WriteAllBytes(Trail, octets);
        FluentActions.Invoking(() => AuditTrail.Open(Trail)).Should().Throw<MaterialException>().WithMessage("*does not end as it did*");
    }

    [TestCase("abc")]
    [TestCase("")]
    [TestCase("{code}_{\"n\":1}")]
    [TestCase("{CODE} {\"n\":1}")]
    [TestCase("{code} {\"n\":1}")]
    [TestCase("{code} ")]
    public async Task A_line_that_is_no_entry_is_seen_and_not_written_on(string line)
    {
        await WriteAsync(1);
        var code = new string('a', 96);
        File.AppendAllText(
            Trail,
            line.Replace("{code}", code, StringComparison.Ordinal).Replace("{CODE}", code.ToUpperInvariant(), StringComparison.Ordinal) + "\n");

        AuditTrail.Verify(Trail, s_key).Should().BeEquivalentTo(new { Problem = AuditProblem.Changed, Entries = 1L });
        FluentActions.Invoking(() => AuditTrail.Open(Trail)).Should().Throw<MaterialException>().WithMessage("*did not write*");
    }

    [Test]
    public async Task What_is_longer_than_any_entry_is_no_crash()
    {
        await WriteAsync(1);
        await File.AppendAllTextAsync(Trail, new string('x', 128 * 1024));

        FluentActions.Invoking(() => AuditTrail.Open(Trail)).Should().Throw<MaterialException>().WithMessage("*no entry*");
        new FileInfo(Trail).Length.Should().BeGreaterThan(128 * 1024, "nothing is removed that an auditor should see");
    }

    [Test]
    public async Task The_whole_beginning_of_an_entry_is_removed_however_long()
    {
        await WriteAsync(1);
        await File.AppendAllTextAsync(Trail, new string('x', 5000));

        await AuditTrail.Open(Trail).DisposeAsync();

        AuditTrail.Verify(Trail, s_key).Should().BeEquivalentTo(new { IsIntact = true, Entries = 2L });
    }

    [Test]
    public async Task After_a_crash_between_the_seal_and_the_end_of_its_key_the_trail_is_sealed()
    {
        byte[] sealedTrail = [], state = [];
        AuditTrail.Begin(Trail, s_key);
        await using (var trail = AuditTrail.Open(
            Trail,
            TimeProvider.System,
            step => (sealedTrail, state) = step == "flushed" ? (File.ReadAllBytes(Trail), File.ReadAllBytes(State)) : (sealedTrail, state)))
        {
            await trail.SealAsync();
        }

        File.WriteAllBytes(Trail, sealedTrail);
        File.WriteAllBytes(State, state);
        AuditTrail.Verify(Trail, s_key).Should().BeEquivalentTo(new { IsIntact = true, IsSealed = true });

        FluentActions.Invoking(() => AuditTrail.Open(Trail)).Should().Throw<MaterialException>().WithMessage("*is sealed*");

        File.Exists(State).Should().BeFalse("the key is gone now");
        AuditTrail.Verify(Trail, s_key).Should().BeEquivalentTo(new { IsIntact = true, IsSealed = true });
    }

    [Test]
    public async Task An_event_that_came_beside_the_seal_is_not_taken_for_recorded()
    {
        using var isWriting = new ManualResetEventSlim();
        using var mayGoOn = new ManualResetEventSlim();
        AuditTrail.Begin(Trail, s_key);
        await using var trail = AuditTrail.Open(Trail, TimeProvider.System, step =>
        {
            isWriting.Set();
            mayGoOn.Wait(TimeSpan.FromSeconds(10));
        });
        var first = trail.RecordAsync(new AuditEvent("first", ""));
        isWriting.Wait(TimeSpan.FromSeconds(10)).Should().BeTrue();
        var seal = trail.SealAsync();
        var beside = trail.RecordAsync(new AuditEvent("beside", ""));

        mayGoOn.Set();

        await first.WaitAsync(TimeSpan.FromSeconds(10));
        await seal.WaitAsync(TimeSpan.FromSeconds(10));
        await FluentActions.Awaiting(() => beside.WaitAsync(TimeSpan.FromSeconds(10))).Should().ThrowAsync<ObjectDisposedException>();
        AuditTrail.Verify(Trail, s_key).Should().BeEquivalentTo(new { IsIntact = true, IsSealed = true, Entries = 2L });
    }

    private async Task WriteAsync(int entries)
    {
        AuditTrail.Begin(Trail, s_key);
        await using var trail = AuditTrail.Open(Trail);
        for (var i = 0; i < entries; i++)
        {
            await RecordAsync(trail, new AuditEvent("came", Encoding.ASCII.GetString([(byte)('a' + i)])));
        }
    }

    private static Task RecordAsync(AuditTrail trail, AuditEvent what) => trail.RecordAsync(what).WaitAsync(TimeSpan.FromSeconds(10));
}
