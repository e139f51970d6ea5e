using MutualAuth.Hello;
using MutualAuth.Tests.Support;

namespace MutualAuth.Tests.Hello;

/// <summary>What a key exchange would cost is decided by the hello, before anybody computes (CVE-2002-20001).</summary>
public sealed class KeyExchangeCostTests
{
    private static readonly byte[] s_key = [7, 7, 7];

    private static IEnumerable<TestCaseData> Refused()
    {
        static TestCaseData Case(string name, params (int Type, byte[] Data)[] extensions) =>
            new TestCaseData(Hello(extensions)).SetArgDisplayNames(name);

        foreach (var group in new[] { 0x0100, 0x0104, 0x01ff })
        {
            yield return Case($"a share in 0x{group:x4}", HelloDraft.BothVersions, HelloDraft.Groups(0x1d, group), HelloDraft.Shares((group, s_key)));
        }

        yield return Case(
            "a finite-field share beside an elliptic one",
            HelloDraft.BothVersions,
            HelloDraft.Groups(0x1d, 0x100),
            HelloDraft.Shares((0x1d, s_key), (0x100, s_key)));
        yield return Case("a finite-field share and no groups", HelloDraft.BothVersions, HelloDraft.Shares((0x100, s_key)));
        yield return Case("finite-field groups alone", HelloDraft.BothVersions, HelloDraft.Groups(0x100, 0x101, 0x102), HelloDraft.Shares());
        yield return Case("finite-field groups alone, for TLS 1.2", HelloDraft.Groups(0x100));
        yield return Case("finite-field and reserved groups", HelloDraft.BothVersions, HelloDraft.Groups(0x0a0a, 0x100), HelloDraft.Shares());
        yield return Case(
            "finite-field groups and one that nobody knows", HelloDraft.BothVersions, HelloDraft.Groups(0x9999, 0x104), HelloDraft.Shares());
        yield return Case("explicit curves alone (RFC 8422 §5.1.1 forbids them)", HelloDraft.Groups(0xff01, 0xff02));
    }

    [TestCaseSource(nameof(Refused))]
    public void A_hello_that_would_cost_a_finite_field_is_refused(byte[] hello)
    {
        var reading = ClientHelloParser.Parse(hello, 16384, final: false);

        reading.Hello.Should().BeNull();
        (reading.Problem?.Reason, reading.Alert).Should().Be((RejectionReason.NoCommonCipherSuite, TlsAlerts.HandshakeFailure));
    }

    private static IEnumerable<TestCaseData> Read()
    {
        static TestCaseData Case(string name, params (int Type, byte[] Data)[] extensions) =>
            new TestCaseData(Hello(extensions)).SetArgDisplayNames(name);

        foreach (var (group, name) in new[]
        { (0x0017, "P-256"), (0x001d, "X25519"), (0x001f, "brainpoolP256r1tls13"), (0x0201, "ML-KEM-768"), (0x11ec, "X25519MLKEM768") })
        {
            yield return Case($"{name} alone", HelloDraft.BothVersions, HelloDraft.Groups(group), HelloDraft.Shares((group, s_key)));
        }

        yield return Case(
            "an elliptic share, finite-field groups beside it",
            HelloDraft.BothVersions,
            HelloDraft.Groups(0x100, 0x104, 0x1d),
            HelloDraft.Shares((0x1d, s_key)));
        yield return Case(
            "a reserved share and group beside elliptic ones",
            HelloDraft.BothVersions,
            HelloDraft.Groups(0x0a0a, 0x9999, 0x1d),
            HelloDraft.Shares((0x0a0a, [0]), (0x1d, s_key)));
        yield return Case("no groups: an old client's", HelloDraft.Signatures);
        yield return Case("a finite-field share, which nobody reads without TLS 1.3", HelloDraft.Groups(0x1d), HelloDraft.Shares((0x100, s_key)));
    }

    [TestCaseSource(nameof(Read))]
    public void A_hello_that_costs_a_curve_at_most_is_read(byte[] hello) =>
        ClientHelloParser.Parse(hello, 16384, final: false).Hello.Should().NotBeNull();

    [Test]
    public void A_client_too_old_for_us_is_told_that()
    {
        var hello = new HelloDraft { LegacyVersion = 0x0302, Extensions = [HelloDraft.Groups(0x100)] }.Records();

        ClientHelloParser.Parse(hello, 16384, final: false).Hello!.Versions.Should().Equal(0x0302);
    }

    [TestCase(0x0001)]
    [TestCase(0x0029)]
    [TestCase(0x0200)]
    [TestCase(0x0202)]
    [TestCase(0x11eb)]
    [TestCase(0x11ee)]
    [TestCase(0x6399)]
    [TestCase(0x639a)]
    public void A_curve_at_the_end_of_a_range_is_one_and_its_neighbour_outside_is_none(int group)
    {
        var outside = group is 0x0029 or 0x0202 or 0x11ee or 0x639a ? group + 1 : group - 1;

        ClientHelloParser.Parse(Hello([HelloDraft.Groups(0x104, group)]), 16384, final: false).Hello.Should().NotBeNull();
        ClientHelloParser.Parse(Hello([HelloDraft.Groups(0x104, outside)]), 16384, final: false).Problem!.Reason
            .Should().Be(RejectionReason.NoCommonCipherSuite);
    }

    private static byte[] Hello((int Type, byte[] Data)[] extensions) => new HelloDraft { Extensions = extensions }.Records();
}
