using System.Runtime.Versioning;
using System.Text;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Testing;
using Microsoft.Extensions.Time.Testing;
using MutualAuth.Credentials;
using MutualAuth.Reloading;

namespace MutualAuth.Tests.Credentials;

[CancelAfter(30000)]
public sealed class FileCredentialStoreTests
{
    private const string Keys = "WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY=:wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU=";
    private const string Verifier = $"SCRAM-SHA-256$4096:{Sasl.Salt}${Keys}";

    private string _directory = null!;
    private string _path = null!;

    [SetUp]
    public void SetUp()
    {
        _directory = Directory.CreateTempSubdirectory("mutualauth-").FullName;
        _path = Path.Combine(_directory, "users");
    }

    [TearDown]
    public void TearDown() => Directory.Delete(_directory, recursive: true);

    [Test]
    public async Task What_was_set_is_there_after_a_restart()
    {
        var store = FileCredentialStore.OpenOrCreate(_path);
        await store.SetAsync("bob", ScramVerifier.Parse(Verifier));
        await store.SetAsync("alice", Sasl.Verifier("x", ScramHash.Sha512));
        await store.SetAsync("alice", ScramVerifier.Parse(Verifier));
        await store.SetDisabledAsync("bob", true);

        var again = FileCredentialStore.Open(_path);

        (await again.FindAsync("alice", default))!.Verifiers.Select(verifier => verifier.Hash)
            .Should().BeEquivalentTo([ScramHash.Sha256, ScramHash.Sha512]);
        (await again.FindAsync("bob", default))!.IsDisabled.Should().BeTrue();
        (await again.FindAsync("Bob", default)).Should().BeNull();
        File.ReadAllLines(_path).Should().HaveCount(3).And.Contain($"bob:!{Verifier}").And.Contain($"alice:{Verifier}");
    }

    [Test]
    public async Task A_change_tells_whether_the_user_was_there()
    {
        Write($"alice:{Verifier}\n");
        var store = FileCredentialStore.Open(_path);

        (await store.SetDisabledAsync("bob", true)).Should().BeFalse();
        (await store.RemoveAsync("alice")).Should().BeTrue();
        (await store.RemoveAsync("alice")).Should().BeFalse();

        store.Count.Should().Be(0);
        File.ReadAllText(_path).Should().BeEmpty();
    }

    [Test]
    public void A_missing_file_is_an_error_unless_it_is_to_be_made()
    {
        FluentActions.Invoking(() => FileCredentialStore.Open(_path)).Should().Throw<MaterialException>().WithMessage($"*{_path}*");
        FileCredentialStore.OpenOrCreate(_path).Count.Should().Be(0);
        FileCredentialStore.Open(_path).Count.Should().Be(0);
        FluentActions.Invoking(() => FileCredentialStore.OpenOrCreate(Path.Combine(_directory, "no", "such"))).Should().Throw<MaterialException>();
    }

    [TestCase("alice", TestName = "Credential file: no verifier")]
    [TestCase($":{Verifier}", TestName = "Credential file: no name")]
    [TestCase($"al\u0007ice:{Verifier}", TestName = "Credential file: a name with a control character")]
    [TestCase("alice:secret", TestName = "Credential file: a password in clear")]
    [TestCase("alice:SCRAM-SHA-1$4096:W22ZaJ0SNY7soEsUEjb6gQ==$AAAA:AAAA", TestName = "Credential file: another hash")]
    [TestCase($"alice:SCRAM-SHA-256$-1:{Sasl.Salt}${Keys}", TestName = "Credential file: a negative count")]
    [TestCase($"alice:SCRAM-SHA-256$99999999999:{Sasl.Salt}${Keys}", TestName = "Credential file: a count beyond all bounds")]
    [TestCase(
        $"alice:SCRAM-SHA-256$4096:{Sasl.Salt}$WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY=:wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2Q==",
        TestName = "Credential file: a key that is cut")]
    [TestCase($"alice:{Verifier} # a comment", TestName = "Credential file: a comment behind a user")]
    [TestCase($"alice:!!{Verifier}", TestName = "Credential file: disabled twice")]
    public void A_malformed_line_is_named_by_its_number_and_nothing_of_it_is_quoted(string line)
    {
        Write($"# users\n\nbob:{Verifier}\n{line}\ncarol:{Verifier}\n");

        var message = FluentActions.Invoking(() => FileCredentialStore.Open(_path)).Should().Throw<MaterialException>().Which.Message;

        message.Should().Contain("Line 4").And.Contain(_path).And.NotContain("secret").And.NotContain("WG5d8");
    }

