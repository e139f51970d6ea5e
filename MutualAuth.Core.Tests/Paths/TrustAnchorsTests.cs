using System.Security.Cryptography.X509Certificates;
using MutualAuth.Paths;
using MutualAuth.Testing;
using MutualAuth.Tests.Support;

namespace MutualAuth.Tests.Paths;

public sealed class TrustAnchorsTests
{
    private TestAuthority _first = null!;
    private TestAuthority _second = null!;

    [OneTimeSetUp]
    public void Make_the_authorities()
    {
        _first = new TestAuthority("First");
        _second = new TestAuthority("Second");
    }

    [OneTimeTearDown]
    public void Dispose_of_the_authorities()
    {
        _first.Dispose();
        _second.Dispose();
    }

    [Test]
    public void Pem_is_read_whatever_stands_around_it()
    {
        var trust = TrustAnchors.FromPem($"our roots\n{_first.CertificatePem}\n# the other\n{_second.CertificatePem}end\n");

        trust.Certificates.Should().Equal(_first.Read(), _second.Read());
    }

    [Test]
    public void Duplicates_are_folded() =>
        TrustAnchors.From(_first.Certificate, _second.Certificate, _first.Certificate).Certificates.Should().Equal(_first.Read(), _second.Read());

    [Test]
    public void Several_files_are_one_set()
    {
        var directory = Directory.CreateTempSubdirectory("mutualauth-");
        try
        {
            string[] paths = [_first.WriteTo(directory.FullName, "a"), _second.WriteTo(directory.FullName, "b")];

            TrustAnchors.FromPemFiles(paths).Certificates.Should().HaveCount(2);
        }
        finally
        {
            directory.Delete(recursive: true);
        }
    }

    private static IEnumerable<TestCaseData> Unusable =>
    [
        new TestCaseData(string.Empty).SetArgDisplayNames("nothing"),
        new TestCaseData("no certificate at all").SetArgDisplayNames("text"),
        new TestCaseData("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n").SetArgDisplayNames("no certificate in the block"),
        new TestCaseData("-----BEGIN CERTIFICATE-----\n????\n-----END CERTIFICATE-----\n").SetArgDisplayNames("no base64"),
        new TestCaseData("-----BEGIN CERTIFICATE-----\nAAAA\n").SetArgDisplayNames("no end"),
        new TestCaseData("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n").SetArgDisplayNames("a key"),
    ];

    [TestCaseSource(nameof(Unusable))]
    public void What_cannot_be_read_is_an_error_even_beside_what_can(string pem)
    {
        var alone = () => TrustAnchors.FromPem(pem);
        alone.Should().Throw<MaterialException>();

        if (pem.Contains("BEGIN", StringComparison.Ordinal))
        {
            var before = () => TrustAnchors.FromPem(pem + _first.CertificatePem);
            var after = () => TrustAnchors.FromPem(_first.CertificatePem + pem);
            before.Should().Throw<MaterialException>();
            after.Should().Throw<MaterialException>();
        }
    }

    [Test]
    public void An_empty_set_is_an_error()
    {
        var none = () => TrustAnchors.From(Array.Empty<X509Certificate2>());
        var noFile = () => TrustAnchors.FromPemFiles(Path.Combine(Path.GetTempPath(), Guid.NewGuid().ToString("N")));

        none.Should().Throw<MaterialException>();
        noFile.Should().Throw<MaterialException>();
    }

    [Test]
    public void Helpers_are_added_and_not_trusted()
    {
        using var intermediate = _second.IssueIntermediate("Below");

        var trust =
            TrustAnchors.From(_first.Certificate).WithIntermediates(intermediate.Certificate).WithIntermediatesFromPem(_second.CertificatePem);

        trust.Certificates.Should().Equal(_first.Read());
        trust.Intermediates.Should().Equal(intermediate.Read(), _second.Read());
    }

    [Test]
    public void A_fixed_set_is_its_own_source()
    {
        var trust = TrustAnchors.From(_first.Certificate);

        ((ITrustAnchorSource)trust).Current.Should().BeSameAs(trust);
    }

    [Test]
    public void An_anchor_is_found_by_a_name_that_is_written_otherwise()
    {
        using var leaf = _first.Issue(spec => spec with { Issuer = "CN=FIRST" });

        TestPaths.Validate(leaf, TrustAnchors.From(_first.Certificate, _second.Certificate)).Rejection.Should().BeNull();
    }
}
