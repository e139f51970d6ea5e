using MutualAuth.Connections;
using MutualAuth.Tests.Support;

namespace MutualAuth.Tests.Connections;

/// <summary>How many descriptors are kept from strangers, so that the process itself never lacks one.</summary>
public sealed class DescriptorLimitTests
{
    [TestCase(1024, 896)]
    [TestCase(800, 700)]
    [TestCase(192, 168)]
    [TestCase(100, 76)]
    [TestCase(2048, 1792)]
    [TestCase(1_000_000, 999_744)]
    public void An_eighth_is_kept_from_24_to_256(int limit, int keepFrom) => DescriptorLimit.KeepFrom(limit).Should().Be(keepFrom);

    [TestCase(1024, 960, 1016)]
    [TestCase(100, 88, 92)]
    public void Beyond_what_is_kept_accepting_first_hurries_and_then_refuses(int limit, int hurryFrom, int refuseFrom) =>
        (DescriptorLimit.HurryFrom(limit), DescriptorLimit.RefuseFrom(limit)).Should().Be((hurryFrom, refuseFrom));

    [Test]
    public void Strangers_get_a_quarter_of_the_rest_and_no_more_than_is_asked_for()
    {
        Assume.That(DescriptorLimit.Current is not null, "Linux tells.");
        var quarter = DescriptorLimit.KeepFrom(DescriptorLimit.Current!.Value) / 4;

        DescriptorLimit.Share(int.MaxValue).Should().Be(quarter);
        DescriptorLimit.Share(9).Should().Be(9);
    }

    [TestCase("Limit  Soft Limit  Hard Limit  Units\nMax processes  7  8  processes\nMax open files  1024  4096  files\n", 1024)]
    [TestCase("Max open files            unlimited            unlimited            files\n", null)]
    [TestCase("Max open files\n", null)]
    [TestCase("Max open files            -1                 4096       files\n", null)]
    [TestCase("Max processes  7  8  processes\n", null)]
    [TestCase("", null)]
    public void The_soft_limit_is_read_where_there_is_one(string text, int? limit)
    {
        using var folder = new TemporaryFolder();

        DescriptorLimit.Read(folder.Write("limits", text)).Should().Be(limit);
    }

    [Test]
    public void Where_the_platform_does_not_tell_there_is_no_limit()
    {
        using var folder = new TemporaryFolder();

        DescriptorLimit.Read(folder["missing"]).Should().BeNull();
        DescriptorLimit.Read(folder["."]).Should().BeNull("a directory cannot be read as a file");
    }
}
