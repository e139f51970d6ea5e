using System.Formats.Asn1;
using Microsoft.Extensions.Time.Testing;
using MutualAuth.Authorization;
using MutualAuth.Certificates;
using MutualAuth.Credentials;
using MutualAuth.Evidence;
using MutualAuth.Testing;
using MutualAuth.Tests.Support;
using MutualAuth.Validation;
using GeneralName = MutualAuth.Testing.GeneralName;

namespace MutualAuth.Tests.Authorization;

/// <summary>Names of types of their own: read, printed, authorized, and the names of users.</summary>
public sealed class OtherNamesTests
{
    private const string Jabber = "1.3.6.1.5.5.7.8.5";
    private const string HardwareModule = "1.3.6.1.5.5.7.8.4";
    private const string PermanentIdentifier = "1.3.6.1.5.5.7.8.3";

    private static readonly TestAuthority s_authority = new("Other names", timeProvider: new FakeTimeProvider(TestPeer.Now));

    private static readonly byte[] s_juliet = Text("juliet@im.test");

    private static readonly byte[] s_module = DerEdit.Encode(writer =>
    {
        using (writer.PushSequence())
        {
            writer.WriteObjectIdentifier("1.3.6.1.4.1.99999.7");
            writer.WriteOctetString("SN-12"u8);
        }
    });

    private static IEnumerable<TestCaseData> Values()
    {
        static TestCaseData Case(string what, string type, byte[] value, string? text) =>
            new TestCaseData(type, value, text ?? "#" + Convert.ToHexStringLower(value)).SetArgDisplayNames(what);
        static byte[] Identifier(string? value, string? assigner) => DerEdit.Encode(writer =>
        {
            using (writer.PushSequence())
            {
                if (value is not null)
                {
                    writer.WriteCharacterString(UniversalTagNumber.UTF8String, value);
                }

                if (assigner is not null)
                {
                    writer.WriteObjectIdentifier(assigner);
                }
            }
        });

        yield return Case("UTF8String", Jabber, s_juliet, "juliet@im.test");
        yield return Case("IA5String", Jabber, Text("juliet@im.test", UniversalTagNumber.IA5String), "juliet@im.test");
        yield return Case("no character string", Jabber, [4, 1, 0x41], null);
        yield return Case("an empty one", Jabber, [0x0c, 0], null);
        yield return Case("one that looks like hex", Jabber, Text("#0c"), null);
        yield return Case("not UTF-8", Jabber, [0x0c, 1, 0xff], null);
        yield return Case("a hardware module", HardwareModule, s_module, "1.3.6.1.4.1.99999.7:534e2d3132");
        yield return Case("a hardware module that is a string", HardwareModule, Text("1.2:00"), null);
        yield return Case("a hardware module with more", HardwareModule, [0x30, 7, 6, 1, 0x2a, 4, 0, 5, 0], null);
        yield return Case("a permanent identifier", PermanentIdentifier, Identifier("card 7", "1.2.3"), "1.2.3:card 7");
        yield return Case("without an assigner", PermanentIdentifier, Identifier("card 7", null), ":card 7");
        yield return Case("without a value", PermanentIdentifier, Identifier(null, "1.2.3"), "1.2.3:");
        yield return Case("a permanent identifier with more", PermanentIdentifier, [0x30, 5, 0x0c, 1, 0x41, 5, 0], null);
        yield return Case("with nothing", PermanentIdentifier, Identifier(null, null), null);
    }

    [TestCaseSource(nameof(Values))]
    public void A_value_has_one_text(string type, byte[] value, string expected)
    {
        var name = Issue(spec => spec with { OtherNames = [GeneralName.Other(type, value)] }).OtherNames.Should().ContainSingle().Subject;

        (name.Type, name.Text).Should().Be((type, expected));
        name.Value.ToArray().Should().Equal(value);
    }

    [Test]
    public void Names_are_equal_by_type_and_value()
    {
        OtherName Of(string type, byte[] value) => Issue(spec => spec with { OtherNames = [GeneralName.Other(type, value)] }).OtherNames[0];
        var juliet = Of(Jabber, s_juliet);

        juliet.Should().Be(Of(Jabber, s_juliet)).And.NotBe(Of(PermanentIdentifier, s_juliet)).And.NotBe(Of(Jabber, s_module));
        juliet.GetHashCode().Should().Be(Of(Jabber, s_juliet).GetHashCode());
        juliet.Equals((object)Of(Jabber, s_juliet)).Should().BeTrue();
    }

    [TestCase(Jabber, "juliet@im.test", true)]
    [TestCase(Jabber, "Juliet@im.test", false)]
    [TestCase(PermanentIdentifier, "juliet@im.test", false)]
    [TestCase(HardwareModule, "1.3.6.1.4.1.99999.7:534e2d3132", true)]
    [TestCase(HardwareModule, "1.3.6.1.4.1.99999.7:534e2d3133", false)]
    public void A_name_lets_in_whoever_has_it_and_nobody_who_has_another(string type, string text, bool isLetIn)
    {
        var rule = Authorize.OtherName(type, text);
        AuthorizationRule[] spellings = [rule, Authorize.AnyOf(Authorize.Dns("a.test"), rule), Authorize.Parse($"other {type} {text}")];
        foreach (var either in spellings)
        {
            var verdict = Judge(spec => spec with { Subject = "CN=peer", OtherNames = Both() }, either);

            (verdict as CertificateVerdict.Accepted)?.Peer.ProvenName.Should().Be(PeerName.OtherName(type, text));
            (verdict is CertificateVerdict.Accepted).Should().Be(isLetIn);
            (verdict is CertificateVerdict.Rejected { Rejection.Reason: RejectionReason.NotAuthorized }).Should().Be(!isLetIn);
        }
    }

