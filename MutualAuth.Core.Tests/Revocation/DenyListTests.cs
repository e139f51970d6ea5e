using System.Security.Cryptography;
using MutualAuth.Certificates;
using MutualAuth.Names;
using MutualAuth.Revocation;
using MutualAuth.Tests.Support;
using MutualAuth.Validation;

namespace MutualAuth.Tests.Revocation;

public sealed class DenyListTests
{
    private static readonly RevocationWorld s_world = new();
    private static readonly Certificate s_client = Certificate.Parse(s_world.Client.RawCertificate);
    private static readonly Certificate s_issuing = Certificate.Parse(s_world.Issuing.AsCertificate.RawCertificate);
    private static readonly Certificate s_root = Certificate.Parse(s_world.Root.AsCertificate.RawCertificate);

    private static IEnumerable<TestCaseData> Entries()
    {
        foreach (var (name, certificate) in new[] { ("leaf", s_client), ("intermediate", s_issuing), ("anchor", s_root) })
        {
            yield return Case($"serial of the {name}", DenyEntry.Serial(certificate.SerialNumber), RejectionReason.DenyListed);
            yield return Case(
                $"issuer and serial of the {name}", DenyEntry.Serial(certificate.Issuer, certificate.SerialNumber), RejectionReason.DenyListed);
            yield return Case(
                $"key of the {name}",
                DenyEntry.Key(SpkiPin.OfSubjectPublicKeyInfo(certificate.SubjectPublicKeyInfo.Span)),
                RejectionReason.DenyListed);
            yield return Case($"digest of the {name}", DenyEntry.Certificate(certificate.Thumbprint), RejectionReason.DenyListed);
        }

        var serial = s_client.SerialNumber;
        yield return Case(
            "colons, small letters and leading zeros",
            DenyEntry.Serial("00:" + string.Join(':', serial.ToLowerInvariant().Chunk(2).Select(pair => new string(pair)))),
            RejectionReason.DenyListed);
        yield return Case("another serial", DenyEntry.Serial(serial[..^1] + (serial[^1] == '0' ? '1' : '0')), null);
        yield return Case("another issuer", DenyEntry.Serial(s_root.Subject, serial), null);
        yield return Case("another key", DenyEntry.Key(SpkiPin.OfSubjectPublicKeyInfo([1])), null);
        yield return Case("another digest", DenyEntry.Certificate(Convert.ToHexString(SHA256.HashData([1]))), null);
    }

    [TestCaseSource(nameof(Entries))]
    public void What_it_names_is_turned_away_wherever_it_stands(DenyEntry entry, RejectionReason? expected)
    {
        var list = DenyList.Of(entry);

        (s_world.Judge(s_world.Options(null, list))?.Reason).Should().Be(expected);
        (s_world.Judge(s_world.Options(s_world.Lists(), list))?.Reason).Should().Be(expected, "it works beside revocation lists too");
        (s_world.Judge(s_world.Options(null, DenyList.Parse(entry.ToString())))?.Reason).Should().Be(expected, "its text form means the same");
    }

    [Test]
    public void A_peer_that_is_itself_an_anchor_is_found_too()
    {
        var options = s_world.Options(null) with { Trust = TrustAnchors.FromDer(s_client.RawData) };
        using var alone = s_world.Client.WithChain();

        s_world.Judge(options, peer: alone).Should().BeNull();
        s_world.Judge(options with { DenyList = DenyList.Of(DenyEntry.Serial(s_client.SerialNumber)) }, peer: alone)!.Reason.Should().Be(
            RejectionReason.DenyListed);
    }

    [Test]
    public void A_denied_certificate_closes_its_own_way_and_no_other()
    {
        using var cross = s_world.Root.CrossSign(s_world.Issuing);
        using var both = s_world.Client.WithChain(cross.AsCertificate.RawCertificate, s_issuing.RawData);
        var crossDenied = DenyEntry.Certificate(Convert.ToHexString(SHA256.HashData(cross.AsCertificate.RawCertificate.Span)));

        s_world.Judge(s_world.Options(null, DenyList.Of(crossDenied)), peer: both).Should().BeNull();
        s_world.Judge(s_world.Options(null, DenyList.Of(crossDenied, DenyEntry.Certificate(s_issuing.Thumbprint))), peer: both)!.Reason
            .Should().Be(RejectionReason.DenyListed);
    }