    [TestCase("", true)]
    [TestCase("salt", false)]
    [TestCase("StoredKey", false)]
    [TestCase("ServerKey", false)]
    public void A_part_that_says_its_octets_in_another_way_than_they_are_written_is_refused_at_load(string part, bool isTaken)
    {
        string[] parts = [Sasl.Salt, .. Keys.Split(':')];
        var place = Array.IndexOf(["salt", "StoredKey", "ServerKey"], part);
        if (isTaken)
        {
            Load(parts)().Count.Should().Be(2);
            return;
        }

        // The platform reads over white space anywhere, and over last bits that are not zero.
        var canonical = parts[place];
        for (var at = 0; at < canonical.Length; at++)
        {
            foreach (var space in new[] { " ", "\t" })
            {
                Refuse(canonical.Insert(at, space));
            }
        }

        var digits = canonical.TrimEnd('=');
        Refuse(digits[..^1] + (char)(digits[^1] + 1) + canonical[digits.Length..]);
        Refuse(digits);
        Refuse(canonical + "=");

        void Refuse(string other) => Load([.. parts.Select((text, index) => index == place ? other : text)]).Should()
            .Throw<MaterialException>(other).WithMessage("Line 2 of*").Which.Message.Should().NotContain(other);

        Func<FileCredentialStore> Load(string[] parts) => () =>
        {
            Write($"bob:{Verifier}\nalice:SCRAM-SHA-256$4096:{parts[0]}${parts[1]}:{parts[2]}\n");
            return FileCredentialStore.Open(_path);
        };
    }

    [Test]
    public void Two_verifiers_for_one_hash_are_an_error_because_one_of_them_is_an_old_password()
    {
        Write($"alice:{Verifier}\nalice:{Verifier}\n");

        FluentActions.Invoking(() => FileCredentialStore.Open(_path)).Should().Throw<MaterialException>().WithMessage("Line 2*");
    }

    [Test]
    public async Task One_disabled_line_disables_the_user()
    {
        Write($"alice:{Verifier}\nalice:!{Sasl.Verifier("x", ScramHash.Sha512)}\nbob:{Verifier}\n");
        var store = FileCredentialStore.Open(_path);

        (await store.FindAsync("alice", default))!.IsDisabled.Should().BeTrue();
        (await store.FindAsync("bob", default))!.IsDisabled.Should().BeFalse();
    }

    [Test]
    public async Task A_change_from_outside_is_seen_when_a_second_has_passed_and_not_before()
    {
        Write($"alice:{Verifier}\n");
        var time = Clock();
        var store = FileCredentialStore.Open(_path, time);

        Write($"alice:{Verifier}\nbob:{Verifier}\n");
        (await store.FindAsync("bob", default)).Should().BeNull();

        time.Advance(TimeSpan.FromSeconds(1));
        (await store.FindAsync("bob", default)).Should().NotBeNull();
    }

