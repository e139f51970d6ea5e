using MutualAuth.Names;
using MutualAuth.Tests.Support;

namespace MutualAuth.Tests.Names;

public sealed class OrganizationIdentifierTests
{
    [TestCase("PSDGB-FCA-123456", "PSD", "GB", "FCA-123456")]
    [TestCase("PSDFI-FINFSA-1234567-8", "PSD", "FI", "FINFSA-1234567-8")]
    [TestCase("PSDMT-MFSA-A 12345", "PSD", "MT", "MFSA-A 12345")]
    [TestCase("VATDE-123456789", "VAT", "DE", "123456789")]
    [TestCase("VATEL-123456789", "VAT", "EL", "123456789")]
    [TestCase("NTRGB-01234567", "NTR", "GB", "01234567")]
    [TestCase("NTRDE-HRB 1234", "NTR", "DE", "HRB 1234")]
    [TestCase("LEIXG-529900T8BM49AURSDO55", "LEI", "XG", "529900T8BM49AURSDO55")]
    [TestCase("EI:SE-5567971433", "EI:", "SE", "5567971433")]
    [TestCase("GOVUS-ABC", "GOV", "US", "ABC")]
    public void An_identifier_has_its_parts(string text, string scheme, string country, string reference)
    {
        var identifier = OrganizationIdentifier.Parse(text);

        (identifier.Scheme, identifier.Country, identifier.Subdivision, identifier.Reference).Should().Be((scheme, country, null, reference));
        identifier.ToString().Should().Be(text);
        (identifier.CompetentAuthority is not null).Should().Be(scheme == "PSD");
    }

    [Test]
    public void A_payment_service_provider_has_an_authority_and_a_number()
    {
        var provider = OrganizationIdentifier.Parse("PSDFI-FINFSA-1234567-8");

        provider.CompetentAuthority.Should().Be(CompetentAuthority.Parse("FI-FINFSA"));
        provider.AuthorizationNumber.Should().Be("1234567-8");
        OrganizationIdentifier.Parse("VATDE-123456789").AuthorizationNumber.Should().BeNull();
    }

    [Test]
    public void A_state_stands_behind_a_plus_sign()
    {
        var registered = OrganizationIdentifier.Parse("NTRUS+CA-12345678");

        (registered.Country, registered.Subdivision, registered.Reference).Should().Be(("US", "CA", "12345678"));
    }

    [TestCase("")]
    [TestCase("PSD")]
    [TestCase("PSDGB")]
    [TestCase("PSDGB-")]
    [TestCase("psdGB-FCA-123456")]
    [TestCase("PSDgb-FCA-123456")]
    [TestCase("PSDGB-FCA")]
    [TestCase("PSDGB-FCA-")]
    [TestCase("PSDGB-F-123456")]
    [TestCase("PSDGB-fca-123456")]
    [TestCase("PSDGB-FCA1-123456")]
    [TestCase("PSDGB-FCAFCAFCA-123456")]
    [TestCase("PSDGB+X-FCA-123456")]
    [TestCase("PSDGB_FCA-123456")]
    [TestCase("VATD-123456789")]
    [TestCase("VA:TDE-1")]
    [TestCase("VATDE123456789")]
    [TestCase("VATDE- 1")]
    [TestCase("VATDE-1 ")]
    [TestCase("VATDE-1\n2")]
    [TestCase("VATDE-1\u200b2")]
    [TestCase("VATDE-1\u202e2")]
    [TestCase("VATDE-1\ufffd")]
    [TestCase("VATDE-1\ud800")]
    [TestCase("VATDE-1\u00a02")]
    [TestCase("NTRUS+-1")]
    [TestCase("NTRUS+CALI-1")]
    [TestCase("NTRUS+ca-1")]
    [TestCase("LEIXG-529900T8BM49AURSDO5")]
    [TestCase("LEIXG-529900t8bm49aursdo55")]
    [TestCase("LEIDE-529900T8BM49AURSDO55")]
    public void What_is_not_of_the_grammar_is_no_identifier(string text)
    {
        OrganizationIdentifier.TryParse(text, out _).Should().BeFalse();
        FluentActions.Invoking(() => OrganizationIdentifier.Parse(text)).Should().Throw<FormatException>();
    }

    [TestCase(250, true)]
    [TestCase(251, false)]
    public void An_identifier_has_at_most_256_characters(int digits, bool isOne) =>
        OrganizationIdentifier.TryParse("VATDE-" + new string('1', digits), out _).Should().Be(isOne);

    [Test]
    public void Identifiers_are_compared_letter_by_letter()
    {
        var one = OrganizationIdentifier.Parse("NTRGB-SC123");

        one.Should().Be(OrganizationIdentifier.Parse("NTRGB-SC123")).And.NotBe(OrganizationIdentifier.Parse("NTRGB-sc123"));
        one.GetHashCode().Should().Be(OrganizationIdentifier.Parse("NTRGB-SC123").GetHashCode());
        one.Equals((object)OrganizationIdentifier.Parse("NTRGB-SC123")).Should().BeTrue();
    }

    [TestCase("GB-FCA", true)]
    [TestCase("PL-PFSA", true)]
    [TestCase("DE-BAFIN", true)]
    [TestCase("GB-FCAFCAFC", true)]
    [TestCase("GB-FCAFCAFCA", false)]
    [TestCase("GB-F", false)]
    [TestCase("GB-", false)]
    [TestCase("GBR-FCA", false)]
    [TestCase("gb-FCA", false)]
    [TestCase("GB-FC1", false)]
    [TestCase("GB FCA", false)]
    [TestCase("NA", false)]
    [TestCase(null, false)]
    public void A_competent_authority_is_a_country_and_letters(string? text, bool isOne)
    {
        CompetentAuthority.TryParse(text, out var authority).Should().Be(isOne);
        (authority?.ToString() ?? text).Should().Be(text);
    }

    [TestCase("2.5.4.97=#0c1050534447422d4643412d313233343536,CN=bank", "PSDGB-FCA-123456")]
    [TestCase("organizationIdentifier=PSDGB-FCA-123456,CN=bank", "PSDGB-FCA-123456")]
    [TestCase("organizationIdentifier=psd,CN=bank", null)]
    [TestCase("CN=bank", null)]
    [TestCase("organizationIdentifier=VATDE-1,organizationIdentifier=VATDE-2", null)]
    [TestCase("organizationIdentifier=VATDE-1,organizationIdentifier=VATDE-1", null)]
    [TestCase("organizationIdentifier=VATDE-1+CN=bank", "VATDE-1")]
    public void A_name_has_one_identifier_or_none(string subject, string? expected)
    {
        DistinguishedName.Parse(subject).OrganizationIdentifier?.ToString().Should().Be(expected);
    }

    [Test]
    public void It_is_printed_by_its_name_in_subjects()
    {
        var name = DistinguishedName.Parse("2.5.4.97=#0c1050534447422d4643412d313233343536,CN=bank");

        name.ToString().Should().Be("organizationIdentifier=PSDGB-FCA-123456,CN=bank");
        DistinguishedName.Parse(name.ToString()).Should().Be(name);
    }

    [Test]
    public void The_name_of_a_peer_reads_back()
    {
        var name = PeerName.OrganizationIdentifier("PSDMT-MFSA-A 12345");

        name.ToString().Should().Be("organization:PSDMT-MFSA-A%2012345");
        PeerName.Parse(name.ToString()).Should().Be(name);
        PeerName.TryParse("organization:bank", out _).Should().BeFalse();
    }
}
