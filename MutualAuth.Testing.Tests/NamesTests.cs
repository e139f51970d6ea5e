using System.Security.Cryptography.X509Certificates;
using MutualAuth.Testing.Assertions;

namespace MutualAuth.Testing.Tests;

/// <summary>Names of any length, in any script, with any character: what comes out says what was asked for, or the call says why not.</summary>
public sealed class NamesTests
{
    private TestAuthority _authority = null!;

    [OneTimeSetUp]
    public void SetUp() => _authority = new TestAuthority();

    [OneTimeTearDown]
    public void TearDown() => _authority.Dispose();

    [TestCase(64, "CN=", false)]
    [TestCase(65, "", true)]
    [TestCase(1000, "", true)]
    public void A_name_that_no_common_name_can_hold_is_an_alternative_name_alone_and_that_is_critical(int length, string subject, bool isCritical)
    {
        var name = string.Join('.', Enumerable.Repeat("payments", 120))[..length].TrimEnd('.').PadRight(length, 'x');
        using var leaf = _authority.IssueServer(name);

        leaf.Certificate.Subject.Should().Be(subject.Length == 0 ? "" : subject + name);
        AlternativeNames(leaf).Critical.Should().Be(isCritical);
        AlternativeNames(leaf).EnumerateDnsNames().Should().Equal(name);
    }

    [TestCase("bücher.test", "xn--bcher-kva.test")]
    [TestCase("BÜCHER.test", "xn--bcher-kva.test")]
    public async Task A_pair_has_its_names_as_certificates_have_them(string name, string expected)
    {
        using var pair = _authority.CreatePair("client." + name, name);

        await using var outcome = await pair.ConnectAsync();

        pair.ServerName.Should().Be(expected);
        outcome.ShouldBeConnected();
        outcome.Server!.ShouldBeTo("client." + expected);
    }

    [TestCase(null, "server.test")]
    [TestCase("client.test", null)]
    public void A_pair_without_a_name_is_none(string? client, string? server) =>
        FluentActions.Invoking(() => _authority.CreatePair(client!, server!)).Should().Throw<ArgumentNullException>();

    [Test]
    public void A_name_that_is_missing_is_told([Values] bool first)
    {
        string[] names = first ? [null!, "a.test"] : ["a.test", null!];

        FluentActions.Invoking(() => _authority.IssueServer(names)).Should().Throw<ArgumentException>().WithParameterName("names");
        FluentActions.Invoking(() => _authority.IssueClient(["a.test", ""])).Should().Throw<ArgumentException>();
    }

    [TestCase("[::1]:443")]
    [TestCase("[2001:db8::1]:8443")]
    [TestCase("fe80::1%eth0")]
    [TestCase("fe80::1%3")]
    public void An_address_with_something_beside_it_is_not_issued_as_the_address_alone(string name) =>
        FluentActions.Invoking(() => _authority.IssueServer(name)).Should().Throw<ArgumentException>().WithMessage("*could mean several things*");

    [TestCase("[2001:db8::1]")]
    [TestCase("2001:db8:0::1")]
    [TestCase("::ffff:192.0.2.1")]
    public void An_address_of_either_spelling_is_one(string name)
    {
        using var leaf = _authority.IssueServer(name);

        AlternativeNames(leaf).EnumerateIPAddresses().Should().Equal(System.Net.IPAddress.Parse(name));
    }

    [Test]
    public void What_is_beyond_ASCII_in_a_URI_or_a_service_is_written_as_it_is()
    {
        using var leaf = _authority.Issue(spec => spec with
        {
            IssuerUris = ["http://büchereins/"],
            OcspUris = ["http://bücherzwei/"],
            CrlDistributionPoints = ["http://bücherdrei/"],
            OtherNames = [GeneralName.Service("_imaps.büchervier")],
        });

        var text = System.Text.Encoding.UTF8.GetString(leaf.RawCertificate.Span);
        text.Should().Contain("büchereins").And.Contain("bücherzwei").And.Contain("bücherdrei").And.Contain("büchervier");
    }

