using System.Net;
using System.Text;
using MutualAuth.Testing.Assertions;
using MutualAuth.Testing.Responders;
using MutualAuth.Testing.Revocation;
using MutualAuth.Testing.Tests.Support;
using Org.BouncyCastle.Asn1.Ocsp;
using Org.BouncyCastle.Ocsp;

namespace MutualAuth.Testing.Tests.Responders;

/// <summary>What goes wrong inside a responder is the author's to see, and never a mere end of a connection.</summary>
[CancelAfter(20000)]
public sealed class ResponderProblemsTests
{
    private static readonly HttpClient s_http = new();

    private TestAuthority _authority = null!;
    private TestCertificate _leaf = null!;
    private OcspResponder _ocsp = null!;

    [SetUp]
    public void Start()
    {
        _authority = new TestAuthority();
        _leaf = _authority.IssueClient("leaf.test");
        _ocsp = new OcspResponder(_authority);
    }

    [TearDown]
    public async Task StopAsync()
    {
        await _ocsp.DisposeAsync();
        _leaf.Dispose();
        _authority.Dispose();
    }

    private static IEnumerable<TestCaseData> Failing()
    {
        static TestCaseData Case(string name, Type thrown, Func<OcspSpec, OcspSpec> spec) => new TestCaseData(thrown, spec).SetArgDisplayNames(name);

        yield return Case("throws", typeof(InvalidOperationException), _ => throw new InvalidOperationException("a slip in the test"));
        yield return Case("gives up", typeof(OperationCanceledException), _ => throw new OperationCanceledException("a slip in the test"));
        yield return Case("throws what a socket would", typeof(IOException), _ => throw new IOException("a slip in the test"));
        yield return Case("returns null", typeof(InvalidOperationException), _ => null!);
        yield return Case("asks for what cannot be written", typeof(Exception), spec => spec with
        {
            Answers = [spec.Answers[0] with { RawCertId = new byte[] { 1 } }],
        });
    }

    [TestCaseSource(nameof(Failing))]
    public async Task A_callback_that_fails_is_an_internal_error_and_the_exception_is_there(
        Type thrown, Func<OcspSpec, OcspSpec> spec, CancellationToken token)
    {
        _ocsp.Spec = spec;

        using var answer = await s_http.PostAsync(_ocsp.BaseUri, new ByteArrayContent(OcspQuestion.About(_authority, _leaf)), token);

        answer.Content.Headers.ContentType!.MediaType.Should().Be("application/ocsp-response");
        new OcspResp(await answer.Content.ReadAsByteArrayAsync(token)).Status.Should().Be(OcspResponseStatus.InternalError);
        var problem = _ocsp.Problems.Should().ContainSingle().Subject;
        problem.Kind.Should().Be(ResponderProblemKind.Failed);
        problem.Request!.Method.Should().Be("POST");
        problem.Exception.Should().BeAssignableTo(thrown);

        new OcspResp(_ocsp.Answer(OcspQuestion.About(_authority, _leaf))).Status.Should().Be(OcspResponseStatus.InternalError, "also without HTTP");
        _ocsp.Spec = null;
        new OcspResp(_ocsp.Answer(OcspQuestion.About(_authority, _leaf))).Status.Should().Be(OcspResponseStatus.Successful);
        _ocsp.Problems.Should().HaveCount(2);
    }

    [Test]
    public async Task A_responder_that_fails_says_so_with_500(CancellationToken token)
    {
        var clock = new MoodyClock();
        using var authority = new TestAuthority(timeProvider: clock);
        await using var crl = new CrlResponder(authority);
        clock.Mood = calls => calls == 1;

        using var answer = await s_http.GetAsync(new Uri(crl.FullUri), token);

        answer.StatusCode.Should().Be(HttpStatusCode.InternalServerError);
        (await answer.Content.ReadAsStringAsync(token)).Should().Contain("in a mood");
        var problem = crl.Problems.Should().ContainSingle().Subject;
        (problem.Kind, problem.Status, problem.Request!.Path).Should().Be((ResponderProblemKind.Failed, 500, "/full.crl"));
        problem.Exception.Should().BeOfType<TimeZoneNotFoundException>();
        (await s_http.GetByteArrayAsync(new Uri(crl.FullUri), token)).Should().NotBeEmpty("the next request is another matter");
    }

    [Test]
    public async Task One_that_cannot_even_say_so_closes_and_the_exception_is_there(CancellationToken token)
    {
        var clock = new MoodyClock();
        using var authority = new TestAuthority(timeProvider: clock);
        await using var crl = new CrlResponder(authority);
        clock.Mood = _ => true;

        // Not HttpClient, which would ask again on another connection.
        using var client = await RawHttp.ConnectAsync(crl.BaseUri, token);
        await client.SendAsync("GET /full.crl HTTP/1.1\r\nHost: a\r\n\r\n", token);
        (await client.ReceiveRestAsync(token)).Should().BeEmpty();

        crl.Problems.Select(problem => problem.Exception).Should().HaveCount(2).And.AllBeOfType<TimeZoneNotFoundException>();
        clock.Mood = _ => false;
        (await s_http.GetByteArrayAsync(new Uri(crl.FullUri), token)).Should().NotBeEmpty();
    }

