using MutualAuth.Reloading;
using MutualAuth.Tests.Support;

namespace MutualAuth.Tests.Reloading;

/// <summary>When files count as complete, and what is read of them.</summary>
public sealed class FollowedFilesTests
{
    private const int Large = 1 << 20; // from here on a file is not read again while its stamp stays

    private static readonly TimeSpan s_quiet = TimeSpan.FromMilliseconds(100);

    private TemporaryFolder _folder = null!;

    [SetUp]
    public void SetUp() => _folder = new TemporaryFolder();

    [TearDown]
    public void TearDown() => _folder.Dispose();

    [Test]
    public void Files_are_at_rest_once_they_have_stood_for_the_quiet_time_and_not_before()
    {
        var files = Follow("one");

        files.IsAtRest(files.Look(), s_quiet).Should().BeFalse();
        Pass(s_quiet - TimeSpan.FromMilliseconds(1));
        files.IsAtRest(files.Look(), s_quiet).Should().BeFalse();
        Pass(TimeSpan.FromMilliseconds(1));
        files.IsAtRest(files.Look(), s_quiet).Should().BeTrue();
    }

    [Test]
    public void Without_a_quiet_time_they_are_at_rest_at_once()
    {
        var files = Follow("one");

        files.IsAtRest(files.Look(), TimeSpan.Zero).Should().BeTrue();
    }

    [Test]
    public void Another_change_begins_the_quiet_time_again_and_not_the_time_that_they_have_been_restless()
    {
        var files = Follow("one");
        files.RestlessFor.Should().Be(TimeSpan.Zero);
        Pass(s_quiet);
        files.IsAtRest(files.Look(), s_quiet);
        Pass(s_quiet / 2);
        _folder.Write("one", "changed");
        files.IsAtRest(files.Look(), s_quiet).Should().BeFalse();

        Pass(s_quiet / 2);

        files.IsAtRest(files.Look(), s_quiet).Should().BeFalse("the second content has stood for half of it");
        files.RestlessFor.Should().Be(s_quiet);
        files.Rest();
        files.RestlessFor.Should().Be(TimeSpan.Zero);
        Pass(s_quiet);
        files.IsAtRest(files.Look(), s_quiet).Should().BeFalse("it counts from the beginning");
        files.RestlessFor.Should().Be(TimeSpan.Zero);
    }

    [Test]
    public void A_file_that_is_open_for_writing_is_complete_once_it_has_stood_for_ten_seconds()
    {
        Assume.That(OperatingSystem.IsLinux(), "Linux tells.");
        var files = Follow("one", "two");
        using var writer = new FileStream(_folder["two"], FileMode.Open, FileAccess.Write, FileShare.ReadWrite);
        files.IsAtRest(files.Look(), s_quiet);

        Pass(TimeSpan.FromSeconds(10) - TimeSpan.FromMilliseconds(1));
        files.IsAtRest(files.Look(), s_quiet).Should().BeFalse();
        Pass(TimeSpan.FromMilliseconds(1));
        files.IsAtRest(files.Look(), s_quiet).Should().BeTrue();
    }

    [Test]
    public void A_file_that_is_gone_is_written_by_nobody()
    {
        var files = Follow("one");
        File.Delete(_folder["one"]);
        var look = files.Look();
        files.IsAtRest(look, s_quiet);

        Pass(s_quiet);

        files.IsAtRest(files.Look(), s_quiet).Should().BeTrue();
    }

    [Test]
    public void A_look_has_the_content_of_every_file_in_their_order_and_another_mark_for_each_change()
    {
        var files = Follow("one", "two");
        var first = files.Look();
        first.Contents().Select(content => (content.Path, content.Text)).Should().Equal((_folder["one"], "one"), (_folder["two"], "two"));

        _folder.Write("one", "two");
        var second = files.Look();
        _folder.Write("two", "one");
        var third = files.Look();

        new[] { first.Mark, second.Mark, third.Mark }.Should().OnlyHaveUniqueItems();
        files.LookUntilTheSame().Mark.Should().Be(third.Mark);
    }

    [Test]
    public void A_file_that_cannot_be_read_has_a_mark_and_throws_when_its_content_is_asked_for()
    {
        var files = Follow("one", "two");
        var whole = files.Look().Mark;
        File.Delete(_folder["two"]);

        var look = files.Look();

        look.Mark.Should().NotBe(whole);
        files.Look().Mark.Should().Be(look.Mark, "nothing has changed since");
        FluentActions.Invoking(() => look.Contents()).Should().Throw<MaterialException>().WithMessage($"*{_folder["two"]}*");
    }