    [Test]
    public void A_SPIFFE_ID_of_any_length_is_issued_and_works()
    {
        const string Id = "spiffe://prod.example.org/ns/payments-processing/sa/payment-service-account";
        using var client = _authority.IssueClient(Id);

        client.Certificate.Subject.Should().BeEmpty();
        AlternativeNames(client).Critical.Should().BeTrue();
    }

    [Test]
    public void A_common_name_that_is_asked_for_is_written_whatever_its_length()
    {
        using var leaf = _authority.Issue(spec => spec with { Subject = "CN=" + new string('a', 75) + ",C=long country" });

        leaf.Certificate.GetNameInfo(X509NameType.SimpleName, forIssuer: false).Should().Be(new string('a', 75));
    }

    [TestCase("a,b")]
    [TestCase("a+b=c")]
    [TestCase(" leading")]
    [TestCase("trailing ")]
    [TestCase("#hash")]
    [TestCase("a\"b\\c;<d>")]
    [TestCase(" ")]
    [TestCase("ünïcödé")]
    [TestCase("\\")]
    [TestCase("\\leading")]
    [TestCase("\\#hash")]
    [TestCase("\\#")]
    [TestCase("#")]
    [TestCase("#04024869")]
    [TestCase("\\\\#two")]
    [TestCase("\\20")]
    [TestCase("\\C3\\BC")]
    [TestCase("\"\"")]
    [TestCase("a\\")]
    [TestCase("  ")]
    [TestCase("\0null")]
    [TestCase("😀")]
    [TestCase("\t")]
    [TestCase("\n tabs and lines \r\n")]
    [TestCase("\u00a0no break\u2003")]
    [TestCase("\u202eright to left")]
    public void A_common_name_is_what_was_asked_for(string name)
    {
        using var authority = new TestAuthority(name);

        authority.Certificate.GetNameInfo(X509NameType.SimpleName, forIssuer: false).Should().Be(name);
    }

    // The string form of RFC 4514, and what is in the certificate: identifier and value of each attribute, in the order of the encoding.
    [TestCase("CN=a,O=b", "2.5.4.10=b", "2.5.4.3=a")]
    [TestCase("CN=a , O = b ", "2.5.4.10=b", "2.5.4.3=a")]
    [TestCase("cn=a,2.5.4.10=b,OID.2.5.4.11=c", "2.5.4.11=c", "2.5.4.10=b", "2.5.4.3=a")]
    [TestCase("CN=a+OU=b", "2.5.4.3=a+2.5.4.11=b")]
    [TestCase(@"CN=\#hash", "2.5.4.3=#hash")]
    [TestCase(@"CN=\#hash,O=\\\#both", @"2.5.4.10=\#both", "2.5.4.3=#hash")]
    [TestCase("CN=#0C0141", "2.5.4.3=A")]
    [TestCase(@"CN=b\C3\BCcher\2C\20x", "2.5.4.3=bücher, x")]
    [TestCase(@"CN=\ a\ ", "2.5.4.3= a ")]
    [TestCase(@"CN=""a, b+c""", "2.5.4.3=a, b+c")]
    [TestCase("CN=", "2.5.4.3=")]
    [TestCase("C=DE,DC=test,serialNumber=7,UID=u", "0.9.2342.19200300.100.1.1=u", "2.5.4.5=7", "0.9.2342.19200300.100.1.25=test", "2.5.4.6=DE")]
    public void A_subject_is_what_its_string_says(string subject, params string[] expected)
    {
        using var leaf = _authority.Issue(spec => spec with { Subject = subject });

        Attributes(leaf).Should().Equal(expected);
    }

    [TestCase("CN")]
    [TestCase("=a")]
    [TestCase("CN=a,")]
    [TestCase(",CN=a")]
    [TestCase("CN=a+")]
    [TestCase("CN=a\\")]
    [TestCase("CN=#0C01")]
    [TestCase("CN=#xyz")]
    [TestCase("CN=#hash")]
    [TestCase("CN=\"a")]
    [TestCase("CN=\\C3")]
    [TestCase("NOSUCHTYPE=a")]
    [TestCase("1.2.=a")]
    [TestCase("9.9=a")]
    public void A_subject_that_no_string_form_has_is_refused(string subject) =>
        FluentActions.Invoking(() => _authority.Issue(spec => spec with { Subject = subject }))
            .Should().Throw<ArgumentException>().WithMessage($"*{subject}*");