    [Test]
    public async Task A_file_that_cannot_be_read_any_more_leaves_the_last_good_users_and_says_so()
    {
        Write($"alice:{Verifier}\n");
        var time = Clock();
        var log = new FakeLogCollector();
        using var loggers = new LoggerFactory([new FakeLoggerProvider(log)]);
        var store = FileCredentialStore.Open(_path, time, loggers);

        Write($"bob:{Verifier}\nalice:nonsense\n");
        time.Advance(TimeSpan.FromSeconds(1));
        (await store.FindAsync("bob", default)).Should().BeNull();
        (await store.FindAsync("alice", default)).Should().NotBeNull();
        var record = log.GetSnapshot().Should().ContainSingle(record => record.Id.Id == 1302).Subject;
        record.Message.Should().Contain("Line 2").And.NotContain("nonsense");

        File.Delete(_path);
        time.Advance(TimeSpan.FromSeconds(1));
        (await store.FindAsync("alice", default)).Should().NotBeNull();

        Write($"bob:{Verifier}\n");
        time.Advance(TimeSpan.FromSeconds(1));
        (await store.FindAsync("bob", default)).Should().NotBeNull();
        (await store.FindAsync("alice", default)).Should().BeNull();
        log.GetSnapshot().Should().Contain(record => record.Id.Id == 1303);
    }

    [Test]
    public async Task A_malformed_file_is_not_overwritten_by_a_change()
    {
        var store = FileCredentialStore.OpenOrCreate(_path);
        Write("alice:nonsense\n");

        var set = async () => await store.SetAsync("bob", ScramVerifier.Parse(Verifier));

        await set.Should().ThrowAsync<MaterialException>();
        File.ReadAllText(_path).Should().Be("alice:nonsense\n");
    }

    [Test]
    public async Task Two_stores_that_write_at_once_lose_nothing_of_each_other()
    {
        var one = FileCredentialStore.OpenOrCreate(_path);
        var two = FileCredentialStore.OpenOrCreate(_path);
        var verifier = ScramVerifier.Parse(Verifier);

        await Parallel.ForEachAsync(Enumerable.Range(0, 40), new ParallelOptions { MaxDegreeOfParallelism = 4 }, async (number, token) =>
            await (number % 2 == 0 ? one : two).SetAsync($"user{number}", verifier, token));

        FileCredentialStore.Open(_path).Count.Should().Be(40);
        Directory.GetFiles(_directory).Select(Path.GetFileName).Should().BeEquivalentTo("users", "users.lock");
    }

    [Test]
    public async Task A_reader_sees_the_old_users_or_the_new_ones_while_somebody_writes()
    {
        var store = FileCredentialStore.OpenOrCreate(_path);
        var verifier = ScramVerifier.Parse(Verifier);
        await store.SetAsync("alice", verifier);
        var writing = Task.Run(async () =>
        {
            for (var number = 0; number < 50; number++)
            {
                await store.SetAsync($"user{number}", verifier);
            }
        });

        var seen = 0;
        while (!writing.IsCompleted)
        {
            var count = FileCredentialStore.Open(_path).Count;
            count.Should().BeGreaterThanOrEqualTo(Math.Max(1, seen));
            seen = count;
        }

        await writing;
        FileCredentialStore.Open(_path).Count.Should().Be(51);
    }

    [Test]
    public async Task A_writer_waits_for_whoever_holds_the_lock_as_another_process_would()
    {
        var store = FileCredentialStore.OpenOrCreate(_path);
        Task writing;
        using (await FileLock.AcquireAsync(_path + ".lock", default))
        {
            writing = store.SetAsync("alice", ScramVerifier.Parse(Verifier)).AsTask();
            writing.IsCompleted.Should().BeFalse();
            File.ReadAllText(_path).Should().BeEmpty();
        }

        await writing;
        FileCredentialStore.Open(_path).Count.Should().Be(1);
    }