    [Test]
    public void A_replaced_list_holds_from_the_next_judgement_on()
    {
        var source = new ReloadableDenyList();
        var stage = new CertificateStage(s_world.Options(null, source));

        RevocationWorld.RejectionOf(stage.Judge(s_world.Evidence(), s_world.Now)).Should().BeNull();
        source.Current = DenyList.Of(DenyEntry.Serial(s_client.SerialNumber));
        RevocationWorld.RejectionOf(stage.Judge(s_world.Evidence(), s_world.Now))!.Reason.Should().Be(RejectionReason.DenyListed);
    }

    [Test]
    public void A_file_has_one_entry_in_a_line()
    {
        var list = DenyList.Parse(
            $"""
            # stolen laptop

              serial 01:ab
            serial 01AB issuer CN=Issuing, O=Some Company
            key sha256/{Convert.ToBase64String(new byte[32])}
            certificate {new string('a', 64)}
            """);

        list.Entries.Select(entry => entry.ToString()).Should().Equal(
            "serial 01AB",
            "serial 01AB issuer CN=Issuing,O=Some Company",
            $"key sha256/{Convert.ToBase64String(new byte[32])}",
            $"certificate {new string('A', 64)}");
        DenyList.Parse("# nothing").Entries.Should().BeEmpty();
    }

    [Test]
    public void A_serial_number_has_at_most_256_digits()
    {
        var most = new string('1', 256);

        DenyEntry.Serial(most).ToString().Should().Be($"serial {most}");
        DenyEntry.TryParse($"serial {most}1", out _).Should().BeFalse();
        DenyEntry.Serial("1").ToString().Should().Be("serial 01", "an odd number of digits has a zero before it");
        FluentActions.Invoking(() => DenyEntry.Serial(string.Empty)).Should().Throw<FormatException>();
        FluentActions.Invoking(() => DenyEntry.Serial(DistinguishedName.Parse("CN=Issuing"), "1x")).Should().Throw<FormatException>();
        DenyEntry.TryParse(null, out _).Should().BeFalse();
    }

    [TestCase(62, false)]
    [TestCase(63, false)]
    [TestCase(64, true)]
    [TestCase(65, false)]
    [TestCase(66, false)]
    public void A_digest_has_64_digits_and_one_that_has_lost_a_digit_is_none(int digits, bool isOne)
    {
        var text = new string('a', digits);

        DenyEntry.TryParse($"certificate {text}", out _).Should().Be(isOne);
        DenyEntry.TryParse($"tbs {text}", out _).Should().Be(isOne);
    }

    [Test]
    public void A_list_of_the_program_holds_no_null() =>
        FluentActions.Invoking(() => DenyList.Of(DenyEntry.Serial("1"), null!)).Should().Throw<ArgumentException>();

    [TestCase("serial :")]
    [TestCase("certificate :")]
    [TestCase("tbs 01AB")]
    [TestCase("key")]
    [TestCase("serial")]
    [TestCase("serial xyz")]
    [TestCase("serial 01AB of CN=Issuing")]
    [TestCase("serial 01AB issuer not a name")]
    [TestCase("serial 01AB issuer")]
    [TestCase("key sha256/AAAA")]
    [TestCase("certificate 01AB")]
    [TestCase("01AB")]
    public void A_line_that_is_no_entry_is_an_error_that_names_it(string line)
    {
        DenyEntry.TryParse(line, out _).Should().BeFalse();
        FluentActions.Invoking(() => DenyEntry.Parse(line)).Should().Throw<FormatException>();
        FluentActions.Invoking(() => DenyList.Parse("serial 01AB\n" + line)).Should().Throw<MaterialException>().WithMessage("*line 2*");
    }

    private static TestCaseData Case(string name, DenyEntry entry, RejectionReason? expected) =>
        new TestCaseData(entry, expected).SetArgDisplayNames(name);

    private sealed class ReloadableDenyList : IDenyListSource
    {
        public DenyList Current { get; set; } = DenyList.Empty;
    }
}
