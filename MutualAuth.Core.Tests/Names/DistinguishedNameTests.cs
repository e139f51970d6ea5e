using System.Formats.Asn1;
using System.Security.Cryptography.X509Certificates;
using MutualAuth.Names;

namespace MutualAuth.Tests.Names;

public sealed class DistinguishedNameTests
{
    [TestCase("")]
    [TestCase("CN=a")]
    [TestCase("CN=client,OU=Unit,O=Example,C=DE")]
    [TestCase("CN=a+OU=b,O=c")]
    [TestCase("UID=u,DC=example,DC=com")]
    [TestCase("CN=Sue\\, Grabbit and Runn,L=London")]
    [TestCase("CN=\\ edge\\ ")]
    [TestCase("CN=\\#1\\+2\\;\\<\\>\\\\\\\"")]
    [TestCase("1.3.6.1.4.1.55555.1=#04024869")]
    [TestCase("CN=Lučić")]
    public void Text_survives_a_round_trip(string text) => DistinguishedName.Parse(text).ToString().Should().Be(text);

    [Test]
    public void Whether_names_are_equal_does_not_depend_on_whose_hash_was_asked_for([Values] bool isOnes, [Values] bool isOthers)
    {
        var one = DistinguishedName.Parse("CN=client,O=Example");
        var same = DistinguishedName.Parse("CN=Client,O=example");
        var other = DistinguishedName.Parse("CN=clienu,O=Example");
        _ = isOnes ? one.GetHashCode() : 0;
        _ = isOthers ? same.GetHashCode() ^ other.GetHashCode() : 0;

        one.Equals(same).Should().BeTrue();
        one.Equals(other).Should().BeFalse();
    }

    [TestCase("cn = a , o = b", "CN=a,O=b")]
    [TestCase("CN=a;O=b", "CN=a,O=b")]
    [TestCase("2.5.4.3=a", "CN=a")]
    [TestCase("CN=Lu\\C4\\8Di\\C4\\87", "CN=Lučić")]
    [TestCase("CN=a\\00b", "CN=a\\00b")]
    [TestCase("E=a@b.test", "1.2.840.113549.1.9.1=#16086140622e74657374")]
    [TestCase("CN=two  spaces", "CN=two  spaces")]
    public void Other_spellings_are_read(string text, string printed) => DistinguishedName.Parse(text).ToString().Should().Be(printed);

    [TestCase("client")]
    [TestCase("CN=")]
    [TestCase("=a")]
    [TestCase("CN=a,")]
    [TestCase("CN=a+")]
    [TestCase("CN=a,,O=b")]
    [TestCase("CN=a\"b")]
    [TestCase("CN=a\\")]
    [TestCase("CN=a\\zz")]
    [TestCase("CN=\\ff")]
    [TestCase("NOSUCH=a")]
    [TestCase("1.2.3=#zz")]
    [TestCase("1.2.3=#0402")]
    [TestCase("C=ü")]
    [TestCase(null)]
    public void What_is_no_name_is_refused(string? text)
    {
        DistinguishedName.TryParse(text, out var name).Should().BeFalse();
        name.Should().BeNull();
    }

    [Test]
    public void Half_a_character_is_refused() => DistinguishedName.TryParse($"CN={(char)0xd800}", out _).Should().BeFalse();

    [Test]
    public void Parse_says_what_it_got()
    {
        var parse = () => DistinguishedName.Parse("nonsense");

        parse.Should().Throw<FormatException>().WithMessage("*nonsense*");
    }

    [Test]
    public void A_text_beyond_the_bound_is_refused()
    {
        DistinguishedName.TryParse("CN=" + new string('a', 4093), out _).Should().BeTrue();
        DistinguishedName.TryParse("CN=" + new string('a', 4094), out _).Should().BeFalse();
    }

