using System.Net;
using System.Security.Cryptography.X509Certificates;
using Microsoft.Extensions.Time.Testing;
using MutualAuth.Testing.Responders;
using MutualAuth.Testing.Tests.Support;
using Org.BouncyCastle.Asn1;
using Org.BouncyCastle.Asn1.Nist;
using Org.BouncyCastle.Asn1.Ocsp;
using Org.BouncyCastle.Asn1.Oiw;
using Org.BouncyCastle.Asn1.X509;
using Org.BouncyCastle.Ocsp;
using BcCertificate = Org.BouncyCastle.X509.X509Certificate;

namespace MutualAuth.Testing.Tests.Responders;

[CancelAfter(20000)]
public sealed class OcspResponderTests
{
    private static readonly HttpClient s_http = new();

    [Test]
    public async Task Good_revoked_and_unknown_are_told_apart([Values] bool byGet, CancellationToken token)
    {
        using var authority = new TestAuthority();
        using var other = new TestAuthority();
        using var good = authority.IssueClient("good.test");
        using var bad = authority.IssueClient("bad.test");
        using var foreign = other.IssueClient("foreign.test");
        await using var responder = new OcspResponder(authority);
        authority.Revoke(bad, X509RevocationReason.KeyCompromise);

        Single(await AskAsync(responder, RequestFor(authority, good), byGet, token)).GetCertStatus().Should().BeNull(
            "null is how BouncyCastle says good");
        var revoked =
            Single(await AskAsync(responder, RequestFor(authority, bad), byGet, token)).GetCertStatus().Should().BeOfType<RevokedStatus>().Subject;
        revoked.RevocationReason.Should().Be(CrlReason.KeyCompromise);
        Single(await AskAsync(responder, RequestFor(authority, foreign), byGet, token)).GetCertStatus().Should().BeOfType<UnknownStatus>();
        Single(await AskAsync(responder, RequestFor(other, good), byGet, token)).GetCertStatus().Should().BeOfType<UnknownStatus>();
        responder.Hits.Should().Be(4);
    }

    [Test]
    public async Task Who_names_another_issuer_is_told_nothing_of_ours([Values("SHA-1", "SHA-256")] string digest, [Values] bool sameKey)
    {
        using var authority = new TestAuthority("Ours");
        using var other = new TestAuthority(
            sameKey ? "Theirs" : "Ours", spec => spec with { Key = sameKey ? authority.AsCertificate.Key : TestKey.Generate() });
        using var leaf = authority.IssueClient("leaf.test");
        await using var responder = new OcspResponder(authority);
        var hash = digest == "SHA-1" ? OiwObjectIdentifiers.IdSha1 : NistObjectIdentifiers.IdSha256;

        Answer(responder, new OcspQuestion(authority).Ask(leaf, hash)).GetCertStatus().Should().BeNull("this is good");
        Answer(responder, new OcspQuestion(other).Ask(leaf, hash)).GetCertStatus().Should().BeOfType<UnknownStatus>();
        Answer(responder, new OcspQuestion(authority).Ask(leaf, hash, issuerName: [])).GetCertStatus().Should().BeOfType<UnknownStatus>();

        authority.Revoke(leaf);
        Answer(responder, new OcspQuestion(authority).Ask(leaf, hash)).GetCertStatus().Should().BeOfType<RevokedStatus>();
        Answer(responder, new OcspQuestion(other).Ask(leaf, hash)).GetCertStatus().Should().BeOfType<UnknownStatus>();

        static SingleResp Answer(OcspResponder responder, OcspQuestion question) =>
            Single((BasicOcspResp)new OcspResp(responder.Answer(question.Encode())).GetResponseObject());
    }

