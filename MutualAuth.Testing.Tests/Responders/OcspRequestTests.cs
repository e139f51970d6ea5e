using System.Formats.Asn1;
using MutualAuth.Testing.Responders;
using MutualAuth.Testing.Tests.Support;
using Org.BouncyCastle.Asn1;
using Org.BouncyCastle.Asn1.Nist;
using Org.BouncyCastle.Asn1.Ocsp;
using Org.BouncyCastle.Ocsp;

namespace MutualAuth.Testing.Tests.Responders;

/// <summary>Whatever octets come, an OCSPResponse goes out (RFC 6960 §2.3), and the author of the test learns what was wrong.</summary>
[CancelAfter(30000)]
public sealed class OcspRequestTests
{
    private static readonly HttpClient s_http = new();

    private TestAuthority _authority = null!;
    private TestCertificate _leaf = null!;
    private TestCertificate _other = null!;
    private OcspResponder _responder = null!;

    private static DerObjectIdentifier Unknown => new("1.3.6.1.4.1.55555.1");

    [SetUp]
    public void Start()
    {
        _authority = new TestAuthority();
        _leaf = _authority.IssueClient("leaf.test");
        _other = _authority.IssueClient("other.test");
        _responder = new OcspResponder(_authority);
    }

    [TearDown]
    public async Task StopAsync()
    {
        await _responder.DisposeAsync();
        _leaf.Dispose();
        _other.Dispose();
        _authority.Dispose();
    }

    private static IEnumerable<TestCaseData> Wrong()
    {
        static TestCaseData Case(string name, Func<OcspRequestTests, byte[]> make) => new TestCaseData(make).SetArgDisplayNames(name);

        yield return Case("nothing", _ => []);
        yield return Case("a sequence of nothing", _ => [0x30, 0]);
        yield return Case("text", _ => "GET /"u8.ToArray());
        yield return Case("cut short", test => OcspQuestion.About(test._authority, test._leaf)[..^1]);
        yield return Case("an octet more", test => [.. OcspQuestion.About(test._authority, test._leaf), 0]);
        yield return Case("not DER", test => ToIndefiniteLength(OcspQuestion.About(test._authority, test._leaf)));
        yield return Case("about no certificate", test => new OcspQuestion(test._authority).Encode());
        yield return Case("another version", test => new OcspQuestion(test._authority).Ask(test._leaf).Encode(version: 1));
        yield return Case("an unknown digest", test => new OcspQuestion(test._authority).Ask(test._leaf, Unknown).Encode());
        yield return Case("one right, one with an unknown digest", test => new OcspQuestion(test._authority)
            .Ask(test._leaf).Ask(test._other, Unknown).Encode());
        yield return Case("a digest with parameters", test => new OcspQuestion(test._authority)
            .Ask(test._leaf, NistObjectIdentifiers.IdSha256, DerInteger.One).Encode());
        yield return Case("a nonce of no octet", test => new OcspQuestion(test._authority).Ask(test._leaf).WithNonce([]).Encode());
        yield return Case("a nonce of 129 octets", test => new OcspQuestion(test._authority).Ask(test._leaf).WithNonce(new byte[129]).Encode());
        yield return Case("a nonce that is no octet string", test => new OcspQuestion(test._authority).Ask(test._leaf)
            .With(OcspQuestion.Extension(OcspQuestion.Nonce, [1, 2, 3, 4, 5], critical: false)).Encode());
        yield return Case("two nonces", test => new OcspQuestion(test._authority).Ask(test._leaf).WithNonce([1]).WithNonce([2]).Encode());
        yield return Case("an unknown critical extension", test => new OcspQuestion(test._authority).Ask(test._leaf)
            .With(OcspQuestion.Extension(Unknown, [5, 0], critical: true)).Encode());
        yield return Case("an unknown critical extension of one question", test => new OcspQuestion(test._authority)
            .Ask(test._leaf, NistObjectIdentifiers.IdSha256, extension: OcspQuestion.Extension(Unknown, [5, 0], critical: true)).Encode());
        yield return Case("only responses of another type", test => new OcspQuestion(test._authority).Ask(test._leaf)
            .With(OcspQuestion.Extension(OcspObjectIdentifiers.PkixOcspResponse, new DerSequence(Unknown).GetDerEncoded(), critical: false))
            .Encode());
        yield return Case("nested without end", _ => [.. Enumerable.Repeat(new byte[] { 0x30, 0x80 }, 300_000).SelectMany(octets => octets)]);
        yield return Case("nested a hundred thousand times in a digest's parameters", _ => WithParameters(Nested(100_000)));
        yield return Case("a digest whose identifier has half a million octets", _ => WithParameters([5, 0], HugeIdentifier(500_000)));
        yield return Case("two million octets", _ => Enumerable.Range(0, 2_000_000).Select(number => (byte)number).ToArray());
    }

