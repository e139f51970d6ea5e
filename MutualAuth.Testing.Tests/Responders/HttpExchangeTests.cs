using System.Globalization;
using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Text;
using MutualAuth.Testing.Responders;
using MutualAuth.Testing.Tests.Support;

namespace MutualAuth.Testing.Tests.Responders;

/// <summary>A client whose answer is late, lost or refused must be able to blame itself: the responder speaks HTTP/1.1 as RFC 9112 has it.</summary>
[CancelAfter(20000)]
public sealed class HttpExchangeTests
{
    private TestAuthority _authority = null!;
    private TestCertificate _leaf = null!;
    private CrlResponder _crl = null!;
    private OcspResponder _ocsp = null!;

    [SetUp]
    public void Start()
    {
        _authority = new TestAuthority();
        _leaf = _authority.IssueClient("leaf.test");
        _crl = new CrlResponder(_authority);
        _ocsp = new OcspResponder(_authority);
    }

    [TearDown]
    public async Task StopAsync()
    {
        await _crl.DisposeAsync();
        await _ocsp.DisposeAsync();
        _leaf.Dispose();
        _authority.Dispose();
    }

    internal static IEnumerable<TestCaseData> Right()
    {
        static TestCaseData Case(string name, string request) => new TestCaseData(request).SetArgDisplayNames(name);

        yield return Case("Without anything else", "GET /full.crl HTTP/1.1\r\nHost: a\r\n\r\n");
        yield return Case("With a query", "GET /full.crl?of=today HTTP/1.1\r\nHost: a\r\n\r\n");
        yield return Case("HTTP/1.0", "GET /full.crl HTTP/1.0\r\n\r\n");
        yield return Case("The target in absolute form and another Host", "GET http://elsewhere.test/full.crl HTTP/1.1\r\nHost: a\r\n\r\n");
        yield return Case("The target in absolute form", "GET http://elsewhere.test/full.crl HTTP/1.1\r\nHost: elsewhere.test\r\n\r\n");
        yield return Case(
            "The target in absolute form with a port", "GET http://elsewhere.test:8080/full.crl HTTP/1.1\r\nHost: elsewhere.test:8080\r\n\r\n");
        yield return Case("A scheme in capitals", "GET HTTP://elsewhere.test/full.crl HTTP/1.1\r\nHost: elsewhere.test\r\n\r\n");
        yield return Case("Empty lines before the request line", "\r\n\r\nGET /full.crl HTTP/1.1\r\nHost: a\r\n\r\n");
        yield return Case("An empty field, and an empty body", "GET /full.crl HTTP/1.1\r\nhost:a\r\nX-Empty:\r\nContent-Length: 0\r\n\r\n");
        yield return Case("An empty Host", "GET /full.crl HTTP/1.1\r\nHost:\r\n\r\n");
        yield return Case("An address and a port", "GET /full.crl HTTP/1.1\r\nHost: [2001:db8::1]:8080\r\n\r\n");
        yield return Case("A body that GET has no use for", "GET /full.crl HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc");
    }

    [TestCaseSource(nameof(Right))]
    public async Task What_is_right_is_answered(string request, CancellationToken token)
    {
        var answer = await RawHttp.AskAsync(_crl.BaseUri, request, token);

        answer.Status.Should().Be(200);
        answer.Field("Content-Type").Should().Be("application/pkix-crl");
        _crl.Requests.Single().Path.Should().StartWith("/full.crl");
        _crl.Problems.Should().BeEmpty();
    }