    [TestCase("CN=a", "CN=A", true)]
    [TestCase("CN=a b", "CN=\\ a   b\\ ", true)]
    [TestCase("CN=ÄÖ", "CN=äö", true)]
    [TestCase("CN=a+O=b", "O=b+CN=a", true)]
    [TestCase("CN=a,O=b", "O=b,CN=a", false)]
    [TestCase("CN=a", "O=a", false)]
    [TestCase("CN=a", "CN=a,O=b", false)]
    [TestCase("CN=a", "CN=ab", false)]
    [TestCase("CN=a+O=b", "CN=a,O=b", false)]
    [TestCase("", "", true)]
    public void Equality_is_that_of_rfc_5280(string left, string right, bool areEqual)
    {
        var (one, other) = (DistinguishedName.Parse(left), DistinguishedName.Parse(right));

        one.Equals(other).Should().Be(areEqual);
        (one.GetHashCode() == other.GetHashCode()).Should().Be(areEqual);
        other.Equals((object)one).Should().Be(areEqual);
    }

    [TestCase(UniversalTagNumber.PrintableString)]
    [TestCase(UniversalTagNumber.IA5String)]
    [TestCase(UniversalTagNumber.T61String)]
    [TestCase(UniversalTagNumber.BMPString)]
    public void The_string_type_does_not_count(UniversalTagNumber type) => Decode(type, "Client").Should().Be(DistinguishedName.Parse("CN=client"));

    [Test]
    public void The_platforms_encoding_is_read()
    {
        var platform = new X500DistinguishedName("CN=a, O=b, C=DE");

        DistinguishedName.TryDecode(platform.RawData, out var name).Should().BeTrue();
        name.Should().Be(DistinguishedName.Parse("CN=a,O=b,C=DE"));
        name!.RawData.ToArray().Should().Equal(platform.RawData);
    }

    [TestCase("")]
    [TestCase("3000ff")]
    [TestCase("3080 0000")]
    [TestCase("3002 3100")]
    [TestCase("3009 3107 3005 06035504 03")]
    [TestCase("300e 310c 300a 0603550403 0c01 61 0500")]
    [TestCase("300c 310a 3008 0603550403 0c01 ff")]
    [TestCase("300c 310a 3008 0603550403 1301 e4")]
    [TestCase("300c 310a 3008 0603558003 0c01 61")]
    [TestCase("300d 310b 3009 0603550403 0c8101 61")]
    [TestCase("3016 3114 3008 0603550403 0c0162 3008 0603550403 0c0161")]
    [TestCase("3016 3114 3008 0603550403 0c0161 3008 0603550403 0c0161")]
    public void What_is_not_der_is_refused(string hex) =>
        DistinguishedName.TryDecode(Convert.FromHexString(hex.Replace(" ", string.Empty, StringComparison.Ordinal)), out _).Should().BeFalse();

    [Test]
    public void A_well_formed_neighbour_is_read() =>
        DistinguishedName.TryDecode(Convert.FromHexString("300c310a3008" + "0603550403" + "0c0161"), out _).Should().BeTrue();

    [TestCase(256, true)]
    [TestCase(257, false)]
    public void The_number_of_attributes_is_bounded(int count, bool isRead)
    {
        var writer = new AsnWriter(AsnEncodingRules.DER);
        using (writer.PushSequence())
        {
            for (var i = 0; i < count; i++)
            {
                writer.WriteEncodedValue(Convert.FromHexString("310a3008" + "0603550403" + "0c0161"));
            }
        }

        DistinguishedName.TryDecode(writer.Encode(), out _).Should().Be(isRead);
    }

    private static DistinguishedName Decode(UniversalTagNumber type, string commonName)
    {
        var writer = new AsnWriter(AsnEncodingRules.DER);
        using (writer.PushSequence())
        using (writer.PushSetOf())
        using (writer.PushSequence())
        {
            writer.WriteObjectIdentifier("2.5.4.3");
            writer.WriteCharacterString(type, commonName);
        }

        return DistinguishedName.TryDecode(writer.Encode(), out var name) ? name : throw new AssertionException("The encoding was refused.");
    }
}