    [Test]
    public async Task The_nonce_comes_back_unless_it_is_not_to(CancellationToken token)
    {
        using var authority = new TestAuthority();
        using var leaf = authority.IssueClient("leaf.test");
        await using var responder = new OcspResponder(authority);
        var request = RequestFor(authority, leaf, nonce: [1, 2, 3]);

        var withNonce = await AskAsync(responder, request, byGet: false, token);
        responder.RepeatsNonce = false;
        var without = await AskAsync(responder, request, byGet: false, token);

        Asn1OctetString.GetInstance(withNonce.GetExtensionParsedValue(OcspObjectIdentifiers.PkixOcspNonce)).GetOctets().Should().Equal(1, 2, 3);
        without.GetExtensionValue(OcspObjectIdentifiers.PkixOcspNonce).Should().BeNull();
    }

    [Test]
    public async Task A_delegated_responder_signs_and_sends_its_certificate(CancellationToken token)
    {
        using var authority = new TestAuthority();
        using var delegated = OcspResponder.IssueResponder(authority);
        using var leaf = authority.IssueClient("leaf.test");
        await using var responder = new OcspResponder(authority) { Responder = delegated };

        var response = await AskAsync(responder, RequestFor(authority, leaf), byGet: false, token);

        var sent = response.GetCerts().Should().ContainSingle().Subject;
        sent.GetEncoded().Should().Equal(delegated.RawCertificate.ToArray());
        response.Verify(sent.GetPublicKey()).Should().BeTrue();
        response.Verify(KeyOf(authority)).Should().BeFalse();
    }

    [Test]
    public async Task A_stale_answer_and_a_forged_one_are_just_that(CancellationToken token)
    {
        var clock = new FakeTimeProvider(new DateTimeOffset(2030, 1, 1, 0, 0, 0, TimeSpan.Zero));
        using var authority = new TestAuthority(timeProvider: clock);
        using var leaf = authority.IssueClient("leaf.test");
        await using var responder = new OcspResponder(authority);

        responder.Mode = ResponderMode.Stale;
        var stale = await AskAsync(responder, RequestFor(authority, leaf), byGet: false, token);
        responder.Mode = ResponderMode.WrongSigner;
        var forged = await AskAsync(responder, RequestFor(authority, leaf), byGet: false, token);

        stale.Verify(KeyOf(authority)).Should().BeTrue();
        Single(stale).NextUpdate.Should().BeBefore(clock.GetUtcNow().UtcDateTime);
        Single(forged).NextUpdate.Should().BeAfter(clock.GetUtcNow().UtcDateTime);
        forged.Verify(KeyOf(authority)).Should().BeFalse();
    }

    [Test]
    public async Task A_stale_answer_does_not_know_of_a_later_revocation([Values] bool late, CancellationToken token)
    {
        var clock = new FakeTimeProvider(new DateTimeOffset(2030, 1, 1, 0, 0, 0, TimeSpan.Zero));
        using var authority = new TestAuthority(timeProvider: clock);
        using var leaf = authority.IssueClient("leaf.test");
        await using var responder = new OcspResponder(authority) { Mode = ResponderMode.Stale };
        clock.Advance(TimeSpan.FromDays(late ? 60 : 0));
        authority.Revoke(leaf);
        clock.Advance(TimeSpan.FromDays(late ? 0 : 60));

        var stale = Single(await AskAsync(responder, RequestFor(authority, leaf), byGet: false, token));

        (stale.GetCertStatus() is RevokedStatus).Should().Be(!late);
        (stale.GetCertStatus() as RevokedStatus)?.RevocationTime.Should().BeOnOrBefore(stale.ThisUpdate);
    }

    [Test]
    public async Task Nonsense_is_a_malformed_request_and_try_later_can_be_had(CancellationToken token)
    {
        using var authority = new TestAuthority();
        using var leaf = authority.IssueClient("leaf.test");
        await using var responder = new OcspResponder(authority);

        new OcspResp(responder.Answer(new byte[] { 1, 2, 3 })).Status.Should().Be(OcspResponseStatus.MalformedRequest);
        responder.Spec = spec => spec with { ResponseStatus = OcspResponseStatus.TryLater };
        using var answer = await s_http.PostAsync(responder.BaseUri, new ByteArrayContent(RequestFor(authority, leaf)), token);
        answer.StatusCode.Should().Be(HttpStatusCode.OK);
        new OcspResp(await answer.Content.ReadAsByteArrayAsync(token)).Status.Should().Be(OcspResponseStatus.TryLater);
    }