    [TestCase("bücher.test", "xn--bcher-kva.test")]
    [TestCase("BÜCHER.test", "xn--bcher-kva.test")]
    [TestCase("*.bücher.test", "*.xn--bcher-kva.test")]
    [TestCase("日本.test", "xn--wgv71a.test")]
    [TestCase("server.test", "server.test")]
    [TestCase("Server.TEST", "Server.TEST")]
    [TestCase("host.2fa", "host.2fa")]
    [TestCase("10.example", "10.example")]
    public void A_name_in_another_script_is_issued_as_its_A_label(string name, string label)
    {
        using var server = _authority.IssueServer(name);

        AlternativeNames(server).EnumerateDnsNames().Should().Equal(label);
    }

    [Test]
    public void A_name_in_another_script_is_written_as_it_is_where_that_is_asked_for()
    {
        using var server = _authority.Issue(spec => spec with { OtherNames = [GeneralName.Dns("bücher.test")] });

        server.RawCertificate.Span.IndexOf("bücher.test"u8).Should().BePositive();
    }

    [TestCase("1")]
    [TestCase("10.1")]
    [TestCase("0x7f.1")]
    [TestCase("host.0x7F")]
    [TestCase("10.1.")]
    [TestCase("10.0.0.0/8")]
    [TestCase("010.0.0.1")]
    [TestCase("1.2.3.4.5")]
    [TestCase("mailto:alice@example.org")]
    [TestCase("localhost:8443")]
    [TestCase("grüße@example.org")]
    [TestCase("https://bücher.test/")]
    [TestCase("")]
    public void A_name_that_could_mean_several_things_is_refused_with_what_to_do(string name)
    {
        var issue = () => _authority.IssueServer(name);

        issue.Should().Throw<ArgumentException>().WithMessage(name.Length == 0 ? "*empty*" : $"*{name}*");
    }

    [TestCase("10.0.0.1", "10.0.0.1")]
    [TestCase("::1", "::1")]
    [TestCase("2001:db8::1", "2001:db8::1")]
    public void An_address_is_an_address(string text, string address)
    {
        using var server = _authority.IssueServer(text);

        AlternativeNames(server).EnumerateIPAddresses().Select(each => each.ToString()).Should().Equal(address);
    }

    [TestCase("urn:uuid:f81d4fae-7dec-11d0-a765-00a0c91e6bf6")]
    [TestCase("spiffe://example.org/a")]
    public void A_URI_is_a_URI(string uri)
    {
        using var client = _authority.IssueClient(uri);

        GeneralName.Guess(uri).Should().BeEquivalentTo(
            GeneralName.Uri(uri), options => options.ComparingByMembers<GeneralName>().IncludingInternalProperties());
        AlternativeNames(client).RawData.AsSpan().IndexOf(System.Text.Encoding.ASCII.GetBytes(uri)).Should().BePositive();
    }

    private static X509SubjectAlternativeNameExtension AlternativeNames(TestCertificate certificate) =>
        certificate.Certificate.Extensions.OfType<X509SubjectAlternativeNameExtension>().Single();

    private static IEnumerable<string> Attributes(TestCertificate certificate) =>
        certificate.Certificate.SubjectName.EnumerateRelativeDistinguishedNames(reversed: false).Select(each =>
            each.HasMultipleElements ? Several(each) : $"{each.GetSingleElementType().Value}={each.GetSingleElementValue()}");

    private static string Several(X500RelativeDistinguishedName name)
    {
        var set = new System.Formats.Asn1.AsnReader(name.RawData, System.Formats.Asn1.AsnEncodingRules.DER).ReadSetOf();
        var parts = new List<string>();
        while (set.HasData)
        {
            var part = set.ReadSequence();
            parts.Add(part.ReadObjectIdentifier() + "=" + part.ReadCharacterString(System.Formats.Asn1.UniversalTagNumber.UTF8String));
        }

        return string.Join("+", parts);
    }
}