    [Test]
    public async Task The_assertion_shows_the_request_the_reason_and_the_exception(CancellationToken token)
    {
        _ocsp.ShouldHaveNoProblems();
        _ocsp.Spec = _ => throw new InvalidOperationException("a slip in the test");
        using var answer = await s_http.PostAsync(_ocsp.BaseUri, new ByteArrayContent(OcspQuestion.About(_authority, _leaf)), token);
        _ocsp.Spec = null;
        await RawHttp.AskAsync(_ocsp.BaseUri, "PUT /\x01 HTTP/1.1\r\nHost: a\r\n\r\n", token);
        await RawHttp.AskAsync(_ocsp.BaseUri, "PUT /a HTTP/1.1\r\nHost: a\r\n\r\n", token);

        var failure = FluentActions.Invoking(_ocsp.ShouldHaveNoProblems).Should().Throw<MutualAuthAssertionException>().Which;

        failure.Message.Should().Contain("POST /").And.Contain("a slip in the test").And.Contain("PUT /a").And.NotContain("\x01");
        failure.InnerException.Should().BeOfType<InvalidOperationException>();
        FluentActions.Invoking(_ocsp.ShouldBeUntouched).Should().Throw<MutualAuthAssertionException>()
            .Which.Message.Should().Contain("a slip in the test");
    }

    [Test]
    public async Task A_trap_is_touched_by_whatever_reaches_it([Values("", "\x16\x03\x01", "GET /")] string sent, CancellationToken token)
    {
        await using var trap = new AiaTrap();
        trap.ShouldBeUntouched();
        using var client = await RawHttp.ConnectAsync(trap.BaseUri, token);
        await client.SendAsync(sent, token);
        client.EndSending();
        await client.ReceiveRestAsync(token);

        FluentActions.Invoking(trap.ShouldBeUntouched).Should().Throw<MutualAuthAssertionException>()
            .Which.Message.Should().Contain(trap.BaseUri.ToString());
    }

    [Test]
    public async Task What_a_trap_was_asked_at_another_address_is_a_problem_and_a_hit(CancellationToken token)
    {
        await using var trap = new AiaTrap();

        (await RawHttp.AskAsync(trap.BaseUri, "GET /revoked.crl HTTP/1.1\r\nHost: a\r\n\r\n", token)).Status.Should().Be(404, "it has none to give");
        trap.Problems.Should().BeEmpty("that is its own address");
        (await RawHttp.AskAsync(trap.BaseUri, "POST /ocsp HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\na", token)).Status.Should().Be(404);
        trap.Problems.Should().BeEmpty("OCSP is asked by POST");
        (await RawHttp.AskAsync(trap.BaseUri, "GET /other HTTP/1.1\r\nHost: a\r\n\r\n", token)).Status.Should().Be(404);

        trap.Problems.Single().Kind.Should().Be(ResponderProblemKind.PathNotServed);
        trap.Hits.Should().Be(3);
    }

    [Test]
    public async Task A_callback_that_takes_its_time_keeps_no_other_request_waiting(CancellationToken token)
    {
        using var gate = new ManualResetEventSlim();
        var calls = 0;
        _ocsp.Spec = spec =>
        {
            if (Interlocked.Increment(ref calls) == 1)
            {
                gate.Wait(token);
            }

            return spec;
        };

        var slow = s_http.PostAsync(_ocsp.BaseUri, new ByteArrayContent(OcspQuestion.About(_authority, _leaf)), token);
        while (Volatile.Read(ref calls) == 0)
        {
            await Task.Yield();
        }

        using var fast = await s_http.PostAsync(_ocsp.BaseUri, new ByteArrayContent(OcspQuestion.About(_authority, _leaf)), token);
        fast.StatusCode.Should().Be(HttpStatusCode.OK);
        slow.IsCompleted.Should().BeFalse();
        gate.Set();
        (await slow).Dispose();
        _ocsp.ShouldHaveNoProblems();
    }

    [Test]
    public async Task Who_leaves_before_the_answer_is_through_is_told(CancellationToken token)
    {
        _ocsp.Mode = ResponderMode.Oversized;
        using (var client = await RawHttp.ConnectAsync(_ocsp.BaseUri, token))
        {
            await client.SendAsync("GET / HTTP/1.1\r\nHost: a\r\n\r\n", token);
            while (_ocsp.Hits == 0)
            {
                await Task.Yield();
            }
        }

        while (_ocsp.Problems.Count == 0)
        {
            token.ThrowIfCancellationRequested();
            await Task.Yield();
        }

        var problem = _ocsp.Problems.Single();
        (problem.Kind, problem.Request!.Method).Should().Be((ResponderProblemKind.ConnectionLost, "GET"));
        problem.Exception.Should().BeOfType<IOException>();
    }

    private sealed class MoodyClock : TimeProvider
    {
        private int _calls;

        /// <summary>Whether the call of this number throws.</summary>
        internal Func<int, bool>? Mood { get; set; }

        public override DateTimeOffset GetUtcNow() => Mood is { } mood && mood(Interlocked.Increment(ref _calls))
            ? throw new TimeZoneNotFoundException("in a mood")
            : base.GetUtcNow();
    }
}