    internal static IEnumerable<TestCaseData> Wrong()
    {
        static TestCaseData Case(string name, string request, int status, ResponderProblemKind kind = ResponderProblemKind.MalformedHttp) =>
            new TestCaseData(request, status, kind).SetArgDisplayNames(name);

        yield return Case("No space", "GET/full.crl HTTP/1.1\r\nHost: a\r\n\r\n", 400);
        yield return Case("HTTP/0.9", "GET /full.crl\r\n\r\n", 400);
        yield return Case("Two spaces", "GET  /full.crl HTTP/1.1\r\nHost: a\r\n\r\n", 400);
        yield return Case("A target without a slash", "GET full.crl HTTP/1.1\r\nHost: a\r\n\r\n", 400);
        yield return Case("A fragment", "GET /full.crl#a HTTP/1.1\r\nHost: a\r\n\r\n", 400);
        yield return Case("A method that is no token", "G(T /full.crl HTTP/1.1\r\nHost: a\r\n\r\n", 400);
        yield return Case("No Host", "GET /full.crl HTTP/1.1\r\n\r\n", 400);
        yield return Case("Two Hosts", "GET /full.crl HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", 400);
        yield return Case("A field name with a space", "GET /full.crl HTTP/1.1\r\nHost: a\r\nA B: c\r\n\r\n", 400);
        yield return Case("A space before the colon", "GET /full.crl HTTP/1.1\r\nHost: a\r\nAccept : c\r\n\r\n", 400);
        yield return Case("A folded line", "GET /full.crl HTTP/1.1\r\nHost: a\r\n folded\r\n\r\n", 400);
        yield return Case("A line without a colon", "GET /full.crl HTTP/1.1\r\nHost: a\r\nno colon\r\n\r\n", 400);
        yield return Case("A NUL in a value", "GET /full.crl HTTP/1.1\r\nHost: a\r\nX: \0\r\n\r\n", 400);
        yield return Case("A negative length", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n", 400);
        yield return Case("Two lengths", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1, 2\r\n\r\n", 400);
        yield return Case("Two fields of length", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n", 400);
        yield return Case(
            "A length and chunks", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400);
        yield return Case("A chunk without a size", "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n\r\n", 400);
        yield return Case(
            "A chunk longer than its size", "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabcd\r\n0\r\n\r\n", 400);
        yield return Case(
            "A NUL in the extension of a chunk", "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3;a\0b\r\nabc\r\n0\r\n\r\n", 400);
        yield return Case(
            "A CR in the extension of a chunk", "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3;a\rb\r\nabc\r\n0\r\n\r\n", 400);
        yield return Case(
            "A trailer without a colon", "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nno colon\r\n\r\n", 400);
        yield return Case(
            "A folded trailer", "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nA: b\r\n c\r\n\r\n", 400);
        yield return Case(
            "A NUL in a trailer", "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nA: \0\r\n\r\n", 400);
        yield return Case("Lines that end with CR alone", "GET /full.crl HTTP/1.1\rHost: a\r\r", 400);
        yield return Case("Lines that end with LF alone", "GET /full.crl HTTP/1.1\nHost: a\n\n", 400);
        yield return Case("A CR in a value", "GET /full.crl HTTP/1.1\r\nHost: a\r\nX: a\rb\r\n\r\n", 400);
        yield return Case("A Host with a space", "GET /full.crl HTTP/1.1\r\nHost: a b\r\n\r\n", 400);
        yield return Case("A Host with a user", "GET /full.crl HTTP/1.1\r\nHost: u@a\r\n\r\n", 400);
        yield return Case("A Host with a path", "GET /full.crl HTTP/1.1\r\nHost: a/b\r\n\r\n", 400);
        yield return Case("A Host with a port that is no number", "GET /full.crl HTTP/1.1\r\nHost: a:b\r\n\r\n", 400);
        yield return Case("An absolute form with a user", "GET http://u@a/full.crl HTTP/1.1\r\nHost: a\r\n\r\n", 400);
        yield return Case("An absolute form with a port alone", "GET http://:80/full.crl HTTP/1.1\r\nHost: a\r\n\r\n", 400);
        yield return Case("Chunks in HTTP/1.0", "POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400);
        yield return Case("A last encoding that is not chunked", "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip\r\n\r\n", 400);
        yield return Case("An encoding that is not known", "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip, chunked\r\n\r\n", 501);
        yield return Case("HTTP/2 by its request line", "GET / HTTP/2.0\r\nHost: a\r\n\r\n", 505);
        yield return Case("An expectation that is not known", "GET / HTTP/1.1\r\nHost: a\r\nExpect: miracles\r\n\r\n", 417);
        yield return Case("DELETE", "DELETE / HTTP/1.1\r\nHost: a\r\n\r\n", 405, ResponderProblemKind.MethodNotAllowed);
        yield return Case("OPTIONS", "OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n", 405, ResponderProblemKind.MethodNotAllowed);
        yield return Case("CONNECT", "CONNECT elsewhere.test:443 HTTP/1.1\r\nHost: a\r\n\r\n", 405, ResponderProblemKind.MethodNotAllowed);
        yield return Case("BREW", "BREW / HTTP/1.1\r\nHost: a\r\n\r\n", 501, ResponderProblemKind.MethodNotAllowed);
        yield return Case("A method in lower case", "get / HTTP/1.1\r\nHost: a\r\n\r\n", 501, ResponderProblemKind.MethodNotAllowed);
        yield return Case("TLS on the port of HTTP", "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 400);
    }

    [TestCaseSource(nameof(Wrong))]
    public async Task What_is_wrong_is_refused_and_the_reason_is_told(string request, int status, ResponderProblemKind kind, CancellationToken token)
    {
        using var client = await RawHttp.ConnectAsync(_ocsp.BaseUri, token);
        await client.SendAsync(request, token);
        client.EndSending();

        var answer = await client.ReceiveAsync(token);

        answer.Status.Should().Be(status);
        answer.Text.Should().NotBeEmpty();
        var problem = _ocsp.Problems.Should().ContainSingle().Subject;
        (problem.Kind, problem.Status).Should().Be((kind, status));
        problem.Reason.Should().NotBeEmpty();
        answer.Text.Should().Contain(problem.Reason);
    }

    [Test]
    public async Task Who_speaks_TLS_is_not_kept_waiting_for_the_end_of_a_line(CancellationToken token)
    {
        using var socket = new TcpClient();
        await socket.ConnectAsync(_crl.BaseUri.Host, _crl.BaseUri.Port, token);
        await using var tls = new SslStream(socket.GetStream());

        await FluentActions.Awaiting(() => tls.AuthenticateAsClientAsync(new SslClientAuthenticationOptions { TargetHost = "a" }, token))
            .Should().ThrowAsync<AuthenticationException>();

        _crl.Problems.Single().Reason.Should().Contain("TLS");
    }

    [Test]
    public async Task Who_may_do_what_is_said_with_the_refusal(CancellationToken token)
    {
        var post = await RawHttp.AskAsync(_crl.BaseUri, "POST /full.crl HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n", token);
        var delete = await RawHttp.AskAsync(_ocsp.BaseUri, "DELETE / HTTP/1.1\r\nHost: a\r\n\r\n", token);

        (post.Status, post.Field("Allow")).Should().Be((405, "GET, HEAD"));
        (delete.Status, delete.Field("Allow")).Should().Be((405, "GET, HEAD, POST"));
        _crl.Problems.Single().Request!.Method.Should().Be("POST");
    }

    [Test]
    public async Task A_path_that_is_not_served_is_named(CancellationToken token)
    {
        var answer = await RawHttp.AskAsync(_crl.BaseUri, "GET /fulll.crl HTTP/1.1\r\nHost: a\r\n\r\n", token);

        answer.Status.Should().Be(404);
        answer.Text.Should().Contain("/fulll.crl").And.Contain("full.crl");
        var problem = _crl.Problems.Should().ContainSingle().Subject;
        (problem.Kind, problem.Request!.Path).Should().Be((ResponderProblemKind.PathNotServed, "/fulll.crl"));
    }

    [Test]
    public async Task Chunks_are_put_together_whatever_their_sizes_extensions_and_trailers([Values(1, 7, 4096)] int size, CancellationToken token)
    {
        var question = OcspQuestion.About(_authority, _leaf);
        using var client = await RawHttp.ConnectAsync(_ocsp.BaseUri, token);
        await client.SendAsync("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: Chunked\r\n\r\n", token);
        foreach (var part in question.Chunk(size))
        {
            await client.SendAsync(string.Create(CultureInfo.InvariantCulture, $"{part.Length:X}; name=\"value\"\r\n"), token);
            await client.SendAsync([.. part, .. "\r\n"u8], token);
        }

        await client.SendAsync("000\r\nTrailer: ignored\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n", token);

        (await client.ReceiveAsync(token)).Status.Should().Be(200);
        (await client.ReceiveAsync(token)).Status.Should().Be(200, "what follows the chunks is the next request");
        _ocsp.Requests[0].Body.ToArray().Should().Equal(question);
    }

    [Test]
    public async Task HttpClient_may_send_chunks(CancellationToken token)
    {
        using var http = new HttpClient();
        using var request = new HttpRequestMessage(HttpMethod.Post, _ocsp.BaseUri);
        request.Content = new ByteArrayContent(OcspQuestion.About(_authority, _leaf));
        request.Headers.TransferEncodingChunked = true;
        request.Headers.ExpectContinue = true;

        using var answer = await http.SendAsync(request, token);

        answer.StatusCode.Should().Be(HttpStatusCode.OK);
        answer.Content.Headers.ContentType!.MediaType.Should().Be("application/ocsp-response");
    }

    [Test]
    public async Task HEAD_says_what_GET_would_and_sends_nothing_else(CancellationToken token)
    {
        using var client = await RawHttp.ConnectAsync(_crl.BaseUri, token);
        await client.SendAsync("HEAD /full.crl HTTP/1.1\r\nHost: a\r\n\r\nHEAD /none HTTP/1.1\r\nHost: a\r\n\r\n", token);
        await client.SendAsync("GET /full.crl HTTP/1.1\r\nHost: a\r\n\r\n", token);

        var head = await client.ReceiveAsync(token, toHead: true);
        var none = await client.ReceiveAsync(token, toHead: true);
        var get = await client.ReceiveAsync(token);

        (head.Status, none.Status, get.Status).Should().Be((200, 404, 200), "a body after HEAD would be read as the next answer");
        int.Parse(head.Field("Content-Length")!, CultureInfo.InvariantCulture).Should().BeGreaterThan(100);
        head.Field("Content-Type").Should().Be(get.Field("Content-Type"));
    }

    [TestCase(ResponderMode.Garbage)]
    [TestCase(ResponderMode.Oversized)]
    [TestCase(ResponderMode.NotFound)]
    public async Task HEAD_has_no_body_when_the_responder_misbehaves(ResponderMode mode, CancellationToken token)
    {
        _crl.Mode = mode;
        using var client = await RawHttp.ConnectAsync(_crl.BaseUri, token);
        await client.SendAsync("HEAD /full.crl HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", token);

        await client.ReceiveAsync(token, toHead: true);

        (await client.ReceiveRestAsync(token)).Should().BeEmpty();
    }

    [Test]
    public async Task Who_expects_to_be_told_to_continue_is_told(CancellationToken token)
    {
        var question = OcspQuestion.About(_authority, _leaf);
        using var client = await RawHttp.ConnectAsync(_ocsp.BaseUri, token);
        await client.SendAsync($"POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-Continue\r\nContent-Length: {question.Length}\r\n\r\n", token);

        (await client.ReceiveAsync(token)).Status.Should().Be(100);
        await client.SendAsync(question, token);
        (await client.ReceiveAsync(token)).Status.Should().Be(200);
    }

    [Test]
    public async Task What_would_be_too_large_is_refused_before_it_is_sent(CancellationToken token)
    {
        var answer = await RawHttp.AskAsync(
            _ocsp.BaseUri, "POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 9999999999\r\n\r\n", token);

        answer.Status.Should().Be(413, "not 100");
        _ocsp.Problems.Single().Kind.Should().Be(ResponderProblemKind.TooLarge);
    }

    [Test]
    public async Task What_is_too_large_is_refused_and_the_refusal_arrives([Values] bool chunked, CancellationToken token)
    {
        using var client = await RawHttp.ConnectAsync(_ocsp.BaseUri, token);
        await client.SendAsync(
            "POST / HTTP/1.1\r\nHost: a\r\n" + (chunked ? "Transfer-Encoding: chunked\r\n\r\n" : "Content-Length: 3000000\r\n\r\n"), token);
        for (var part = 0; part < 30; part++)
        {
            await client.SendAsync(chunked ? [.. "186a0\r\n"u8, .. new byte[100_000], .. "\r\n"u8] : new byte[100_000], token);
        }

        var answer = await client.ReceiveAsync(token);

        (answer.Status, answer.Field("Connection")).Should().Be((413, "close"));
        var problem = _ocsp.Problems.Should().ContainSingle().Subject;
        (problem.Kind, problem.Request!.Method).Should().Be((ResponderProblemKind.TooLarge, "POST"));
    }

    [Test]
    public async Task A_head_without_end_is_refused([Values("GET /", "GET / HTTP/1.1\r\nX: ")] string start, CancellationToken token)
    {
        using var client = await RawHttp.ConnectAsync(_crl.BaseUri, token);
        await client.SendAsync(start + new string('a', 100_000), token);

        var answer = await client.ReceiveAsync(token);

        answer.Status.Should().Be(start.EndsWith('/') ? 414 : 431);
        _crl.Problems.Single().Kind.Should().Be(ResponderProblemKind.TooLarge);
    }

    [TestCase("1;", "a", 413, TestName = "An extension of a chunk without end is refused")]
    [TestCase("0\r\n", "a: b\r\n", 431, TestName = "Fields after the chunks without end are refused")]
    [TestCase("", "1;aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\r\na\r\n", 413, TestName = "Chunks that are nearly all extension are refused")]
    public async Task What_has_no_end_is_refused(string start, string repeated, int status, CancellationToken token)
    {
        using var client = await RawHttp.ConnectAsync(_ocsp.BaseUri, token);
        await client.SendAsync("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n" + start, token);
        var block = Encoding.Latin1.GetBytes(string.Concat(Enumerable.Repeat(repeated, (64 * 1024 / repeated.Length) + 1)));
        for (var sent = 0; sent < 9 << 20; sent += block.Length)
        {
            await client.SendAsync(block, token);
        }

        (await client.ReceiveAsync(token)).Status.Should().Be(status);
        _ocsp.Problems.Single().Kind.Should().Be(ResponderProblemKind.TooLarge);
    }

    [Test]
    public async Task No_changed_octet_makes_it_fail_or_say_nothing(CancellationToken token)
    {
        var right = Encoding.Latin1.GetBytes(
            "POST /a?b HTTP/1.1\r\nHost: a\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n" + "3;n=v\r\nabc\r\n0\r\nT: v\r\n\r\n");
        var silent = new List<string>();
        for (var change = 0; change < right.Length * 3; change++)
        {
            var (place, bits) = (change / 3, (byte)(change % 3 == 0 ? 0x01 : change % 3 == 1 ? 0x40 : 0x80));
            var changed = right.ToArray();
            changed[place] ^= bits;
            using var client = await RawHttp.ConnectAsync(_ocsp.BaseUri, token);
            await client.SendAsync(changed, token);
            client.EndSending();
            var before = _ocsp.Problems.Count;
            if ((await client.ReceiveRestAsync(token)).Length == 0 && _ocsp.Problems.Count == before)
            {
                silent.Add(Encoding.Latin1.GetString(changed));
            }
        }

        silent.Should().BeEmpty();
        _ocsp.Problems.Should().NotContain(problem => problem.Kind == ResponderProblemKind.Failed);
    }

    [Test]
    [CancelAfter(60000)]
    public void Curl_is_served_whatever_it_is_told_to_send()
    {
        using var directory = new TemporaryDirectory();
        var file = Path.Combine(directory.Path, "question");
        File.WriteAllBytes(file, OcspQuestion.About(_authority, _leaf));

        string Curl(params string[] arguments) =>
            Tool.Run("curl", ["-sS", "--max-time", "10", "-o", "-", "-w", "%{http_code} %{content_type} %{num_connects}\n", .. arguments]).Output;

        Curl("-I", _crl.FullUri).Should().Contain("200 application/pkix-crl 1");
        Curl("--http1.0", _crl.FullUri).Should().Contain("200 application/pkix-crl 1");
        Curl("-o", Path.Combine(directory.Path, "second"), _crl.FullUri, _crl.FullUri)
            .Should().Contain("200 application/pkix-crl 0", "it keeps its connection");
        Curl("--data-binary", "@" + file, "-H", "Transfer-Encoding: chunked", _ocsp.Uri)
            .Should().Contain("200 application/ocsp-response 1");
        Curl("--data-binary", "@" + file, "-H", "Expect: 100-continue", _ocsp.Uri).Should().Contain("200 application/ocsp-response 1");
        Curl("-X", "DELETE", _ocsp.Uri).Should().Contain("405");
        Curl("-x", _crl.BaseUri.ToString(), "http://elsewhere.test/full.crl")
            .Should().Contain("200 application/pkix-crl 1", "a proxy is sent the absolute form");
        _crl.Problems.Should().BeEmpty();
        _ocsp.Problems.Should().ContainSingle();
    }

    [Test]
    public async Task Requests_in_one_packet_are_answered_in_their_order(CancellationToken token)
    {
        using var client = await RawHttp.ConnectAsync(_crl.BaseUri, token);
        await client.SendAsync(
            "GET /full.crl HTTP/1.1\r\nHost: a\r\n\r\n" +
            "GET /none HTTP/1.1\r\nHost: a\r\n\r\n" +
            "GET /delta.crl HTTP/1.1\r\nHost: a\r\nConnection: keep-alive, Close\r\n\r\n" +
            "GET /full.crl HTTP/1.1\r\n\r\n",
            token);

        var answers = new[] { await client.ReceiveAsync(token), await client.ReceiveAsync(token), await client.ReceiveAsync(token) };

        answers.Select(answer => answer.Status).Should().Equal(200, 404, 200);
        answers.Select(answer => answer.Field("Connection")).Should().Equal(null, null, "close");
        (await client.ReceiveRestAsync(token)).Should().BeEmpty("nothing is answered after the last request");
        _crl.Requests.Select(request => request.Path).Should().Equal("/full.crl", "/none", "/delta.crl");
        _crl.Connections.Should().Be(1);
    }

    [Test]
    public async Task A_request_that_comes_octet_by_octet_is_the_same_request(CancellationToken token)
    {
        using var client = await RawHttp.ConnectAsync(_ocsp.BaseUri, token);
        foreach (var octet in "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n0\r\n\r\n"u8.ToArray())
        {
            await client.SendAsync([octet], token);
        }

        (await client.ReceiveAsync(token)).Status.Should().Be(200);
        _ocsp.Requests.Single().Body.ToArray().Should().Equal("ab"u8.ToArray());
    }

    [TestCase("HTTP/1.1\r\nHost: a", false)]
    [TestCase("HTTP/1.1\r\nHost: a\r\nConnection: close", true)]
    [TestCase("HTTP/1.0", true)]
    public async Task A_connection_lasts_for_as_long_as_was_said(string rest, bool closes, CancellationToken token)
    {
        using var client = await RawHttp.ConnectAsync(_crl.BaseUri, token);
        await client.SendAsync($"GET /full.crl {rest}\r\n\r\n", token);

        (await client.ReceiveAsync(token)).Field("Connection").Should().Be(closes ? "close" : null);
        if (closes)
        {
            (await client.ReceiveRestAsync(token)).Should().BeEmpty();
        }
        else
        {
            await client.SendAsync($"GET /full.crl {rest}\r\n\r\n", token);
            (await client.ReceiveAsync(token)).Status.Should().Be(200);
        }
    }

    [Test]
    public async Task A_client_of_HTTP_1_0_keeps_its_connection_when_it_asks_for_that(CancellationToken token)
    {
        using var client = await RawHttp.ConnectAsync(_crl.BaseUri, token);
        const string Kept = "HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n";
        await client.SendAsync($"GET /full.crl {Kept}GET /none {Kept}GET /delta.crl HTTP/1.0\r\n\r\n", token);

        var answers = new[] { await client.ReceiveAsync(token), await client.ReceiveAsync(token), await client.ReceiveAsync(token) };

        answers.Select(answer => answer.Status).Should().Equal(200, 404, 200);
        answers.Select(answer => answer.Field("Connection")).Should().Equal(["keep-alive", "keep-alive", "close"], "it would not know by itself");
        (await client.ReceiveRestAsync(token)).Should().BeEmpty();
        _crl.Connections.Should().Be(1);
    }

    [TestCase("HTTP/1.1\r\nHost: a\r\nConnection: close", "GET /delta.crl HTTP/1.1\r\nHost: a\r\n\r\n", true)]
    [TestCase("HTTP/1.0", "GET /delta.crl HTTP/1.0\r\n\r\n", true)]
    [TestCase("HTTP/1.0\r\nConnection: keep-alive, close", "x", true)]
    [TestCase("HTTP/1.0", "\r\n\r\n", false)]
    [TestCase("HTTP/1.0", "", false)]
    public async Task What_comes_after_the_last_request_is_not_answered_and_that_is_told(
        string rest, string more, bool isProblem, CancellationToken token)
    {
        using var client = await RawHttp.ConnectAsync(_crl.BaseUri, token);
        await client.SendAsync($"GET /full.crl {rest}\r\n\r\n{more}", token);
        client.EndSending();

        (await client.ReceiveAsync(token)).Field("Connection").Should().Be("close");
        (await client.ReceiveRestAsync(token)).Should().BeEmpty();
        await _crl.DisposeAsync();

        _crl.Problems.Select(problem => (problem.Kind, problem.Status, problem.Reason.Contains("last")))
            .Should().Equal(isProblem ? [(ResponderProblemKind.MalformedHttp, null, true)] : []);
        (_crl.Requests.Count, _crl.Hits).Should().Be((1, isProblem ? 2 : 1));
    }

    [TestCase("GET /full.crl HTTP/1.1\rHost: a\r\r")]
    [TestCase("GET /full.crl HTTP/1.1\r\nHost: a\r\nX: a\r")]
    public async Task Who_ends_lines_otherwise_is_not_kept_waiting(string request, CancellationToken token)
    {
        var answer = await RawHttp.AskAsync(_crl.BaseUri, request + "y", token);

        answer.Status.Should().Be(400);
        _crl.Problems.Single().Reason.Should().Contain("CR");
    }

    [Test]
    public async Task A_question_by_GET_is_the_same_however_it_is_escaped(
        [Values("as it is", "where it must be", "in lower case", "throughout", "after two slashes", "in absolute form")] string how,
        CancellationToken token)
    {
        // A serial number whose base64 has all that a path has another use for.
        using var leaf = _authority.Issue(spec => spec with { SerialNumber = new System.Numerics.BigInteger(0x7BEFBEFBFFFFFFL) << 512 | 0x7FFFFF });
        var text = Convert.ToBase64String(OcspQuestion.About(_authority, leaf));
        text.Should().Contain("+").And.Contain("/");
        var target = how switch
        {
            "as it is" => "/" + text,
            "where it must be" => "/" + Uri.EscapeDataString(text),
            "in lower case" => "/" + text.Replace("+", "%2b").Replace("/", "%2f").Replace("=", "%3d"),
            "throughout" => "/" + string.Concat(text.Select(each => $"%{(int)each:X2}")),
            "after two slashes" => "//" + text,
            _ => $"http://elsewhere.test/{text}",
        };

        var answer = await RawHttp.AskAsync(_ocsp.BaseUri, $"GET {target} HTTP/1.1\r\nHost: a\r\n\r\n", token);

        answer.Body.Should().StartWith([0x30, 0x82]);
        answer.Status.Should().Be(200);
        _ocsp.Problems.Should().BeEmpty();
    }

    [Test]
    public async Task HttpClient_keeps_its_connection(CancellationToken token)
    {
        using var http = new HttpClient();
        for (var round = 0; round < 3; round++)
        {
            await http.GetByteArrayAsync(new Uri(_crl.FullUri), token);
        }

        (_crl.Hits, _crl.Connections).Should().Be((3, 1));
    }

    [TestCase(ResponderMode.Normal)]
    [TestCase(ResponderMode.Garbage)]
    [TestCase(ResponderMode.Truncated)]
    [TestCase(ResponderMode.Stale)]
    [TestCase(ResponderMode.WrongSigner)]
    [TestCase(ResponderMode.Oversized)]
    public async Task The_content_type_is_right_whatever_the_content(ResponderMode mode, CancellationToken token)
    {
        await using var trap = new AiaTrap(_authority.AsCertificate.RawCertificate) { Mode = mode };
        _crl.Mode = mode;
        _ocsp.Mode = mode;

        async Task<string?> TypeOfAsync(string uri)
        {
            using var http = new HttpClient();
            using var answer = await http.GetAsync(new Uri(uri), HttpCompletionOption.ResponseHeadersRead, token);
            return answer.Content.Headers.ContentType?.ToString();
        }

        (await TypeOfAsync(_crl.FullUri)).Should().Be("application/pkix-crl");
        (await TypeOfAsync(_ocsp.Uri + Uri.EscapeDataString(Convert.ToBase64String(OcspQuestion.About(_authority, _leaf)))))
            .Should().Be("application/ocsp-response");
        (await TypeOfAsync(trap.IssuerUri)).Should().Be("application/pkix-cert");
    }

    [Test]
    public async Task Fifty_clients_that_say_nothing_do_not_hold_up_the_next(CancellationToken token)
    {
        var silent = new List<RawHttp>();
        try
        {
            for (var client = 0; client < 50; client++)
            {
                silent.Add(await RawHttp.ConnectAsync(_crl.BaseUri, token));
                await silent[^1].SendAsync("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nabcd"[..client], token);
            }

            (await RawHttp.AskAsync(_crl.BaseUri, "GET /full.crl HTTP/1.1\r\nHost: a\r\n\r\n", token)).Status.Should().Be(200);
            await _crl.DisposeAsync().AsTask().WaitAsync(token);
            (await silent[7].ReceiveRestAsync(token)).Should().BeEmpty();
        }
        finally
        {
            silent.ForEach(client => client.Dispose());
        }
    }

    [Test]
    public async Task Half_a_request_is_told_and_a_connection_without_a_word_is_only_counted(CancellationToken token)
    {
        using (var silent = await RawHttp.ConnectAsync(_crl.BaseUri, token))
        {
            silent.EndSending();
            (await silent.ReceiveRestAsync(token)).Should().BeEmpty();
        }

        (_crl.Connections, _crl.Hits, _crl.Problems.Count).Should().Be((1, 0, 0));
        using (var half = await RawHttp.ConnectAsync(_crl.BaseUri, token))
        {
            await half.SendAsync("GET /full.crl HT", token);
            half.EndSending();
            await half.ReceiveRestAsync(token);
        }

        var problem = _crl.Problems.Should().ContainSingle().Subject;
        (problem.Kind, problem.Request).Should().Be((ResponderProblemKind.ConnectionLost, null));
        (_crl.Connections, _crl.Hits).Should().Be((2, 1));
    }
}
