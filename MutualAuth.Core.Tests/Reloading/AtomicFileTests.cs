using System.Text;
using MutualAuth.Reloading;
using MutualAuth.Tests.Support;

namespace MutualAuth.Tests.Reloading;

/// <summary>What is left, and what is not, when a file has been replaced, when that failed, and when another was faster.</summary>
public sealed class AtomicFileTests
{
    private TemporaryFolder _folder = null!;

    private string Path => _folder["users"];

    [SetUp]
    public void SetUp() => _folder = new TemporaryFolder();

    [TearDown]
    public void TearDown() => _folder.Dispose();

    [TestCase("")]
    [TestCase("x")]
    [TestCase("seven..")]
    public void The_new_content_is_there_as_a_whole_and_nothing_beside_it(string content)
    {
        _folder.Write("users", "old");

        AtomicFile.Replace(Path, Encoding.ASCII.GetBytes(content), onStep: null);

        File.ReadAllText(Path).Should().Be(content);
        Files().Should().Equal("users");
    }

    [Test]
    public void A_file_that_does_not_exist_is_created()
    {
        AtomicFile.Replace(Path, "new"u8, onStep: null);

        File.ReadAllText(Path).Should().Be("new");
    }

    [Test]
    public void What_a_crash_left_behind_is_replaced_and_not_written_on()
    {
        _folder.Write("users", "old");
        _folder.Write("users.new", "a longer text that a crash left behind");

        AtomicFile.Replace(Path, "new"u8, onStep: null);

        File.ReadAllText(Path).Should().Be("new");
        Files().Should().Equal("users");
    }

    [Test]
    public void A_link_in_the_place_of_the_temporary_file_is_not_followed()
    {
        _folder.Write("users", "old");
        _folder.Write("victim", "untouched");
        File.CreateSymbolicLink(_folder["users.new"], _folder["victim"]);

        AtomicFile.Replace(Path, "new"u8, onStep: null);

        File.ReadAllText(_folder["victim"]).Should().Be("untouched");
        File.ReadAllText(Path).Should().Be("new");
    }

    [Test]
    public void The_steps_come_in_their_order_each_once()
    {
        _folder.Write("users", "old");
        var steps = new List<ReplaceStep>();

        AtomicFile.Replace(Path, "new"u8, steps.Add);

        steps.Should().Equal(Enum.GetValues<ReplaceStep>());
    }

    [TestCase(true)]
    [TestCase(false)]
    public void A_failure_leaves_the_old_content_and_no_temporary_file(bool isDenied)
    {
        _folder.Write("users", "old");
        void Fail(ReplaceStep step)
        {
            if (step == ReplaceStep.Flushed)
            {
                throw isDenied ? new UnauthorizedAccessException("planted") : new IOException("planted");
            }
        }

        FluentActions.Invoking(() => AtomicFile.Replace(Path, "new"u8, Fail)).Should().Throw<Exception>().WithMessage("planted");

        File.ReadAllText(Path).Should().Be("old");
        Files().Should().Equal("users");
    }

    [Test]
    public void A_directory_in_its_place_is_an_error_and_leaves_no_temporary_file()
    {
        Directory.CreateDirectory(Path);

        FluentActions.Invoking(() => AtomicFile.Replace(Path, "new"u8, onStep: null)).Should().Throw<Exception>();

        Directory.Exists(Path).Should().BeTrue();
        Directory.GetFiles(_folder["."]).Should().BeEmpty();
    }

    [Test]
    public void A_directory_that_cannot_be_flushed_is_an_error_that_names_it()
    {
        var directory = _folder["sub"];
        _folder.Write("sub/users", "old");
        void MoveAway(ReplaceStep step)
        {
            if (step == ReplaceStep.Renamed)
            {
                Directory.Move(directory, _folder["elsewhere"]);
            }
        }

        FluentActions.Invoking(() => AtomicFile.Replace(_folder["sub/users"], "new"u8, MoveAway))
            .Should().Throw<IOException>().WithMessage($"*{directory}*cannot be made durable*");

        File.ReadAllText(_folder["elsewhere/users"]).Should().Be("new");
    }

    [Test]
    public void No_file_stays_open()
    {
        Assume.That(Directory.Exists("/proc/self/fd"), "Linux lists a process's open files.");
        _folder.Write("users", "old");

        AtomicFile.Replace(Path, "new"u8, onStep: null);
        AtomicFile.CreateUnlessExists(_folder["other"], "first"u8);

        var folder = System.IO.Path.GetDirectoryName(Path)!;
        Directory.EnumerateFileSystemEntries("/proc/self/fd").Select(Target)
            .Should().NotContain(target => target.StartsWith(folder, StringComparison.Ordinal));

        static string Target(string descriptor)
        {
            try
            {
                return new FileInfo(descriptor).LinkTarget ?? string.Empty;
            }
            catch (IOException)
            {
                return string.Empty; // closed by another test in the meantime
            }
        }
    }

    [Test]
    public void A_file_that_exists_is_not_created_again()
    {
        AtomicFile.CreateUnlessExists(Path, "first"u8);
        AtomicFile.CreateUnlessExists(Path, "second"u8);

        File.ReadAllText(Path).Should().Be("first");
        Files().Should().Equal("users");
    }

    [Test]
    public void A_file_that_cannot_be_created_is_an_error() =>
        FluentActions.Invoking(() => AtomicFile.CreateUnlessExists(_folder["missing/users"], "first"u8)).Should().Throw<IOException>();

    [Test]
    public void What_is_created_is_for_its_owner_alone()
    {
        Assume.That(!OperatingSystem.IsWindows(), "On Unix.");

        AtomicFile.CreateUnlessExists(Path, "first"u8);

#pragma warning disable CA1416 // assumed above
        File.GetUnixFileMode(Path).Should().Be(UnixFileMode.UserRead | UnixFileMode.UserWrite);
#pragma warning restore CA1416
    }

    private IEnumerable<string> Files() => Directory.EnumerateFileSystemEntries(_folder["."]).Select(path => System.IO.Path.GetFileName(path));
}
