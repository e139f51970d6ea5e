using System.Diagnostics;
using System.Globalization;
using System.Numerics;
using MutualAuth.Evidence;
using MutualAuth.Revocation;
using MutualAuth.Testing;
using MutualAuth.Testing.Revocation;
using MutualAuth.Validation;

namespace MutualAuth.Benchmarks;

/// <summary>What a verdict of the certificate stage costs with no revocation list, with a short one and with one of a million entries.</summary>
internal static class RevocationRatio
{
    private const int Rounds = 15;
    private const int PerRound = 200;

    internal static void Print()
    {
        using var authority = new TestAuthority();
        using var client = authority.IssueClient("client.test");
        var evidence = new PeerEvidence(PeerRole.Client, [client.RawCertificate]);
        var now = TimeProvider.System.GetUtcNow();

        var clock = Stopwatch.StartNew();
        var million = Lists(authority, 1_000_000, now);
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"a list of a million entries is made in {clock.Elapsed.TotalSeconds:F1} s"));
        var der = authority.IssueCrl(spec => spec with { Revoked = Entries(1_000_000, now) }).Raw;
        clock.Restart();
        RevocationLists.FromDer(der);
        Console.WriteLine(
            string.Create(CultureInfo.InvariantCulture, $"and loaded in {clock.Elapsed.TotalMilliseconds:F0} ms ({der.Length / 1e6:F1} MB)"));

        CertificateStage[] stages = [Stage(authority, null), Stage(authority, Lists(authority, 1, now)), Stage(authority, million)];
        var best = Enumerable.Repeat(double.MaxValue, stages.Length).ToArray();
        for (var round = 0; round < Rounds; round++)
        {
            for (var which = 0; which < stages.Length; which++)
            {
                best[which] = Math.Min(best[which], Time(stages[which], evidence, now));
            }
        }

        Console.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"a verdict: without lists {best[0]:F1} us, one entry {best[1]:F1} us, a million {best[2]:F1} us; a million / one = "
                + $"{best[2] / best[1]:F2}"));
    }

    private static CertificateStage Stage(TestAuthority authority, RevocationLists? lists) => new(new CertificateStageOptions
    {
        Trust = authority.ToTrustAnchors(),
        Authorization = Authorize.AnyTrustedPeer,
        Revocation = lists is null ? null : new RevocationPolicy { Lists = lists },
    });

    private static RevocationLists Lists(TestAuthority authority, int count, DateTimeOffset at) =>
        RevocationLists.FromDer(authority.IssueCrl(spec => spec with { Revoked = Entries(count, at) }).Raw);

    private static RevokedCertificate[] Entries(int count, DateTimeOffset at) =>
        [.. Enumerable.Range(1, count).Select(serial => new RevokedCertificate(new BigInteger(serial), at.AddHours(-2)))];

    private static double Time(CertificateStage stage, PeerEvidence evidence, DateTimeOffset at)
    {
        var clock = Stopwatch.StartNew();
        for (var count = 0; count < PerRound; count++)
        {
            if (stage.Judge(evidence, at) is not CertificateVerdict.Accepted)
            {
                throw new InvalidOperationException("A peer that is in order was rejected.");
            }
        }

        return clock.Elapsed.TotalMicroseconds / PerRound;
    }
}
