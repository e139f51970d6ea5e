using System.Formats.Asn1;
using Microsoft.Extensions.Time.Testing;
using MutualAuth.Certificates;
using MutualAuth.Names;
using MutualAuth.Testing;
using MutualAuth.Tests.Support;

namespace MutualAuth.Tests.Certificates;

/// <summary>The statements of qualified certificates: read as a whole and strictly, or not at all.</summary>
public sealed class QcStatementsTests
{
    private const string QcStatementsType = "1.3.6.1.5.5.7.1.3";

    private static readonly TestAuthority s_authority = new("Statements", timeProvider: new FakeTimeProvider(TestPeer.Now));

    [Test]
    public void A_certificate_of_a_payment_service_provider_says_who_it_is()
    {
        var statements = Read(QualifiedStatements.ThirdPartyProvider with { KeyIsInQualifiedDevice = true, Legislation = ["GB"] })!;

        (statements.IsCompliant, statements.KeyIsInQualifiedDevice).Should().Be((true, true));
        statements.Types.Should().Equal(QcType.Website);
        statements.Legislation.Should().Equal("GB");
        statements.Psd2!.Roles.Should().Equal(Psd2Role.PaymentInitiation, Psd2Role.AccountInformation);
        (statements.Psd2.AuthorityName, statements.Psd2.Authority).Should().Be(("Financial Conduct Authority", CompetentAuthority.Parse("GB-FCA")));
        statements.Psd2.ToString().Should().Be("PSP_PI, PSP_AI by GB-FCA");
        statements.Identifiers.Should().Equal("0.4.0.1862.1.1", "0.4.0.1862.1.4", "0.4.0.1862.1.6", "0.4.0.1862.1.7", "0.4.0.19495.2");
    }

    /// <summary>The octets as a qualified certificate of a Polish test provider has them, put together by hand from the grammar.</summary>
    [Test]
    public void The_octets_of_the_grammar_are_read()
    {
        var octets = Convert.FromHexString(
            "3062" + "3008060604008E460101" + "3013060604008E4601063009060704008E46010603"
            + "3041" + "060604008198270230373013" + "3011" + "0607040081982701030C06" + "5053505F4149"
            + "0C17" + "506F6C69736820" + "46696E616E6369616C205375702E2041"
            + "0C07" + "504C2D50465341");

        var statements = ReadOctets(octets, out var problem);

        problem.Should().BeNull();
        statements!.Psd2!.ToString().Should().Be("PSP_AI by PL-PFSA");
        statements.Types.Should().Equal(QcType.Website);
    }

    [Test]
    public void A_certificate_without_them_has_none_and_no_problem()
    {
        using var plain = s_authority.Issue(spec => spec);

        Certificate.Parse(plain.RawCertificate).TryReadQcStatements(out var statements, out var problem).Should().BeFalse();
        (statements, problem).Should().Be((null, null));
        Certificate.Parse(plain.RawCertificate).QcStatements.Should().BeNull();
    }

    [Test]
    public void A_statement_of_an_unknown_type_is_passed_over_whatever_it_holds()
    {
        var statements = Read(new QualifiedStatements { Types = [3, 9], Others = [Statement("1.2.3", [4, 1, 7]), Statement("1.2.4", null)] })!;

        statements.Types.Should().Equal(QcType.Website);
        statements.Identifiers.Should().EndWith("1.2.4");
        statements.Psd2.Should().BeNull();
    }

    [Test]
    public void A_role_that_is_not_known_gives_none()
    {
        var unknown = Read(QualifiedStatements.ThirdPartyProvider with { Roles = [(9, "PSP_XX")] })!.Psd2!;

        unknown.Roles.Should().BeEmpty();
        unknown.ToString().Should().Be("no role that is known by GB-FCA");
        Read(QualifiedStatements.ThirdPartyProvider with { Roles = [(1, "PSP_AS"), (4, "PSP_IC")] })!.Psd2!.Roles.Should()
            .Equal(Psd2Role.AccountServicing, Psd2Role.IssuingOfInstruments);
    }