    [TestCaseSource(nameof(Wrong))]
    public void A_wrong_request_is_malformed_and_the_author_learns_why(Func<OcspRequestTests, byte[]> make)
    {
        var response = new OcspResp(_responder.Answer(make(this)));

        response.Status.Should().Be(OcspResponseStatus.MalformedRequest);
        var problem = _responder.Problems.Should().ContainSingle().Subject;
        (problem.Kind, problem.Request).Should().Be((ResponderProblemKind.MalformedOcspRequest, null));
        problem.Reason.Should().NotBeEmpty();
        TestContext.Out.WriteLine(problem.Reason);
    }

    [TestCaseSource(nameof(Wrong))]
    public async Task A_wrong_request_is_answered_over_HTTP(Func<OcspRequestTests, byte[]> make, CancellationToken token)
    {
        var octets = make(this);
        using var answer = await s_http.PostAsync(_responder.BaseUri, new ByteArrayContent(octets), token);

        if (octets.Length > 1 << 20)
        {
            ((int)answer.StatusCode).Should().Be(413, "that is more than HTTP takes");
            return;
        }

        ((int)answer.StatusCode).Should().Be(200);
        answer.Content.Headers.ContentType!.MediaType.Should().Be("application/ocsp-response");
        new OcspResp(await answer.Content.ReadAsByteArrayAsync(token)).Status.Should().Be(OcspResponseStatus.MalformedRequest);
        _responder.Problems.Single().Request!.Body.Length.Should().Be(octets.Length);
    }

    [Test]
    public void No_prefix_and_no_changed_octet_makes_it_throw()
    {
        var right = new OcspQuestion(_authority).Ask(_leaf).WithNonce([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16]).Encode();
        var wrong = Enumerable.Range(0, right.Length).Select(length => right[..length])
            .Concat(Enumerable.Range(0, right.Length).SelectMany(place => new byte[] { 0x01, 0x20, 0x80, 0xFF }.Select(bits =>
            {
                var changed = right.ToArray();
                changed[place] ^= bits;
                return changed;
            })));

        var answers = wrong.Select(octets => new OcspResp(_responder.Answer(octets)).Status).ToList();

        answers.Should().OnlyContain(status => status == OcspResponseStatus.Successful || status == OcspResponseStatus.MalformedRequest);
        answers.Take(right.Length).Should().OnlyContain(status => status == OcspResponseStatus.MalformedRequest);
        _responder.Problems.Should().HaveCount(answers.Count(status => status == OcspResponseStatus.MalformedRequest));
        _responder.Problems.Should().OnlyContain(problem => problem.Kind == ResponderProblemKind.MalformedOcspRequest);
    }