    [Test]
    public void A_file_that_is_too_large_is_a_problem_of_that_file()
    {
        _folder.Write("one", new string('x', 11));
        var files = new FollowedFiles([_folder["one"]], 10, _folder.Clock);

        files.Look().Files.Should().ContainSingle().Which.Problem!.Message.Should().Contain("11 bytes");
    }

    [TestCase(Large, true)]
    [TestCase(Large - 1, false)]
    public void A_large_file_is_not_read_again_while_its_stamp_stays(int length, bool isSpared)
    {
        Write(length, 'a');
        var files = Follow("large");
        var first = files.Look();
        first.Files[0].WasRead.Should().BeTrue();
        Pass(FileStamp.Settling);
        files.Look().Files[0].WasRead.Should().BeTrue("within the coarsest tick of a file system's clock nothing can be said");

        Pass(TimeSpan.FromTicks(1));
        var look = files.Look();

        look.Files[0].WasRead.Should().Be(!isSpared);
        look.Mark.Should().Be(first.Mark);
        look.Contents()[0].Bytes.Should().HaveCount(length).And.OnlyContain(octet => octet == 'a');
    }

    [Test]
    public void A_large_file_with_another_stamp_is_read_again_and_for_as_long_as_the_stamp_is_young()
    {
        Write(Large, 'a');
        var files = Follow("large");
        var first = files.Look().Mark;
        Pass(FileStamp.Settling * 2);

        Write(Large + 1, 'b');
        var second = files.Look();
        second.Files[0].WasRead.Should().BeTrue();
        second.Mark.Should().NotBe(first);
        files.Look().Files[0].WasRead.Should().BeTrue("this stamp has only just been seen");
    }

    [Test]
    public void A_large_file_that_is_not_what_it_was_when_it_was_read_is_refused()
    {
        Write(Large, 'a');
        var files = Follow("large");
        files.Look();
        Pass(FileStamp.Settling * 2);
        var look = files.Look();

        Write(Large, 'b');

        FluentActions.Invoking(() => look.Contents()).Should().Throw<MaterialException>().WithMessage("*changed while it was read*");
        Write(Large, 'a');
        look.Contents()[0].Bytes.Should().HaveCount(Large);
    }

    [Test]
    public void What_is_read_at_once_is_all_from_the_same_side_of_a_change()
    {
        _folder.Write("one", "1");
        _folder.Write("two", "1");
        var clock = new ActingClock(_folder.Clock, call =>
        {
            if (call == 2)
            {
                _folder.Write("two", "22"); // while it is looked at for the first time, so that it is looked at closely again
            }
            else if (call == 3)
            {
                _folder.Write("one", "333"); // has been looked at just before
                _folder.Write("two", "333");
            }
        });
        var files = new FollowedFiles([_folder["one"], _folder["two"]], 100, clock);

        files.LookUntilTheSame().Contents().Select(content => content.Text).Should().Equal("333", "333");
    }

    [Test]
    public void Files_that_change_at_every_look_are_given_up()
    {
        _folder.Write("one", "1");
        var looks = 0;
        var clock = new ActingClock(_folder.Clock, call => _folder.Write("one", new string('x', looks = call)));
        var files = new FollowedFiles([_folder["one"]], 100, clock);

        files.LookUntilTheSame();

        looks.Should().BeInRange(3, 17);
    }

    /// <summary>Does something each time that it is asked: a file with another stamp is about to be read then.</summary>
    private sealed class ActingClock(TimeProvider time, Action<int> act) : TimeProvider
    {
        private int _calls;

        public override long TimestampFrequency => time.TimestampFrequency;

        public override long GetTimestamp()
        {
            act(++_calls);
            return time.GetTimestamp();
        }
    }

    private FollowedFiles Follow(params string[] names)
    {
        foreach (var name in names.Where(name => !File.Exists(_folder[name])))
        {
            _folder.Write(name, name);
        }

        return new FollowedFiles([.. names.Select(name => _folder[name])], 4 * Large, _folder.Clock);
    }

    private void Write(int length, char content) => _folder.Write("large", new string(content, length));

    private void Pass(TimeSpan time) => _folder.Clock.Advance(time);
}
