using System.Globalization;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Microsoft.Extensions.Time.Testing;

namespace MutualAuth.Testing.Tests;

/// <summary>The defaults of a specification are what its summaries say, and nothing silently means another thing.</summary>
public sealed class SpecificationTests
{
    private static readonly DateTimeOffset s_now = new(2030, 6, 1, 12, 0, 0, TimeSpan.Zero);

    private TestAuthority _authority = null!;

    [SetUp]
    public void SetUp() => _authority = new TestAuthority(timeProvider: new FakeTimeProvider(s_now));

    [TearDown]
    public void TearDown() => _authority.Dispose();

    [Test]
    public void A_specification_of_its_own_is_valid_from_a_day_before_now_for_thirty_days()
    {
        using var leaf = _authority.Issue(new CertificateSpec { DnsNames = ["a.test"] });

        leaf.Certificate.NotBefore.ToUniversalTime().Should().Be(s_now.AddDays(-1).UtcDateTime);
        leaf.Certificate.NotAfter.ToUniversalTime().Should().Be(s_now.AddDays(30).UtcDateTime);
        leaf.Spec.NotAfter.Should().Be(s_now.AddDays(30));
    }

    [TestCase("0001-01-01T00:00:00Z")]
    [TestCase("2049-12-31T23:59:59.9999999Z")]
    [TestCase("2050-01-01T00:00:00Z")]
    [TestCase("9999-06-01T00:00:00Z")]
    [TestCase("9999-12-31T23:59:59.9999999Z")]
    public void A_clock_may_stand_anywhere(string now)
    {
        using var authority = new TestAuthority(timeProvider: new StillClock(DateTimeOffset.Parse(now, CultureInfo.InvariantCulture)));
        using var intermediate = authority.IssueIntermediate();
        using var leaf = intermediate.IssueServer("a.test");
        using var spec = intermediate.Issue(new CertificateSpec { DnsNames = ["a.test"] });
        intermediate.Revoke(leaf);

        var list = CertificateRevocationListBuilder.Load(intermediate.IssueCrl().Raw.ToArray(), out _);
        list.RemoveEntry(leaf.Certificate.SerialNumberBytes.Span).Should().BeTrue();
        intermediate.IssueOcspResponse(leaf).Should().NotBeEmpty();
        (spec.Certificate.NotBefore <= spec.Certificate.NotAfter).Should().BeTrue();
        authority.Certificate.NotAfter.ToUniversalTime().Year.Should().BeLessThanOrEqualTo(9999);
    }

    [Test]
    public void Dates_that_are_given_are_written_the_first_of_all_included()
    {
        using var leaf = _authority.Issue(new CertificateSpec { DnsNames = ["a.test"], NotBefore = DateTimeOffset.MinValue, NotAfter = s_now });

        leaf.Certificate.NotAfter.ToUniversalTime().Should().Be(s_now.UtcDateTime);
        leaf.Certificate.NotBefore.Year.Should().Be(1);
    }

    [Test]
    public void The_key_identifier_is_that_of_the_key_that_is_written()
    {
        var foreign = TestKey.Generate();
        using var leaf = _authority.Issue(spec => spec with { RawPublicKey = foreign.SubjectPublicKeyInfo });

        using var read = X509CertificateLoader.LoadCertificate(leaf.RawCertificate.Span);
        read.Extensions.OfType<X509SubjectKeyIdentifierExtension>().Single().SubjectKeyIdentifier.Should().Be(IdentifierOf(foreign));
    }

    [Test]
    public void What_an_authority_with_a_foreign_key_issues_refers_to_that_key()
    {
        var foreign = TestKey.Generate();
        using var below = _authority.IssueIntermediate(spec: spec => spec with { RawPublicKey = foreign.SubjectPublicKeyInfo });
        using var leaf = below.IssueClient("a.test");

        Convert.ToHexString(leaf.Certificate.Extensions.OfType<X509AuthorityKeyIdentifierExtension>().Single().KeyIdentifier!.Value.Span)
            .Should().Be(IdentifierOf(foreign));
    }

    private sealed class StillClock(DateTimeOffset now) : TimeProvider
    {
        public override DateTimeOffset GetUtcNow() => now;
    }

    private static string IdentifierOf(TestKey key) =>
        new X509SubjectKeyIdentifierExtension(PublicKey.CreateFromSubjectPublicKeyInfo(key.SubjectPublicKeyInfo.Span, out _), critical: false)
            .SubjectKeyIdentifier!;
}