    [Test]
    public void Each_of_several_questions_is_answered_in_its_place()
    {
        using var stranger = new TestAuthority();
        using var foreign = stranger.IssueClient("foreign.test");
        _authority.Revoke(_other);

        var response = (BasicOcspResp)new OcspResp(_responder.Answer(
            new OcspQuestion(_authority).Ask(_leaf).AskBySha256(_other).Ask(foreign).Encode())).GetResponseObject();

        response.Responses.Select(single => single.GetCertStatus()?.GetType()).Should().Equal(null, typeof(RevokedStatus), typeof(UnknownStatus));
        response.Responses[1].GetCertID().HashAlgOid.Should().Be(NistObjectIdentifiers.IdSha256.Id, "an answer repeats the question's identifier");
        _responder.Problems.Should().BeEmpty();
    }

    [Test]
    public void A_thousand_questions_and_a_number_of_a_hundred_thousand_octets_are_answered()
    {
        var question = new OcspQuestion(_authority);
        for (var count = 0; count < 1000; count++)
        {
            question.Ask(_leaf);
        }

        var many = (BasicOcspResp)new OcspResp(_responder.Answer(question.Encode())).GetResponseObject();
        var huge = (BasicOcspResp)new OcspResp(_responder.Answer(WithNumber(Enumerable.Repeat((byte)0x5A, 100_000).ToArray()))).GetResponseObject();

        many.Responses.Should().HaveCount(1000);
        huge.Responses.Single().GetCertStatus().Should().BeOfType<UnknownStatus>();
    }

    [Test]
    public void A_nonce_of_every_size_that_the_standard_has_comes_back([Values(1, 15, 16, 32, 33, 128)] int length, [Values] bool critical)
    {
        var nonce = Enumerable.Range(1, length).Select(number => (byte)number).ToArray();

        var response = (BasicOcspResp)new OcspResp(_responder.Answer(
            new OcspQuestion(_authority).Ask(_leaf).WithNonce(nonce, critical).Encode())).GetResponseObject();

        Asn1OctetString.GetInstance(response.GetExtensionParsedValue(OcspQuestion.Nonce)).GetOctets().Should().Equal(nonce);
    }

    [Test]
    public void What_is_unknown_and_not_critical_is_passed_over()
    {
        var response = new OcspResp(_responder.Answer(new OcspQuestion(_authority)
            .Ask(_leaf, NistObjectIdentifiers.IdSha256, extension: OcspQuestion.Extension(Unknown, [5, 0], critical: false))
            .With(OcspQuestion.Extension(Unknown, [1, 2, 3], critical: false))
            .With(OcspQuestion.Extension(
                OcspObjectIdentifiers.PkixOcspResponse,
                new DerSequence(Unknown, OcspObjectIdentifiers.PkixOcspBasic).GetDerEncoded(),
                critical: true))
            .Encode()));

        response.Status.Should().Be(OcspResponseStatus.Successful);
        _responder.Problems.Should().BeEmpty();
    }

    [TestCase("as it is", 200)]
    [TestCase("all escaped", 200)]
    [TestCase("with a slash more", 200)]
    [TestCase("no padding", 0)]
    [TestCase("URL alphabet", 0)]
    [TestCase("a line break", 0)]
    [TestCase("favicon.ico", 0)]
    [TestCase("", 0)]
    public async Task A_question_in_the_path_is_base64_with_or_without_escapes(string form, int right, CancellationToken token)
    {
        // A question whose base64 has all that may need an escape: + and / and =.
        byte[] question;
        string text;
        var filling = 0;
        do
        {
            question = new OcspQuestion(_authority).Ask(_leaf).WithNonce([0xFB, 0xEF, 0xBE, 0xFF, 0xFF, 0xFF, .. new byte[filling++]]).Encode();
            text = Convert.ToBase64String(question);
        }
        while (!(text.Contains('+') && text.Contains('/') && text.EndsWith('=')));

        var path = form switch
        {
            "as it is" => text,
            "all escaped" => text.Replace("+", "%2B").Replace("/", "%2f").Replace("=", "%3D"),
            "with a slash more" => "/" + text,
            "no padding" => text.TrimEnd('='),
            "URL alphabet" => text.Replace('+', '-').Replace('/', '_'),
            "a line break" => text.Insert(64, "%0A"),
            _ => form,
        };
        var answer = await RawHttp.AskAsync(_responder.BaseUri, $"GET /{path} HTTP/1.1\r\nHost: a\r\n\r\n", token);

        (answer.Status, answer.Field("Content-Type")).Should().Be((200, "application/ocsp-response"));
        new OcspResp(answer.Body).Status.Should().Be(right == 200 ? OcspResponseStatus.Successful : OcspResponseStatus.MalformedRequest);
        _responder.Problems.Should().HaveCount(right == 200 ? 0 : 1);
    }

