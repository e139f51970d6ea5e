using System.Security.Cryptography.X509Certificates;
using MutualAuth.Evidence;
using MutualAuth.Testing;

namespace MutualAuth.Tests.Handshake;

/// <summary>What a platform shows of a peer, and what becomes evidence of it.</summary>
public sealed class ShownCertificatesTests
{
    [Test]
    public void The_peers_own_certificate_is_there_once_however_often_it_is_shown()
    {
        using var shown = Shown.By(2048);
        using var same = new X509Certificate2(shown.Leaf);
        using var equal = X509CertificateLoader.LoadCertificate(shown.Leaf.RawData);
        using var chain = new X509Chain { ChainPolicy = { ExtraStore = { same, shown.Issuer, equal } } };

        var evidence = ShownCertificates.Of(shown.Leaf, chain);

        evidence.Select(der => Convert.ToHexString(der.Span)).Should().Equal(
            Convert.ToHexString(shown.Leaf.RawData), Convert.ToHexString(shown.Issuer.RawData));
    }

    [Test]
    public void A_certificate_of_the_same_name_and_serial_number_is_another_one()
    {
        using var authority = new TestAuthority("Authority");
        using var certificate = authority.Issue(spec => spec with { SerialNumber = 7 });
        using var twin = authority.Issue(spec => spec with { SerialNumber = 7 });
        using var chain = new X509Chain { ChainPolicy = { ExtraStore = { twin.Certificate } } };

        ShownCertificates.Of(certificate.Certificate, chain).Should().HaveCount(2);
    }

    [Test]
    public void The_platforms_own_object_is_not_encoded_twice()
    {
        using var shown = Shown.By(16 * 1024);
        using var same = new X509Certificate2(shown.Leaf);
        using var equal = X509CertificateLoader.LoadCertificate(shown.Leaf.RawData);

        AllocatedFor(shown.Leaf, same).Should().BeLessThan(shown.Leaf.RawData.Length + 1024);
        AllocatedFor(shown.Leaf, equal).Should().BeGreaterThan(2 * shown.Leaf.RawData.Length);
    }

    [Test]
    public void Without_a_certificate_there_is_no_evidence()
    {
        using var shown = Shown.By(2048);
        using var chain = new X509Chain { ChainPolicy = { ExtraStore = { shown.Issuer } } };

        ShownCertificates.Of(null, chain).Should().BeEmpty();
        ShownCertificates.Of(shown.Leaf, null).Should().ContainSingle();
    }

    private static long AllocatedFor(X509Certificate2 leaf, X509Certificate2 other)
    {
        using var fresh = new X509Certificate2(leaf);
        using var freshOther = new X509Certificate2(other);
        using var chain = new X509Chain { ChainPolicy = { ExtraStore = { freshOther } } };
        var before = GC.GetAllocatedBytesForCurrentThread();
        ShownCertificates.Of(fresh, chain);
        return GC.GetAllocatedBytesForCurrentThread() - before;
    }

    private sealed record Shown(X509Certificate2 Leaf, X509Certificate2 Issuer) : IDisposable
    {
        /// <summary>A certificate of at least so many octets, and its issuer's.</summary>
        internal static Shown By(int octets)
        {
            using var authority = new TestAuthority("Authority");
            using var leaf = authority.Issue(spec => spec with { DnsNames = [.. Enumerable.Range(0, octets / 16).Select(i => $"name-{i:D4}.test")] });
            return new Shown(
                X509CertificateLoader.LoadCertificate(leaf.RawCertificate.Span),
                X509CertificateLoader.LoadCertificate(authority.Certificate.RawDataMemory.Span));
        }

        public void Dispose()
        {
            Leaf.Dispose();
            Issuer.Dispose();
        }
    }
}
