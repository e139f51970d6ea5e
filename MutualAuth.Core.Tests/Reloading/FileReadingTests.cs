using System.Text;
using MutualAuth.Reloading;
using MutualAuth.Tests.Support;

namespace MutualAuth.Tests.Reloading;

/// <summary>Configured files as they are read: how large, in which lines, and what is said of one that cannot be.</summary>
public sealed class FileReadingTests
{
    private TemporaryFolder _folder = null!;

    [SetUp]
    public void SetUp() => _folder = new TemporaryFolder();

    [TearDown]
    public void TearDown() => _folder.Dispose();

    [Test]
    public void A_file_of_the_largest_size_is_read_and_one_octet_more_is_refused()
    {
        var path = _folder.Write("file", "12345");

        BoundedFile.ReadText(path, 5).Should().Be("12345");

        var problem = FluentActions.Invoking(() => BoundedFile.ReadText(path, 4)).Should().Throw<MaterialException>().Which;
        problem.Problem.Should().Be(MaterialProblem.Unreadable);
        problem.Message.Should().Contain(path).And.Contain("5 bytes").And.Contain("at most 4");
    }

    [Test]
    public void A_file_that_is_missing_is_named()
    {
        var problem = FluentActions.Invoking(() => BoundedFile.ReadBytes(_folder["missing"], 5)).Should().Throw<MaterialException>().Which;

        problem.Problem.Should().Be(MaterialProblem.Unreadable);
        problem.Message.Should().Contain(_folder["missing"]);
        problem.InnerException.Should().BeOfType<FileNotFoundException>();
    }

    [TestCase(".", TestName = "{m}: a directory")]
    [TestCase("a\0b", TestName = "{m}: a name with NUL")]
    public void What_is_no_file_is_a_problem_of_the_material_and_no_other_exception(string name) =>
        FluentActions.Invoking(() => BoundedFile.ReadBytes(_folder[name], 5)).Should().Throw<MaterialException>()
            .Which.Problem.Should().Be(MaterialProblem.Unreadable);

    [Test]
    public void A_fault_of_ours_is_no_unreadable_file()
    {
        BoundedFile.IsUnreadable(new NotSupportedException()).Should().BeTrue();
        BoundedFile.IsUnreadable(new InvalidOperationException()).Should().BeFalse();
    }

    [Test]
    public void A_byte_order_mark_is_no_text()
    {
        BoundedFile.TextOf([0xef, 0xbb, 0xbf, (byte)'a']).Should().Be("a");
        BoundedFile.TextOf([(byte)'a', 0xef, 0xbb, 0xbf]).Should().Be("a\ufeff");
    }

    [Test]
    public void Each_line_with_an_entry_is_read_trimmed_and_no_other()
    {
        var read = new List<string>();

        TextLines.Read("\ufefffirst\r\n\n  # a comment\n#another\n\tsecond # not a comment  \n", "It", read.Add);

        read.Should().Equal("first", "second # not a comment");
    }

    [TestCase(typeof(FormatException))]
    [TestCase(typeof(ArgumentException))]
    [TestCase(typeof(ArgumentOutOfRangeException))]
    public void A_line_that_cannot_be_read_is_named_by_its_number(Type type)
    {
        var thrown = (Exception)Activator.CreateInstance(type)!;

        var read = () => TextLines.Read("# one\ngood\nbad\n", "The file x", Read);

        var problem = read.Should().Throw<MaterialException>().Which;

        problem.Message.Should().StartWith("The file x, line 3: ");
        problem.InnerException.Should().BeSameAs(thrown);

        void Read(string line)
        {
            if (line == "bad")
            {
                throw thrown;
            }
        }
    }

    [Test]
    public void Any_other_exception_of_a_reader_is_no_problem_of_the_line() =>
        FluentActions.Invoking(() => TextLines.Read("x", "It", _ => throw new InvalidOperationException())).Should()
            .Throw<InvalidOperationException>();

    [Test]
    public void Stamps_tell_one_content_from_another_and_a_missing_file_has_one()
    {
        var path = _folder.Write("file", "12345");
        var before = FileStamp.Of(path);
        before.Length.Should().Be(5);
        using (var open = File.OpenHandle(path))
        {
            FileStamp.Of(open).Should().Be(before);
        }

        _folder.Write("file", "123456");
        FileStamp.Of(path).Should().NotBe(before);
        FileStamp.Of(_folder["missing"]).Should().Be(new FileStamp(-1, default, default, null));
    }

    [Test]
    public void A_stamp_is_settled_once_it_is_older_than_any_clock_of_a_file_system_is_coarse()
    {
        var changed = new DateTime(2030, 1, 1, 0, 0, 0, DateTimeKind.Utc);
        var stamp = new FileStamp(1, changed, changed, null);

        stamp.IsSettledAt(changed + FileStamp.Settling).Should().BeFalse();
        stamp.IsSettledAt(changed + FileStamp.Settling + TimeSpan.FromTicks(1)).Should().BeTrue();
    }

    [Test]
    public async Task A_file_has_a_writer_as_long_as_it_is_open_for_writing()
    {
        Assume.That(OperatingSystem.IsLinux(), "Linux tells.");
        var path = _folder.Write("file", "12345");
        using var reader = File.OpenHandle(path, share: FileShare.ReadWrite);
        FileWriters.Has(reader).Should().BeFalse();
        using (new FileStream(path, FileMode.Open, FileAccess.Write, FileShare.ReadWrite))
        {
            FileWriters.Has(reader).Should().BeTrue();
        }

        FileWriters.Has(reader).Should().BeFalse();
        var writing = Task.Run(() => new FileStream(path, FileMode.Open, FileAccess.Write, FileShare.ReadWrite).Dispose());
        await writing.Awaiting(each => each.WaitAsync(TimeSpan.FromSeconds(5))).Should().NotThrowAsync("asking keeps no writer out");
    }

    [Test]
    public void A_content_knows_its_text_and_how_to_begin_a_message()
    {
        var content = new FileContent("/etc/x", Encoding.UTF8.GetBytes("\ufeffä"));

        (content.Text, content.Source).Should().Be(("ä", "The file /etc/x"));
    }
}
