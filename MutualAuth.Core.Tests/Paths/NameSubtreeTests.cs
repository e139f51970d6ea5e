using System.Text;
using MutualAuth.Certificates;
using MutualAuth.Paths;

namespace MutualAuth.Tests.Paths;

/// <summary>
/// Which names a subtree covers: a permitted one only those that it certainly covers, an excluded one all that it may cover.
/// </summary>
public sealed class NameSubtreeTests
{
    [TestCase("a.example.com", "example.com", true, true)]
    [TestCase("example.com", "EXAMPLE.COM", true, true)]
    [TestCase("xexample.com", "example.com", false, false)]
    [TestCase("com", "example.com", false, false)]
    [TestCase("anything.test", "", true, true)]
    [TestCase("example.com", "a.example.com", false, false)]
    [TestCase("*.example.com", "a.example.com", false, true)]
    [TestCase("*.example.com", "a.b.example.com", false, false)]
    [TestCase("*.example.com", "example.org", false, false)]
    [TestCase("*.example.com", "example.com", true, true)]
    [TestCase("*.example.com", ".example.com", true, true)]
    [TestCase("*.a.example.com", ".example.com", true, true)]
    [TestCase("example.com", ".example.com", false, true)]
    [TestCase("a.example.com", ".example.com", true, true)]
    [TestCase("*.com", "com", true, true)]
    public void A_host_name_lies_in_the_domains_above_it(string name, string subtree, bool isContained, bool isTouched)
    {
        NameSubtree.Contains(Name(GeneralNameForm.Dns, name), Name(GeneralNameForm.Dns, subtree)).Should().Be(isContained);
        NameSubtree.Touches(Name(GeneralNameForm.Dns, name), Name(GeneralNameForm.Dns, subtree)).Should().Be(isTouched);
    }

    [TestCase(nameof(GeneralNameForm.Email), "a@b.test", "", true)]
    [TestCase(nameof(GeneralNameForm.Email), "a@b.test", "b.test", true)]
    [TestCase(nameof(GeneralNameForm.Email), "a@b.test", ".test", true)]
    [TestCase(nameof(GeneralNameForm.Email), "a@b.test", "test", false)]
    [TestCase(nameof(GeneralNameForm.Email), "a@b.test", ".b.test", false)]
    [TestCase(nameof(GeneralNameForm.Email), "a@b.test", ".much.longer.test", false)]
    [TestCase(nameof(GeneralNameForm.Email), "a@b.test", "a@B.test", true)]
    [TestCase(nameof(GeneralNameForm.Email), "a@b.test", "A@b.test", false)]
    [TestCase(nameof(GeneralNameForm.Email), "a@b.test", "a@c.test", false)]
    [TestCase(nameof(GeneralNameForm.Email), "no mailbox", "", false)]
    [TestCase(nameof(GeneralNameForm.Uri), "s://b.test/x", "", true)]
    [TestCase(nameof(GeneralNameForm.Uri), "s://b.test/x", "B.test", true)]
    [TestCase(nameof(GeneralNameForm.Uri), "s://b.test/x", "c.test", false)]
    [TestCase(nameof(GeneralNameForm.Uri), "s:no-host", "", false)]
    [TestCase(nameof(GeneralNameForm.IPAddress), "\u00c0\u0000\u0002\u0001", "\u00c0\u0000\u0002\u0001\u00ff\u00ff\u00ff\u00ff", true)]
    [TestCase(nameof(GeneralNameForm.IPAddress), "\u00c0\u0000\u0002\u0002", "\u00c0\u0000\u0002\u0001\u00ff\u00ff\u00ff\u00ff", false)]
    [TestCase(nameof(GeneralNameForm.IPAddress), "\u00c0\u0000\u0002\u0002", "\u00c0\u0000\u0002\u0001\u00ff\u00ff\u00ff\u0000", true)]
    [TestCase(nameof(GeneralNameForm.IPAddress), "\u00c1\u0000\u0002\u0001", "\u00c0\u0000\u0002\u0001\u00ff\u00ff\u00ff\u0000", false)]
    public void A_name_of_another_form_lies_where_its_host_or_address_does(string form, string name, string subtree, bool isIn)
    {
        NameSubtree.Contains(Name(form, name), Name(form, subtree)).Should().Be(isIn);
        NameSubtree.Touches(Name(form, name), Name(form, subtree)).Should().Be(isIn);
    }

