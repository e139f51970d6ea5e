using System.Text;
using MutualAuth.Paths;
using MutualAuth.Revocation;
using MutualAuth.Testing;
using MutualAuth.Testing.Revocation;
using MutualAuth.Tests.Support;

namespace MutualAuth.Tests.Revocation;

/// <summary>
/// Which certificates a list speaks of: those that name its distribution point, or all of its issuer's (RFC 5280 §5.2.5, §6.3.3 (b)).
/// </summary>
public sealed class IssuingScopeTests
{
    private static readonly byte[] s_a = Uri("http://lists.test/a.crl");
    private static readonly byte[] s_b = Uri("http://lists.test/b.crl");
    private static readonly byte[] s_host = Tlv(0x82, "lists.test"u8.ToArray());
    private static readonly byte[] s_true = [0xff];

    // keyCompromise and cACompromise; and all others, aACompromise in the second octet.
    private static readonly byte[] s_compromises = [5, 0x60];
    private static readonly byte[] s_others = [7, 0x1f, 0x80];

    private static IEnumerable<TestCaseData> Points()
    {
        yield return Case("the same address", Full(s_a), [Point(Full(s_a))], covers: true);
        yield return Case("another address", Full(s_a), [Point(Full(s_b))], covers: false);
        yield return Case("no point in the certificate", Full(s_a), [], covers: false);
        yield return Case("the second of two addresses of the list", Full(s_b, s_a), [Point(Full(s_a))], covers: true);
        yield return Case("the second of two addresses of the certificate", Full(s_a), [Point(Full(s_b, s_a))], covers: true);
        yield return Case("the second of two points", Full(s_a), [Point(Full(s_b)), Point(Full(s_a))], covers: true);
        yield return Case("the same octets in another form", Full(s_a), [Point(Full(Tlv(0x81, s_a[2..])))], covers: false);
        yield return Case("a host name beside the list's address", Full(s_host, s_a), [Point(Full(s_a))], covers: true, byTheLetter: false);
        yield return Case("a host name beside the certificate's address", Full(s_a), [Point(Full(s_host, s_a))], covers: true, byTheLetter: false);
        yield return Case(
            "a host name in a point that is another's", Full(s_a), [Point(Full(s_host)), Point(Full(s_a))], covers: true);
        yield return Case("the directory entry of the issuer", Full(Directory("Issuing")), [], covers: true);
        yield return Case("the directory entry of another", Full(Directory("Lists")), [], covers: false);
        yield return Case("a directory entry in other letters", Full(Directory("Lists")), [Point(Full(Directory("LISTS")))], covers: true);
        yield return Case("another directory entry", Full(Directory("Lists")), [Point(Full(Directory("List")))], covers: false);
        yield return Case("an entry below the issuer's", Relative("Part"), [Point(Relative("Part"))], covers: true);
        yield return Case(
            "the whole name of an entry below the issuer's", Relative("Part"), [Point(Full(Directory("Issuing", "Part")))], covers: true);
        yield return Case("the whole name in the list", Full(Directory("Issuing", "Part")), [Point(Relative("Part"))], covers: true);
        yield return Case("another entry below the issuer's", Relative("Part"), [Point(Relative("Other"))], covers: false);
        yield return Case("an entry that is not below the issuer's", Relative("Part"), [Point(Full(Directory("Part")))], covers: false);
        yield return Case("a point for some reasons", Full(s_a), [Point(Full(s_a), reasons: s_compromises)], covers: false);
        yield return Case(
            "two points for all reasons together",
            Full(s_a),
            [Point(Full(s_a), reasons: s_compromises), Point(Full(s_a), reasons: s_others)],
            covers: true);
        yield return Case("a point for no reason", Full(s_a), [Point(Full(s_a), reasons: [7, 0x80])], covers: false);
        yield return Case("a point of another author", Full(s_a), [Point(Full(s_a), author: Directory("Other"))], covers: false);
        yield return Case("a point whose author is the issuer", Full(s_a), [Point(Full(s_a), author: Directory("Issuing"))], covers: true);
        yield return Case("a point whose author is an address", Full(s_a), [Point(Full(s_a), author: s_a)], covers: false);
        yield return Case("a point without a name", Full(s_a), [Point([], author: Directory("Issuing"))], covers: false);
        yield return Case("a point that is malformed", Full(s_a), [Tlv(0x30, Tlv(0xa0, [5, 0]))], covers: false);
        yield return Case("a point with more in it", Full(s_a), [Tlv(0x30, Full(s_a), [5, 0])], covers: false);
        yield return Case("the last point that is looked at", Full(s_a), [.. Others(63), Point(Full(s_a))], covers: true);
        yield return Case("a point behind it", Full(s_a), [.. Others(64), Point(Full(s_a))], covers: false);

        static IEnumerable<byte[]> Others(int count) => Enumerable.Repeat(Point(Full(s_b)), count);
        static TestCaseData Case(string name, byte[] ofList, byte[][] ofCertificate, bool covers, bool? byTheLetter = null) =>
            new TestCaseData(ofList, ofCertificate, covers, byTheLetter ?? covers).SetArgDisplayNames(name);
    }