    [Test]
    public void Another_text_of_the_type_is_hinted_at() =>
        Rejected(spec => spec with { OtherNames = Both() }, Authorize.OtherName(Jabber, "romeo@im.test")).Hint.Should().Contain("juliet@im.test");

    [Test]
    public void A_certificate_without_another_name_is_called_by_this_one()
    {
        Accepted(spec => spec with { Subject = string.Empty, OtherNames = Both() }).Name.Should().Be($"other:{Jabber}=juliet@im.test");
        Accepted(spec => spec with { Subject = "CN=peer", OtherNames = Both() }).Name.Should().Be("subject:CN=peer");
    }

    [TestCase($"other:{Jabber}=juliet@im.test", true)]
    [TestCase($"other:{Jabber}=a%20=b", true)]
    [TestCase($"other:{Jabber}", false)]
    [TestCase($"other:{Jabber}=", false)]
    [TestCase("other:1.2.x=a", false)]
    [TestCase("other:01.2=a", false)]
    [TestCase($"other:{Jabber}=%0a", false)]
    [TestCase($"other:{Jabber}=%20a", false)]
    public void A_name_reads_back_as_it_is_printed(string text, bool isName)
    {
        PeerName.TryParse(text, out var name).Should().Be(isName);
        (name?.ToString().Replace("%3D", "=", StringComparison.Ordinal) ?? text).Should().Be(text);
    }

    [TestCase("juliet@im.test", true)]
    [TestCase("romeo@im.test", false)]
    [TestCase("alice@corp.test", false)]
    public void A_user_is_named_by_the_type_that_the_rule_says(string user, bool isNamed)
    {
        var upn = GeneralName.Other("1.3.6.1.4.1.311.20.2.3", Text("alice@corp.test"));
        var peer = Accepted(spec => spec with { OtherNames = [upn, .. Both()] });
        var devices = new Dictionary<PeerName, IEnumerable<string>> { [PeerName.OtherName(Jabber, "juliet@im.test")] = ["juliet@im.test"] };
        var him = new AuthenticatedUser(user, null, "PLAIN", PeerProofs.Password, default);

        foreach (var rule in (UserRule[])[UserRules.NamedByOtherName(Jabber), UserRules.OfDevice(devices)])
        {
            (rule.Examine(him, peer) is null).Should().Be(isNamed);
        }

        UserRules.NamedByOtherName(Jabber).Examine(him, null)!.Reason.Should().Be(RejectionReason.UserNotAllowed);
        FluentActions.Invoking(() => UserRules.NamedByOtherName("jabber")).Should().Throw<FormatException>();
    }

    [Test]
    public void What_a_device_shows_is_printed_in_words()
    {
        var device = Rejected(spec => spec with { Subject = "serialNumber=SN-12,O=Maker", OtherNames = Both() }, Authorize.Dns("a.test"));
        var module = Rejected(
            spec => spec with
            {
                Subject = string.Empty,
                OtherNames = [GeneralName.Directory("2.23.133.2.1=id:494E5443,2.23.133.2.2=SLB 9670,2.23.133.2.3=id:0007")],
            },
            Authorize.Dns("a.test"));
        var serial = Rejected(spec => spec with { Subject = "serialNumber=SN-12,O=Maker" }, Authorize.Subject("CN=other"));

        device.Presented.Should().Contain("hardware module \"1.3.6.1.4.1.99999.7:534e2d3132\"")
            .And.Contain($"other name {Jabber} \"juliet@im.test\"");
        module.Presented.Should().Contain("directory name").And.Contain("tpmManufacturer=id:494E5443").And.Contain("tpmModel=SLB 9670")
            .And.Contain("tpmVersion=id:0007");
        serial.Presented.Should().Contain("serialNumber=SN-12");
    }

    private static GeneralName[] Both() => [GeneralName.Other(Jabber, s_juliet), GeneralName.Other(HardwareModule, s_module)];

    private static byte[] Text(string text, UniversalTagNumber type = UniversalTagNumber.UTF8String) =>
        DerEdit.Encode(writer => writer.WriteCharacterString(type, text));

    private static Certificate Issue(Func<CertificateSpec, CertificateSpec> spec)
    {
        using var issued = s_authority.Issue(spec);
        return Certificate.Parse(issued.RawCertificate);
    }

    private static CertificateVerdict Judge(Func<CertificateSpec, CertificateSpec> spec, AuthorizationRule rule)
    {
        using var issued = s_authority.Issue(usual => spec(usual with { ExtendedKeyUsages = [ExtendedKeyUsage.ClientAuth] }));
        return new CertificateStage(new CertificateStageOptions { Trust = s_authority.ToTrustAnchors(), Authorization = rule })
            .Judge(new PeerEvidence(PeerRole.Client, [issued.RawCertificate]), TestPeer.Now);
    }

    private static AuthenticatedPeer Accepted(Func<CertificateSpec, CertificateSpec> spec) =>
        Judge(spec, Authorize.AnyTrustedPeer).Should().BeOfType<CertificateVerdict.Accepted>().Subject.Peer;

    private static Rejection Rejected(Func<CertificateSpec, CertificateSpec> spec, AuthorizationRule rule) =>
        Judge(spec, rule).Should().BeOfType<CertificateVerdict.Rejected>().Subject.Rejection;
}
