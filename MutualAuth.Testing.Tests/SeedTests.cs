using System.Security.Cryptography;
using Microsoft.Extensions.Time.Testing;

namespace MutualAuth.Testing.Tests;

public sealed class SeedTests
{
    private static readonly DateTimeOffset s_now = new(2030, 6, 1, 12, 0, 0, TimeSpan.Zero);

    [Test]
    public void The_same_seed_gives_the_same_octets_throughout([Values(
        KeyAlgorithm.EcdsaP256,
        KeyAlgorithm.EcdsaP384,
        KeyAlgorithm.EcdsaP521,
        KeyAlgorithm.Rsa2048,
        KeyAlgorithm.Ed25519,
        KeyAlgorithm.MLDsa44)] KeyAlgorithm algorithm)
    {
        Everything("seed", algorithm).Should().Equal(Everything("seed", algorithm));
    }

    [Test]
    public void Another_seed_gives_another_key_and_another_serial_number()
    {
        Everything("seed", KeyAlgorithm.EcdsaP256).Should().NotIntersectWith(Everything("other", KeyAlgorithm.EcdsaP256));
    }

    [Test]
    public void Two_certificates_of_one_seed_have_different_keys()
    {
        using var authority = new TestAuthority(seed: "seed");
        using var first = authority.IssueClient("a.test");
        using var second = authority.IssueClient("a.test");

        first.Key.Pkcs8.ToArray().Should().NotEqual(second.Key.Pkcs8.ToArray());
    }

    [Test]
    public void The_octets_do_not_change_from_one_version_to_the_next()
    {
        using var authority = new TestAuthority(timeProvider: new FakeTimeProvider(s_now), seed: "vectors");
        using var leaf = authority.IssueServer("server.test");

        SHA256.HashData(leaf.RawCertificate.Span).Should().Equal(
            Convert.FromHexString("F9B0859BDB1AA41CA50AA02011D8B9A7CFCF6DE9BD3F08A05AF5FECE27FC3E72"));
    }

    [Test]
    public void A_seed_holds_for_keys_of_ones_own_too(
        [Values(KeyAlgorithm.EcdsaP256, KeyAlgorithm.Rsa2048, KeyAlgorithm.Ed25519)] KeyAlgorithm algorithm, [Values] bool takenOver)
    {
        using var existing = new TestAuthority(
            spec: spec => spec with { Key = TestKey.Shared(algorithm) }, timeProvider: new FakeTimeProvider(s_now));
        var leafKey = TestKey.Shared(algorithm, 1);

        Everything().Should().Equal(Everything());

        List<string> Everything()
        {
            var clock = new FakeTimeProvider(s_now);
            using var authority = takenOver
                ? TestAuthority.FromPem(existing.CertificatePem, existing.AsCertificate.Key.PrivateKeyPem, timeProvider: clock, seed: "seed")
                : new TestAuthority(spec: spec => spec with { Key = existing.AsCertificate.Key }, timeProvider: clock, seed: "seed");
            using var intermediate = authority.IssueIntermediate(spec: spec => spec with { Key = TestKey.FromPem(leafKey.PrivateKeyPem) });
            using var leaf = intermediate.Issue(spec => spec with { DnsNames = ["a.test"], Key = leafKey });
            using var forged = authority.Issue(spec => spec with { DnsNames = ["a.test"], SigningKey = leafKey });
            return
            [
                Convert.ToHexString(authority.AsCertificate.RawCertificate.Span),
                Convert.ToHexString(leaf.RawCertificate.Span),
                Convert.ToHexString(forged.RawCertificate.Span),
                Convert.ToHexString(authority.IssueCrl().Raw.Span),
                Convert.ToHexString(authority.IssueCrl(spec => spec with { SigningKey = leafKey }).Raw.Span),
                Convert.ToHexString(intermediate.IssueOcspResponse(leaf)),
                Convert.ToHexString(intermediate.IssueOcspResponse(leaf, spec => spec with { SigningKey = leafKey })),
                leaf.ToEncryptedPrivateKeyPem("password"),
                Convert.ToHexString(leaf.ToPkcs12("password")),
                Convert.ToHexString(authority.ToTrustPkcs12("password")),
            ];
        }
    }

    [Test]
    public void A_key_from_a_seed_is_always_the_same() =>
        TestKey.FromSeed(KeyAlgorithm.EcdsaP256, "a").Pkcs8.ToArray().Should().Equal(TestKey.FromSeed(KeyAlgorithm.EcdsaP256, "a").Pkcs8.ToArray());

    private static List<string> Everything(string seed, KeyAlgorithm algorithm)
    {
        CertificateSpec WithKey(CertificateSpec spec) => spec with { KeyAlgorithm = algorithm };
        using var authority = new TestAuthority(spec: WithKey, timeProvider: new FakeTimeProvider(s_now), seed: seed);
        using var intermediate = authority.IssueIntermediate(spec: WithKey);
        using var leaf = intermediate.IssueServer("a.test");
        authority.Revoke(leaf);
        var pss = algorithm == KeyAlgorithm.Rsa2048 ? SignatureAlgorithm.RsaPssSha256 : (SignatureAlgorithm?)null;
        using var special = authority.Issue(spec => spec with { SignatureAlgorithm = pss });
        return
        [
            Convert.ToHexString(authority.AsCertificate.RawCertificate.Span),
            Convert.ToHexString(intermediate.AsCertificate.RawCertificate.Span),
            Convert.ToHexString(leaf.RawCertificate.Span),
            Convert.ToHexString(leaf.Key.Pkcs8.Span),
            Convert.ToHexString(special.RawCertificate.Span),
            Convert.ToHexString(authority.IssueCrl().Raw.Span),
            Convert.ToHexString(authority.IssueOcspResponse(leaf)),
            leaf.ToEncryptedPrivateKeyPem("password"),
            Convert.ToHexString(leaf.ToPkcs12("password")),
        ];
    }
}
