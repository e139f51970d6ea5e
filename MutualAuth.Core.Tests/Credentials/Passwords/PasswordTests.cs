using MutualAuth.Credentials;
using MutualAuth.Tests.Support;

namespace MutualAuth.Tests.Credentials;

/// <summary>A password in a file, and as it is typed.</summary>
public sealed class PasswordTests
{
    [TestCase("pencil", "pencil")]
    [TestCase("pencil\n", "pencil")]
    [TestCase("pencil\r\nanother line\n", "pencil")]
    [TestCase("pencil\r", "pencil")]
    [TestCase(" pen cil \n", " pen cil ")]
    [TestCase("p\u00e9ncil\n", "pe\u0301ncil")]
    public void The_first_line_of_a_file_is_the_password_and_its_end_is_not(string content, string typed)
    {
        using var folder = new TemporaryFolder();
        using var expected = Password.From(typed);

        using var password = Password.FromFile(folder.Write("password", content));

        password.Utf8.ToArray().Should().Equal(expected.Utf8.ToArray());
    }

    [TestCase("")]
    [TestCase("\nsecret-of-alice")]
    [TestCase("sec\u0007ret-of-alice")]
    public void A_first_line_that_is_none_is_refused_by_the_files_name_and_not_quoted(string content)
    {
        using var folder = new TemporaryFolder();
        var path = folder.Write("password", content);

        FluentActions.Invoking(() => Password.FromFile(path)).Should().Throw<MaterialException>().Which.Message
            .Should().Contain(path).And.NotContain("ret-of-alice");
    }

    [TestCase(4096, true)]
    [TestCase(4097, false)]
    public void A_file_has_4096_octets_at_most(int length, bool isRead)
    {
        using var folder = new TemporaryFolder();
        var path = folder.Write("password", "pencil\n".PadRight(length));

        var read = () => Password.FromFile(path).Dispose();

        if (isRead)
        {
            read.Should().NotThrow();
        }
        else
        {
            read.Should().Throw<MaterialException>();
        }
    }

    [TestCase(1, true)]
    [TestCase(1024, true)]
    [TestCase(0, false)]
    [TestCase(1025, false)]
    public void A_password_has_1_to_1024_characters(int length, bool isOne)
    {
        var make = () => Password.From(new string('p', length)).Dispose();

        if (isOne)
        {
            make.Should().NotThrow();
        }
        else
        {
            make.Should().Throw<FormatException>();
        }
    }

    [Test]
    public void One_that_was_wiped_cannot_be_used()
    {
        var password = Password.From("pencil");
        password.Dispose();

        FluentActions.Invoking(() => ScramVerifier.Create(password, iterations: 4096)).Should().Throw<ObjectDisposedException>();
        password.ToString().Should().NotContain("pencil");
    }
}