    [Test]
    public void A_form_that_cannot_be_compared_is_in_no_permitted_subtree_and_in_every_excluded_one()
    {
        var (name, subtree) = (Name(GeneralNameForm.RegisteredId, "\u0001"), Name(GeneralNameForm.RegisteredId, "\u0001"));

        NameSubtree.Contains(name, subtree).Should().BeFalse();
        NameSubtree.Touches(name, subtree).Should().BeTrue();
    }

    [TestCase("00000000", true)]
    [TestCase("80000000", true)]
    [TestCase("fe000000", true)]
    [TestCase("ff000000", true)]
    [TestCase("ffc00000", true)]
    [TestCase("ffffffff", true)]
    [TestCase("7f000000", false)]
    [TestCase("f5000000", false)]
    [TestCase("01000000", false)]
    [TestCase("fe800000", false)]
    [TestCase("00ff0000", false)]
    [TestCase("ff00ff00", false)]
    [TestCase("fffffffd", false)]
    public void A_mask_is_ones_and_then_zeros(string mask, bool isOne) =>
        NameSubtree.IsWellFormed(new(GeneralNameForm.IPAddress, Convert.FromHexString($"c0000201{mask}")), isLenient: true).Should().Be(isOne);

    [TestCase(nameof(GeneralNameForm.Dns), "", true, true)]
    [TestCase(nameof(GeneralNameForm.Dns), "a.test", true, true)]
    [TestCase(nameof(GeneralNameForm.Dns), ".a.test", true, false)]
    [TestCase(nameof(GeneralNameForm.Dns), "a_b.test", true, false)]
    [TestCase(nameof(GeneralNameForm.Dns), "..a.test", false, false)]
    [TestCase(nameof(GeneralNameForm.Dns), "*.a.test", false, false)]
    [TestCase(nameof(GeneralNameForm.Email), "", true, true)]
    [TestCase(nameof(GeneralNameForm.Email), "a.test", true, true)]
    [TestCase(nameof(GeneralNameForm.Email), ".a.test", true, true)]
    [TestCase(nameof(GeneralNameForm.Email), "x@a.test", true, true)]
    [TestCase(nameof(GeneralNameForm.Email), "x@a_b.test", true, false)]
    [TestCase(nameof(GeneralNameForm.Email), "x@.a.test", false, false)]
    [TestCase(nameof(GeneralNameForm.Email), "@a.test", false, false)]
    [TestCase(nameof(GeneralNameForm.Email), "a test", false, false)]
    [TestCase(nameof(GeneralNameForm.Uri), "", true, true)]
    [TestCase(nameof(GeneralNameForm.Uri), ".a.test", true, true)]
    [TestCase(nameof(GeneralNameForm.Uri), "a_b.test", true, false)]
    [TestCase(nameof(GeneralNameForm.Uri), "s://a.test", false, false)]
    public void A_base_is_well_formed_for_its_form(string form, string subtree, bool isLeniently, bool isStrictly)
    {
        NameSubtree.IsWellFormed(Name(form, subtree), isLenient: true).Should().Be(isLeniently);
        NameSubtree.IsWellFormed(Name(form, subtree), isLenient: false).Should().Be(isStrictly);
    }

    [TestCase("s://a.test/x", true, true)]
    [TestCase("s://a_b.test/x", true, false)]
    [TestCase("s://192.0.2.1/x", false, false)]
    [TestCase("s://[::1]/x", false, false)]
    [TestCase("s:x", false, false)]
    public void A_URI_can_be_constrained_when_it_has_a_host_name(string uri, bool isLeniently, bool isStrictly)
    {
        NameSubtree.HasConstrainableHost(Name(GeneralNameForm.Uri, uri), isLenient: true).Should().Be(isLeniently);
        NameSubtree.HasConstrainableHost(Name(GeneralNameForm.Uri, uri), isLenient: false).Should().Be(isStrictly);
    }

    private static GeneralName Name(string form, string text) => Name(Enum.Parse<GeneralNameForm>(form), text);

    private static GeneralName Name(GeneralNameForm form, string text) => new(form, Encoding.Latin1.GetBytes(text));
}
