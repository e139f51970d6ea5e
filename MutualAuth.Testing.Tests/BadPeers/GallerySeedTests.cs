using Microsoft.Extensions.Time.Testing;
using MutualAuth.Testing.BadPeers;
using MutualAuth.Testing.Responders;

namespace MutualAuth.Testing.Tests.BadPeers;

/// <summary>A seed and a clock decide every octet of an exhibit, those of strangers too.</summary>
[CancelAfter(120000)]
public sealed class GallerySeedTests
{
    private static readonly DateTimeOffset s_now = new(2030, 6, 1, 12, 0, 0, TimeSpan.Zero);

    // Of the whole process, and so another in each one.
    private static readonly TestKey[] s_shared =
    [
        TestKey.Shared(KeyAlgorithm.Rsa1024), TestKey.Shared(KeyAlgorithm.Rsa1024, 1), TestKey.Shared(KeyAlgorithm.Rsa2048),
        TestKey.Shared(KeyAlgorithm.Rsa2048, 1), TestKey.Shared(KeyAlgorithm.MLDsa44),
    ];

    private static IEnumerable<TestCaseData> Cases() => GalleryTests.Cases();

    [TestCaseSource(nameof(Cases))]
    public void The_same_seed_gives_the_same_octets(BadPeer peer, PeerRole role) =>
        Octets(peer, role, "seed").Should().Equal(Octets(peer, role, "seed"));

    [TestCaseSource(nameof(Cases))]
    public void Another_seed_shares_nothing_and_no_key_is_the_processes(BadPeer peer, PeerRole role)
    {
        var octets = Octets(peer, role, "seed");

        octets.Should().NotIntersectWith(Octets(peer, role, "other"));
        foreach (var key in s_shared)
        {
            var middle = Convert.ToHexString(key.SubjectPublicKeyInfo.Span[40..140]);
            octets.Should().NotContain(each => each.Contains(middle));
        }
    }

    [Test]
    public void Two_exhibits_of_one_authority_have_strangers_with_keys_of_their_own()
    {
        using var authority = Authority("seed");
        using var first = Gallery.UnknownAuthority.Make(authority, PeerRole.Client);
        using var second = Gallery.UnknownAuthority.Make(authority, PeerRole.Client);

        first.Bad!.Key.Pkcs8.ToArray().Should().NotEqual(second.Bad!.Key.Pkcs8.ToArray());
    }

    [Test]
    public void Strangers_move_nothing_that_the_authority_issues()
    {
        using var one = Authority("seed");
        using var exhibit = Gallery.ForgedIssuer.Make(one, PeerRole.Client);
        using var other = Authority("seed");
        using var bad = other.IssueClient("a.test");
        using var good = other.IssueClient("a.test");
        using var next = one.IssueClient("a.test");
        using var expected = other.IssueClient("a.test");

        next.RawCertificate.ToArray().Should().Equal(expected.RawCertificate.ToArray());
    }

    [Test]
    public void Without_a_seed_strangers_are_random()
    {
        using var authority = new TestAuthority();
        using var first = Gallery.UnknownAuthority.Make(authority, PeerRole.Client);
        using var second = Gallery.UnknownAuthority.Make(authority, PeerRole.Client);

        first.Bad!.Key.Pkcs8.ToArray().Should().NotEqual(second.Bad!.Key.Pkcs8.ToArray());
    }

    [TestCase(ResponderMode.WrongSigner)]
    [TestCase(ResponderMode.Garbage)]
    [TestCase(ResponderMode.Truncated)]
    public async Task A_responder_that_misbehaves_does_so_in_the_same_octets(ResponderMode mode)
    {
        (await ListAsync(mode)).Should().Equal(await ListAsync(mode));

        static async Task<byte[]> ListAsync(ResponderMode mode)
        {
            using var authority = Authority("seed");
            await using var responder = new CrlResponder(authority) { Mode = mode };
            using var http = new HttpClient();
            using var answer = await http.GetAsync(responder.FullUri, HttpCompletionOption.ResponseHeadersRead);
            await using var body = await answer.Content.ReadAsStreamAsync();
            var octets = new byte[100]; // the rest of a truncated list does not come
            await body.ReadExactlyAsync(octets).AsTask().WaitAsync(TimeSpan.FromSeconds(20));
            return mode == ResponderMode.WrongSigner ? [.. octets, .. await RestAsync(body)] : octets;
        }

        static async Task<byte[]> RestAsync(Stream body)
        {
            using var rest = new MemoryStream();
            await body.CopyToAsync(rest).WaitAsync(TimeSpan.FromSeconds(20));
            return rest.ToArray();
        }
    }

    [Test]
    public async Task What_a_stranger_signs_for_a_responder_is_the_same_too()
    {
        (await ResponseAsync()).Should().Equal(await ResponseAsync());

        static async Task<byte[]> ResponseAsync()
        {
            using var authority = Authority("seed");
            using var certificate = authority.IssueServer("server.test");
            await using var responder = new OcspResponder(authority) { Mode = ResponderMode.WrongSigner };
            return responder.Answer(OcspRequestFor(authority, certificate));
        }
    }

    private static byte[] OcspRequestFor(TestAuthority authority, TestCertificate certificate)
    {
        var request = new Org.BouncyCastle.Ocsp.OcspReqGenerator();
        request.AddRequest(new Org.BouncyCastle.Ocsp.CertificateID(
            Org.BouncyCastle.Ocsp.CertificateID.DigestSha1,
            new Org.BouncyCastle.X509.X509Certificate(authority.AsCertificate.RawCertificate.ToArray()),
            new Org.BouncyCastle.Math.BigInteger(certificate.SerialNumber.ToString(System.Globalization.CultureInfo.InvariantCulture))));
        return request.Generate().GetEncoded();
    }

    private static TestAuthority Authority(string seed) => new(timeProvider: new FakeTimeProvider(s_now), seed: seed);

    /// <summary>Everything that an exhibit is made of, in hexadecimal.</summary>
    private static List<string> Octets(BadPeer peer, PeerRole role, string seed)
    {
        using var authority = Authority(seed);
        using var exhibit = peer.Make(authority, role);
        TestCertificate[] shown = exhibit.Bad is { } bad ? [bad, exhibit.Good] : [exhibit.Good];
        return
        [
            .. shown.SelectMany(certificate => certificate.RawChain.Prepend(certificate.RawCertificate).Append(certificate.Key.Pkcs8))
                .Select(octets => Convert.ToHexString(octets.Span)),
            .. exhibit.Crls.Select(list => Convert.ToHexString(list.Raw.Span)),
            .. exhibit.Pins,
        ];
    }
}
