using MutualAuth.Credentials;

namespace MutualAuth.Tests.Credentials;

public sealed class StoredFactorTests
{
    [TestCase("a", "totp", "v", true)]
    [TestCase("Az09-_.", "a-0", "!~;,=", true)]
    [TestCase("", "totp", "v", false)]
    [TestCase("a b", "totp", "v", false)]
    [TestCase("a:b", "totp", "v", false)]
    [TestCase("a", "", "v", false)]
    [TestCase("a", "Totp", "v", false)]
    [TestCase("a", "totp", "", false)]
    [TestCase("a", "totp", "a b", false)]
    [TestCase("a", "totp", "a:b", false)]
    [TestCase("a", "totp", "é", false)]
    [TestCase("a", "totp", "a\n", false)]
    public void A_factor_has_the_form_that_files_can_hold(string id, string kind, string data, bool isTaken)
    {
        var make = () => new StoredFactor(id, kind, data);

        if (isTaken)
        {
            make().Should().Be(new StoredFactor(id, kind, data));
        }
        else
        {
            make.Should().Throw<ArgumentException>();
        }
    }

    [TestCase(64, 20, 4096, true)]
    [TestCase(65, 20, 4096, false)]
    [TestCase(64, 21, 4096, false)]
    [TestCase(64, 20, 4097, false)]
    public void Each_part_has_a_longest_form(int id, int kind, int data, bool isTaken)
    {
        var make = () => new StoredFactor(new string('a', id), new string('b', kind), new string('c', data));

        if (isTaken)
        {
            make.Should().NotThrow();
        }
        else
        {
            make.Should().Throw<ArgumentException>();
        }
    }

    [Test]
    public void Neither_its_text_nor_an_error_has_the_data()
    {
        new StoredFactor("phone", "totp", "secret").ToString().Should().Contain("phone").And.NotContain("secret");
        FluentActions.Invoking(() => new StoredFactor("phone", "totp", "a secret")).Should().Throw<ArgumentException>()
            .Which.Message.Should().NotContain("secret");
    }
}