    [Test]
    public void A_response_for_stapling_needs_no_network()
    {
        using var authority = new TestAuthority();
        using var leaf = authority.IssueServer("leaf.test");

        var stapled = Basic(authority.IssueOcspResponse(leaf));
        var byKey = Basic(authority.IssueOcspResponse(leaf, spec => spec with { ResponderByKey = true, CorruptSignature = true }));

        stapled.Verify(KeyOf(authority)).Should().BeTrue();
        Single(stapled).GetCertStatus().Should().BeNull();
        byKey.Verify(KeyOf(authority)).Should().BeFalse();
        byKey.ResponderId.ToAsn1Object().GetKeyHash().Should().HaveCount(20);
    }

    [Test]
    [CancelAfter(60000)]
    public async Task OpenSSL_understands_the_responder([Values] bool delegated)
    {
        using var authority = new TestAuthority();
        using var good = authority.IssueClient("good.test");
        using var bad = authority.IssueClient("bad.test");
        using var signer = OcspResponder.IssueResponder(authority);
        await using var responder = new OcspResponder(authority) { Responder = delegated ? signer : null };
        authority.Revoke(bad);
        using var directory = new TemporaryDirectory();
        var root = directory.Write("root.pem", authority.CertificatePem);

        string Ask(TestCertificate certificate) => Tool.Run(
            "openssl", "ocsp", "-issuer", root, "-CAfile", root, "-cert", directory.Write("leaf.pem", certificate.CertificatePem), "-url",
            responder.Uri).Output;

        Ask(good).Should().Contain("Response verify OK").And.Contain(": good");
        Ask(bad).Should().Contain("Response verify OK").And.Contain(": revoked");
        responder.Mode = ResponderMode.WrongSigner;
        Ask(good).Should().NotContain("Response verify OK");
    }

    private static byte[] RequestFor(TestAuthority authority, TestCertificate certificate, byte[]? nonce = null)
    {
        var generator = new OcspReqGenerator();
        generator.AddRequest(new CertificateID(
            CertificateID.DigestSha1,
            new BcCertificate(authority.AsCertificate.RawCertificate.ToArray()),
            new BcCertificate(certificate.RawCertificate.ToArray()).SerialNumber));
        if (nonce is not null)
        {
            var extensions = new X509ExtensionsGenerator();
            extensions.AddExtension(OcspObjectIdentifiers.PkixOcspNonce, false, new DerOctetString(nonce));
            generator.SetRequestExtensions(extensions.Generate());
        }

        return generator.Generate().GetEncoded();
    }

    private static async Task<BasicOcspResp> AskAsync(OcspResponder responder, byte[] request, bool byGet, CancellationToken token)
    {
        var octets = byGet
            ? await s_http.GetByteArrayAsync(new Uri(responder.BaseUri, Uri.EscapeDataString(Convert.ToBase64String(request))), token)
            : await (await s_http.PostAsync(responder.BaseUri, new ByteArrayContent(request), token)).Content.ReadAsByteArrayAsync(token);
        return Basic(octets);
    }

    private static BasicOcspResp Basic(byte[] octets) => (BasicOcspResp)new OcspResp(octets).GetResponseObject();

    private static SingleResp Single(BasicOcspResp response) => response.Responses.Should().ContainSingle().Subject;

    private static Org.BouncyCastle.Crypto.AsymmetricKeyParameter KeyOf(TestAuthority authority) =>
        new BcCertificate(authority.AsCertificate.RawCertificate.ToArray()).GetPublicKey();
}