    [TestCaseSource(nameof(Points))]
    public void A_list_of_one_point_covers_the_certificates_that_name_the_point(
        byte[] ofList, byte[][] ofCertificate, bool covers, bool byTheLetter)
    {
        using var world = new RevocationWorld(
            spec => spec with { Extensions = ofCertificate.Length == 0 ? [] : [new("2.5.29.31", false, Tlv(0x30, ofCertificate))] });
        var options = world.Options(world.Lists(Scope(ofList)));

        (world.Judge(options)?.Reason).Should().Be(covers ? null : RejectionReason.RevocationStatusUnknown);
        (world.Judge(options with { Profile = ValidationProfile.MutualTls with { Form = CertificateForm.Rfc5280 } })?.Reason).Should().Be(
            byTheLetter ? null : RejectionReason.RevocationStatusUnknown);
    }

    private static IEnumerable<TestCaseData> Unreadable()
    {
        yield return Case("end entities and attribute certificates", Tlv(0x81, s_true), Tlv(0x85, s_true));
        yield return Case("authorities and attribute certificates", Tlv(0x82, s_true), Tlv(0x85, s_true));
        yield return Case("all three kinds", Tlv(0x81, s_true), Tlv(0x82, s_true), Tlv(0x85, s_true));
        yield return Case("a flag that is neither", Tlv(0x81, [1]));
        yield return Case("a flag of two octets", Tlv(0x81, [0xff, 0xff]));
        yield return Case("a flag of no octet", Tlv(0x81));
        yield return Case("more than there can be", Tlv(0x81, s_true), Tlv(0x86, s_true));
        yield return Case("only a reason that is none", Tlv(0x83, [7, 0x80]));
        yield return Case("a point with two names of itself", Tlv(0xa0, Tlv(0xa0, s_a), Tlv(0xa0, s_b)));
        yield return Case("a point with neither name", Tlv(0xa0, [5, 0]));
        yield return Case("65 names", Full([.. Enumerable.Repeat(s_a, 65)]));

        static TestCaseData Case(string name, params byte[][] scope) => new TestCaseData(scope.SelectMany(part => part).ToArray())
            .SetArgDisplayNames(name);
    }

    [TestCaseSource(nameof(Unreadable))]
    public void A_scope_that_is_not_one_makes_the_list_unusable(byte[] scope)
    {
        using var world = new RevocationWorld();

        FluentActions.Invoking(() => world.Lists(Scope(scope))).Should().Throw<MaterialException>();
    }

    [Test]
    public void Sixty_four_names_of_a_point_are_as_many_as_there_may_be()
    {
        using var world = new RevocationWorld(spec => spec with { Extensions = [new("2.5.29.31", false, Tlv(0x30, Point(Full(s_a))))] });

        world.Judge(world.Lists(Scope(Full([.. Enumerable.Repeat(s_b, 63), s_a])))).Should().BeNull();
    }

    [Test]
    public void The_bit_that_is_no_reason_is_passed_over_beside_all_that_are()
    {
        using var world = new RevocationWorld();

        world.Judge(world.Lists(Scope(Tlv(0x83, [7, 0xff, 0x80])))).Should().BeNull();
        world.Judge(world.Lists(Scope(Tlv(0x83, [0, 0xff]))))!.Reason.Should().Be(RejectionReason.RevocationStatusUnknown, "aACompromise is missing");
    }

    [TestCase(0x81, true, false)]
    [TestCase(0x82, false, true)]
    [TestCase(0x85, false, false)]
    public void A_list_of_one_kind_of_certificate_covers_no_other_kind(int kind, bool coversPeers, bool coversAuthorities)
    {
        using var world = new RevocationWorld();
        var scope = Scope(Tlv((byte)kind, s_true));
        var ofPeers = RevocationLists.FromDer(world.RootCrl().Raw, world.IssuingCrl(scope).Raw);
        var ofAuthorities = RevocationLists.FromDer(world.Root.IssueCrl(scope).Raw, world.IssuingCrl().Raw);

        (world.Judge(ofPeers)?.Reason).Should().Be(coversPeers ? null : RejectionReason.RevocationStatusUnknown);
        (world.Judge(ofAuthorities)?.Reason).Should().Be(coversAuthorities ? null : RejectionReason.RevocationStatusUnknown);
    }

    private static Func<CrlSpec, CrlSpec> Scope(byte[] content) => crl => crl with { Extensions = [new("2.5.29.28", true, Tlv(0x30, content))] };

    private static byte[] Uri(string uri) => Tlv(0x86, Encoding.ASCII.GetBytes(uri));

    private static byte[] Directory(params string[] commonNames) => Tlv(0xa4, Tlv(0x30, [.. commonNames.Select(name => Tlv(0x31, Attribute(name)))]));

    private static byte[] Attribute(string commonName) => Tlv(0x30, [6, 3, 0x55, 4, 3], Tlv(0x0c, Encoding.ASCII.GetBytes(commonName)));

    private static byte[] Full(params byte[][] names) => Tlv(0xa0, Tlv(0xa0, names));

    private static byte[] Relative(string commonName) => Tlv(0xa0, Tlv(0xa1, Attribute(commonName)));

    private static byte[] Point(byte[] name, byte[]? reasons = null, byte[]? author = null) => Tlv(
        0x30, name, reasons is null ? [] : Tlv(0x81, reasons), author is null ? [] : Tlv(0xa2, author));

    private static byte[] Tlv(byte tag, params byte[][] parts)
    {
        byte[] content = [.. parts.SelectMany(part => part)];
        return content.Length switch
        {
            < 0x80 => [tag, (byte)content.Length, .. content],
            < 0x100 => [tag, 0x81, (byte)content.Length, .. content],
            _ => [tag, 0x82, (byte)(content.Length >> 8), (byte)content.Length, .. content],
        };
    }
}