    [Test]
    [CancelAfter(60000)]
    public async Task OpenSSL_reaches_the_garbage_itself([Values(ResponderMode.Garbage, ResponderMode.Oversized)] ResponderMode mode)
    {
        using var directory = new TemporaryDirectory();
        var root = directory.Write("root.pem", _authority.CertificatePem);
        _responder.OversizedLength = 1_000_000;
        _responder.Mode = mode;

        var (_, output) = Tool.Run(
            "openssl", "ocsp", "-issuer", root, "-CAfile", root, "-cert", directory.Write("leaf.pem", _leaf.CertificatePem), "-url", _responder.Uri);

        output.Should().NotContain("content type").And.NotContain(": good");
        await Task.CompletedTask;
    }

    [Test]
    [CancelAfter(60000)]
    public void OpenSSL_may_ask_about_several_at_once()
    {
        using var directory = new TemporaryDirectory();
        var root = directory.Write("root.pem", _authority.CertificatePem);
        _authority.Revoke(_other);

        var (_, output) = Tool.Run(
            "openssl", "ocsp", "-sha256", "-issuer", root, "-CAfile", root, "-cert", directory.Write("leaf.pem", _leaf.CertificatePem), "-cert",
            directory.Write("other.pem", _other.CertificatePem), "-url", _responder.Uri);

        output.Should().Contain("Response verify OK").And.Contain("leaf.pem: good").And.Contain("other.pem: revoked");
    }

    private static byte[] ToIndefiniteLength(byte[] der) => [0x30, 0x80, .. der.AsSpan(2), 0, 0];

    // One number of 500,000 octets, of which each holds seven bits.
    private static byte[] HugeIdentifier(int length) =>
        [0x06, 0x83, (byte)(length >> 16), (byte)(length >> 8), (byte)length, .. Enumerable.Repeat((byte)0xFF, length - 1), 0x7F];

    private static byte[] WithNumber(byte[] serialNumber) => WithParameters([5, 0], serialNumber: serialNumber);

    private static byte[] WithParameters(byte[] parameters, byte[]? identifier = null, byte[]? serialNumber = null)
    {
        var writer = new AsnWriter(AsnEncodingRules.DER);
        using (writer.PushSequence())
        using (writer.PushSequence())
        using (writer.PushSequence())
        using (writer.PushSequence())
        using (writer.PushSequence())
        {
            using (writer.PushSequence())
            {
                writer.WriteEncodedValue(identifier ?? NistObjectIdentifiers.IdSha256.GetDerEncoded());
                writer.WriteEncodedValue(parameters);
            }

            writer.WriteOctetString(new byte[32]);
            writer.WriteOctetString(new byte[32]);
            writer.WriteInteger(serialNumber ?? [1]);
        }

        return writer.Encode();
    }

    private static byte[] Nested(int depth)
    {
        // From the inside out, each with the length of what it holds.
        var lengths = new List<byte[]>();
        var inside = 0;
        for (var level = 0; level < depth; level++)
        {
            byte[] head = inside < 0x80 ? [0x30, (byte)inside]
                : inside < 0x1_0000 ? [0x30, 0x82, (byte)(inside >> 8), (byte)inside]
                : [0x30, 0x83, (byte)(inside >> 16), (byte)(inside >> 8), (byte)inside];
            lengths.Add(head);
            inside += head.Length;
        }

        lengths.Reverse();
        return [.. lengths.SelectMany(head => head)];
    }
}