    [TestCaseSource(nameof(Steps))]
    public async Task A_crash_while_the_file_is_replaced_leaves_the_old_users_or_the_new_ones(object step)
    {
        Write($"alice:{Verifier}\n");
        var content = Encoding.UTF8.GetBytes($"alice:{Verifier}\nbob:{Verifier}\n");

        FluentActions.Invoking(() => AtomicFile.Replace(_path, content, at => Crash(at, (ReplaceStep)step))).Should().Throw<Crashed>();

        var store = FileCredentialStore.Open(_path);
        store.Count.Should().Be((ReplaceStep)step >= ReplaceStep.Renamed ? 2 : 1);

        // What the crash left behind is in nobody's way.
        await store.SetAsync("carol", ScramVerifier.Parse(Verifier));
        FileCredentialStore.Open(_path).Count.Should().Be((ReplaceStep)step >= ReplaceStep.Renamed ? 3 : 2);
        File.Exists(_path + ".new").Should().BeFalse();
    }

    [Test]
    [UnsupportedOSPlatform("windows")]
    public async Task Only_the_owner_may_read_it()
    {
        if (OperatingSystem.IsWindows())
        {
            Assert.Ignore("Windows has other rights.");
        }

        var store = FileCredentialStore.OpenOrCreate(_path);
        await store.SetAsync("alice", ScramVerifier.Parse(Verifier));

        File.GetUnixFileMode(_path).Should().Be(UnixFileMode.UserRead | UnixFileMode.UserWrite);
    }

    [TestCase(0, true)]
    [TestCase(-1, false)]
    public async Task A_change_that_would_make_the_file_too_long_to_be_read_again_is_not_made(int spare, bool isMade)
    {
        Write($"alice:{Verifier}\n");
        var length = 2 * new FileInfo(_path).Length; // carol's name is as long
        var store = FileCredentialStore.Open(_path, new FileCredentialStoreOptions { MaxFileBytes = (int)length + spare });

        var set = () => store.SetAsync("carol", ScramVerifier.Parse(Verifier)).AsTask();

        if (isMade)
        {
            await set.Should().NotThrowAsync();
        }
        else
        {
            await set.Should().ThrowAsync<MaterialException>().WithMessage($"*{length - 1}*");
        }

        (await store.ListAsync()).Select(user => user.UserName).Should().Equal(isMade ? ["alice", "carol"] : ["alice"]);
    }

    [Test]
    public async Task Users_are_listed_by_name_as_the_file_has_them_now()
    {
        var store = FileCredentialStore.OpenOrCreate(_path, Clock());
        Write($"bob:{Verifier}\nalice:{Verifier}\nBob:!{Verifier}\n");

        (await store.ListAsync()).Select(user => (user.UserName, user.IsDisabled)).Should().Equal(("Bob", true), ("alice", false), ("bob", false));
        Write("nonsense\n");
        await store.Awaiting(each => each.ListAsync().AsTask()).Should().ThrowAsync<MaterialException>();
    }

    [Test]
    public void Other_users_are_told_to_whoever_listens_and_the_same_ones_are_not()
    {
        Write($"alice:{Verifier}\n");
        var store = FileCredentialStore.Open(_path, Clock());
        var replaced = 0;
        store.Replaced += (_, _) => replaced++;

        store.ReloadIfChanged();
        File.Delete(_path);
        Write($"alice:{Verifier}\n"); // another file with the same users
        store.ReloadIfChanged();
        replaced.Should().Be(0);

        Write($"bob:{Verifier}\n");
        store.ReloadIfChanged();
        store.ReloadIfChanged();
        replaced.Should().Be(1);

        store.Dispose();
        Write($"carol:{Verifier}\n");
        store.ReloadIfChanged();
        (replaced, store.Count).Should().Be((1, 1), "nobody listens any more");
    }

    [Test]
    public void A_report_says_what_it_was_made_of()
    {
        var at = DateTimeOffset.UnixEpoch;

        var report = new CredentialFileHealth(letsUsersIn: true, "a problem", at, canOthersRead: true);

        (report.LetsUsersIn, report.Problem, report.GoodAt, report.CanOthersRead).Should().Be((true, "a problem", at, true));
        (report == report with { LetsUsersIn = false }).Should().BeFalse();
    }

