using System.Diagnostics;
using System.Globalization;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using MutualAuth.Testing;

namespace MutualAuth.Benchmarks;

/// <summary>
/// What a certificate of the test kit costs, key and all, beside the framework's <see cref="CertificateRequest"/>; and a ready pair of peers.
/// </summary>
internal static class IssuingRatio
{
    private const int Rounds = 12;
    private const int PerRound = 50;

    internal static void Print()
    {
        using var authority = new TestAuthority();
        using var frameworkKey = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var frameworkRoot = new CertificateRequest("CN=Root", frameworkKey, HashAlgorithmName.SHA256);
        frameworkRoot.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, true));
        using var root = frameworkRoot.CreateSelfSigned(DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(30));

        var (kit, framework, pair) = (new List<double>(), new List<double>(), new List<double>());
        for (var round = 0; round <= Rounds; round++)
        {
            // In turns, so that a noisy neighbour hits all alike; the first round only warms up.
            var (kitTime, frameworkTime, pairTime) =
                (Time(() => IssueByKit(authority)), Time(() => IssueByFramework(root)), Time(() => MakePair(authority)));
            if (round > 0)
            {
                kit.Add(kitTime);
                framework.Add(frameworkTime);
                pair.Add(pairTime);
            }
        }

        var ratios = kit.Zip(framework, (ours, theirs) => ours / theirs).Order().ToList();
        Console.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"P-256 leaf with its key: kit {1000 / Median(kit):F0} a second, CertificateRequest {1000 / Median(framework):F0} a second, time ratio "
                + $"{ratios[Rounds / 2]:F2} (from {ratios[0]:F2} to {ratios[^1]:F2}); a ready pair of peers {Median(pair):F1} ms"));
    }

    private static void IssueByKit(TestAuthority authority)
    {
        using var certificate = authority.IssueServer("server.test");
        _ = certificate.Certificate.HasPrivateKey;
    }

    private static void IssueByFramework(X509Certificate2 root)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=server.test", key, HashAlgorithmName.SHA256);
        var names = new SubjectAlternativeNameBuilder();
        names.AddDnsName("server.test");
        request.CertificateExtensions.Add(names.Build());
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(false, false, 0, true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.DigitalSignature, true));
        request.CertificateExtensions.Add(new X509EnhancedKeyUsageExtension([new Oid("1.3.6.1.5.5.7.3.1")], false));
        using var certificate = request.Create(root, root.NotBefore, root.NotAfter, RandomNumberGenerator.GetBytes(16));
        using var withKey = certificate.CopyWithPrivateKey(key);
    }

    private static void MakePair(TestAuthority authority) => authority.CreatePair().Dispose();

    private static double Time(Action action)
    {
        var clock = Stopwatch.StartNew();
        for (var count = 0; count < PerRound; count++)
        {
            action();
        }

        return clock.Elapsed.TotalMilliseconds / PerRound;
    }

    private static double Median(List<double> values) => values.Order().ElementAt(values.Count / 2);
}