    private static IEnumerable<TestCaseData> Malformed()
    {
        static TestCaseData Case(string what, QualifiedStatements statements) => new TestCaseData(statements).SetArgDisplayNames(what);
        var provider = QualifiedStatements.ThirdPartyProvider;
        yield return Case("a statement twice", provider with { Others = [Statement("0.4.0.1862.1.1", null)] });
        yield return Case("an unknown statement twice", provider with { Others = [Statement("1.2.3", null), Statement("1.2.3", [5, 0])] });
        yield return Case("two roles of the same kind", provider with { Roles = [(3, "PSP_AI"), (3, "PSP_AI")] });
        yield return Case("a role with the name of another", provider with { Roles = [(3, "PSP_PI")] });
        yield return Case("an unknown role with a known name", provider with { Roles = [(9, "PSP_AI")] });
        yield return Case("a role without a name", provider with { Roles = [(3, "")] });
        yield return Case("a role in small letters", provider with { Roles = [(3, "psp_ai")] });
        yield return Case("33 roles", provider with { Roles = [.. Enumerable.Range(10, 33).Select(arc => (arc, $"R{arc}"))] });
        yield return Case("an authority without a country", provider with { AuthorityId = "FCA" });
        yield return Case("an authority that is not applicable", provider with { AuthorityId = "NA" });
        yield return Case("an authority without a name", provider with { AuthorityName = "" });
        yield return Case("a name that is too long", provider with { AuthorityName = new string('a', 257) });
        yield return Case("a name on two lines", provider with { AuthorityName = "a\nb" });
        yield return Case("a country in small letters", provider with { Legislation = ["gb"] });
        yield return Case("a country of three letters", provider with { Legislation = ["GBR"] });
        yield return Case("a type twice", provider with { Types = [3, 3] });
        yield return Case("content in QcCompliance", provider with { IsCompliant = false, Others = [Statement("0.4.0.1862.1.1", [5, 0])] });
        yield return Case("content in QcSSCD", provider with { Others = [Statement("0.4.0.1862.1.4", [5, 0])] });
        yield return Case("QcType without content", provider with { Types = [], Others = [Statement("0.4.0.1862.1.6", null)] });
        yield return Case("QcType with an empty list", provider with { Types = [], Others = [Statement("0.4.0.1862.1.6", [0x30, 0])] });
        yield return Case("no content of the provider", provider with { Roles = [], Others = [Statement("0.4.0.19495.2", null)] });
        yield return Case("an empty list of roles", provider with { Roles = [], Others = [Statement("0.4.0.19495.2", Payments([0x30, 0]))] });
        yield return Case("no list of roles", provider with { Roles = [], Others = [Statement("0.4.0.19495.2", Payments([5, 0]))] });
        yield return Case("33 statements", new() { Others = [.. Enumerable.Range(1, 31).Select(arc => Statement($"1.2.{arc}", null))] });
        yield return Case("no statement", new QualifiedStatements { IsCompliant = false, Types = [] });
        yield return Case("two values in one statement", new QualifiedStatements { Others = [new byte[] { 0x30, 8, 6, 2, 0x2a, 3, 5, 0, 5, 0 }] });
    }

    [TestCaseSource(nameof(Malformed))]
    public void What_is_malformed_in_one_place_says_nothing_at_all(QualifiedStatements statements)
    {
        Read(QualifiedStatements.ThirdPartyProvider).Should().NotBeNull();
        ReadOctets(statements.ToExtension().Value, out var problem).Should().BeNull();
        problem!.Reason.Should().Be(RejectionReason.QcStatementsMalformed);
    }

    [TestCase("")]
    [TestCase("00")]
    [TestCase("0500")]
    [TestCase("3080" + "3008060604008E460101" + "0000")]
    [TestCase("300A3008060604008E4601010500")]
    [TestCase("30810A3008060604008E460101")]
    [TestCase("300A3108060604008E460101")]
    [TestCase("300A3008060604008E4601")]
    [TestCase("30073005060304808E")]
    public void Octets_of_another_grammar_say_nothing(string octets)
    {
        ReadOctets(Convert.FromHexString(octets), out var problem).Should().BeNull();
        problem!.Reason.Should().Be(RejectionReason.QcStatementsMalformed);
    }

    [Test]
    public void Each_octet_counts()
    {
        var right = QualifiedStatements.ThirdPartyProvider.ToExtension().Value.ToArray();
        for (var i = 0; i < right.Length; i++)
        {
            for (var bit = 0; bit < 8; bit++)
            {
                var wrong = right.ToArray();
                wrong[i] ^= (byte)(1 << bit);
                var read = ReadOctets(wrong, out _);

                // A text, or the identifier of something unknown, may be another one; a role that was not granted never appears.
                (read?.Psd2?.Roles ?? []).Should().BeSubsetOf([Psd2Role.PaymentInitiation, Psd2Role.AccountInformation]);
            }
        }
    }

    private static QcStatements? Read(QualifiedStatements statements) => ReadOctets(statements.ToExtension().Value, out _);

    private static QcStatements? ReadOctets(ReadOnlyMemory<byte> value, out Rejection? problem)
    {
        using var issued = s_authority.Issue(spec => spec with { Extensions = [new(QcStatementsType, false, value)] });
        var certificate = Certificate.Parse(issued.RawCertificate);
        certificate.TryReadQcStatements(out var statements, out problem).Should().Be(statements is not null);
        certificate.QcStatements.Should().BeEquivalentTo(statements);
        return statements;
    }

    private static byte[] Payments(byte[] roles) => DerEdit.Encode(writer =>
    {
        using (writer.PushSequence())
        {
            writer.WriteEncodedValue(roles);
            writer.WriteCharacterString(UniversalTagNumber.UTF8String, "Authority");
            writer.WriteCharacterString(UniversalTagNumber.UTF8String, "GB-FCA");
        }
    });

    private static ReadOnlyMemory<byte> Statement(string type, byte[]? content) => DerEdit.Encode(writer =>
    {
        using (writer.PushSequence())
        {
            writer.WriteObjectIdentifier(type);
            if (content is not null)
            {
                writer.WriteEncodedValue(content);
            }
        }
    });
}