    [Test]
    public async Task A_link_is_followed_and_stays_one()
    {
        if (OperatingSystem.IsWindows())
        {
            Assert.Ignore("Links need rights there.");
        }

        var (one, two) = (Path.Combine(_directory, "one"), Path.Combine(_directory, "two"));
        File.WriteAllText(one, $"alice:{Verifier}\n");
        File.WriteAllText(two, $"bob:{Verifier}\n");
        File.CreateSymbolicLink(_path, one);
        var time = Clock();
        var store = FileCredentialStore.Open(_path, time);

        await store.SetAsync("carol", ScramVerifier.Parse(Verifier));
        File.ResolveLinkTarget(_path, returnFinalTarget: true)!.FullName.Should().Be(one);
        File.ReadAllText(one).Should().Contain("alice").And.Contain("carol");

        File.Delete(_path);
        File.CreateSymbolicLink(_path, two);
        time.Advance(TimeSpan.FromSeconds(1));
        (await store.FindAsync("bob", default)).Should().NotBeNull();
        (await store.FindAsync("alice", default)).Should().BeNull();
    }

    [Test]
    public async Task Failures_that_cannot_be_cleared_are_told_to_the_operator_and_keep_nobody_from_being_removed()
    {
        var store = FileCredentialStore.OpenOrCreate(_path);
        await store.SetAsync("alice", ScramVerifier.Parse(Verifier));
        var name = Convert.ToHexStringLower(System.Security.Cryptography.SHA256.HashData("alice"u8));
        Directory.CreateDirectory(Path.Combine(_path + ".failures", name)); // where there should be a file

        await store.Awaiting(each => each.ClearFailuresAsync("alice").AsTask()).Should().ThrowAsync<MaterialException>();
        (await store.RemoveAsync("alice")).Should().BeTrue();
        store.Count.Should().Be(0);
    }

    [Test]
    public async Task A_failure_waits_for_whoever_counts_one_of_the_same_user()
    {
        var store = FileCredentialStore.OpenOrCreate(_path);
        await store.SetAsync("alice", ScramVerifier.Parse(Verifier));
        await store.AddFailureAsync("alice", 3);
        Task<int?> adding;
        await using (new FileStream(Directory.GetFiles(_path + ".failures").Single(), FileMode.Open, FileAccess.ReadWrite, FileShare.None))
        {
            adding = store.AddFailureAsync("alice", 3).AsTask();
            adding.IsCompleted.Should().BeFalse();
        }

        (await adding.WaitAsync(TimeSpan.FromSeconds(20))).Should().Be(1);
        (await store.FindFailuresAsync("alice")).Should().Be(2);
    }

    [Test]
    public async Task Failures_are_kept_where_only_the_owner_can_read_them()
    {
        if (OperatingSystem.IsWindows())
        {
            Assert.Ignore("Windows has other rights.");
            return;
        }

        var store = FileCredentialStore.OpenOrCreate(_path);
        await store.SetAsync("alice", ScramVerifier.Parse(Verifier));
        await store.AddFailureAsync("alice", 3);
        await store.AddFailureAsync("alice", 3);

        const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        var file = Directory.GetFiles(_path + ".failures").Should().ContainSingle().Subject;
        new FileInfo(file).Length.Should().Be(2);
        File.GetUnixFileMode(file).Should().Be(OwnerOnly);
        File.GetUnixFileMode(_path + ".failures").Should().Be(OwnerOnly | UnixFileMode.UserExecute);
    }

    private static IEnumerable<object> Steps() => Enum.GetValues<ReplaceStep>().Cast<object>();

    private static void Crash(ReplaceStep at, ReplaceStep step)
    {
        if (at == step)
        {
            throw new Crashed();
        }
    }

    // The clock of the files is the system's.
    private static FakeTimeProvider Clock() => new(DateTimeOffset.UtcNow);

    private void Write(string text) => File.WriteAllText(_path, text);

    private sealed class Crashed : Exception;
}
