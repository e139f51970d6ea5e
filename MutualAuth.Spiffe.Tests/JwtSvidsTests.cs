using System.Collections.Immutable;
using Grpc.Core;
using Microsoft.Extensions.Time.Testing;
using MutualAuth.Names;
using MutualAuth.Spiffe;
using MutualAuth.Spiffe.Testing;
using MutualAuth.Tests.Support;
using MutualAuth.Tokens;

namespace MutualAuth.Tests;

/// <summary>Tokens of this workload from an agent, right and wrong, and a source of them for logins.</summary>
[CancelAfter(120000)]
public sealed class JwtSvidsTests
{
    private const string Audience = "invoices";
    private static readonly TimeSpan s_deadline = TimeSpan.FromSeconds(20);

    private FakeTimeProvider _clock = null!;
    private TestTrustDomain _domain = null!;
    private FakeWorkloadApi _agent = null!;

    [SetUp]
    public async Task SetUp()
    {
        _clock = Clocks.Standing();
        _domain = new TestTrustDomain("example.test", _clock);
        _agent = await FakeWorkloadApi.StartAsync(_domain.Update("/billing"), timeProvider: _clock);
    }

    [TearDown]
    public async Task TearDown()
    {
        await _agent.DisposeAsync();
        _domain.Dispose();
    }

    [Test]
    public async Task Several_identities_come_with_their_hints_in_the_order_of_the_agent()
    {
        _agent.Send(Giving(audiences => [Svid("/billing", audiences, "internal"), Svid("/audit", audiences, "external")]));

        var all = await FetchAsync(Request);
        var one = await FetchAsync(Request with { SpiffeId = SpiffeId.Parse("spiffe://example.test/audit") });
        var hinted = await FetchAsync(Request with { Hint = "external" });

        all.Select(svid => (svid.SpiffeId.Path, svid.Hint)).Should().Equal(("/billing", "internal"), ("/audit", "external"));
        all.Should().OnlyContain(svid => svid.Audiences.SequenceEqual(new[] { Audience }) && svid.IssuedAt != null);
        one.Select(svid => svid.SpiffeId.Path).Should().Equal("/audit");
        hinted.Select(svid => svid.SpiffeId.Path).Should().Equal("/audit");
        all[0].ToString().Should().NotContain(all[0].Token).And.Contain("spiffe://example.test/billing");
    }

    [Test]
    public async Task The_agent_is_asked_for_the_audiences_and_the_identity()
    {
        WorkloadJwtRequest? asked = null;
        _agent.Send(new WorkloadUpdate
        {
            JwtSvids = request =>
            {
                asked = request;
                return [Svid("/billing", request.Audiences)];
            },
        });

        await FetchAsync(Request with { Audiences = ["a", "b"], SpiffeId = SpiffeId.Parse("spiffe://example.test/billing") });

        asked!.Audiences.Should().Equal("a", "b");
        asked.SpiffeId.Should().Be("spiffe://example.test/billing");
    }

    private static IEnumerable<TestCaseData> BadAnswers()
    {
        static TestCaseData Case(
            string name, UpdateRefusalReason reason, Func<JwtSvidsTests, ImmutableArray<string>, IEnumerable<WorkloadJwtSvid>> give) =>
            new TestCaseData(reason, give).SetArgDisplayNames(name);

        yield return Case("another audience", UpdateRefusalReason.AudienceMismatch, (test, _) => [test.Svid("/billing", ["payroll"])]);
        yield return Case("an audience more", UpdateRefusalReason.AudienceMismatch, (test, _) => [test.Svid("/billing", [Audience, "payroll"])]);
        yield return Case("no audience", UpdateRefusalReason.TokenMalformed, (test, _) => [test.Svid("/billing", [])]);
        yield return Case("expired", UpdateRefusalReason.Expired, (test, audiences) => [test.Svid(
            "/billing", audiences) with
        {
            Token = test._domain.IssueJwt(
            "/billing", audiences, (_, claims) => claims["exp"] = test._clock.GetUtcNow().ToUnixTimeSeconds() - 1)
        }]);
        yield return Case("no expiry", UpdateRefusalReason.TokenMalformed, (test, audiences) => [test.Svid("/billing", audiences) with
        {
            Token = test._domain.IssueJwt("/billing", audiences, (_, claims) => claims.Remove("exp")),
        }]);
        yield return Case("the algorithm none", UpdateRefusalReason.TokenMalformed, (test, audiences) => [test.Svid("/billing", audiences) with
        {
            Token = test._domain.IssueJwt("/billing", audiences, (header, _) => header["alg"] = "none"),
        }]);
        yield return Case("the token of another workload", UpdateRefusalReason.SpiffeIdMismatch, (test, audiences) => [test.Svid(
            "/billing", audiences) with
        { SpiffeId = "spiffe://example.test/audit" }]);
        yield return Case("no SPIFFE ID", UpdateRefusalReason.SpiffeIdMalformed, (test, audiences) => [test.Svid(
            "/billing", audiences) with
        { SpiffeId = "" }]);
        yield return Case("no token", UpdateRefusalReason.TokenMalformed, (test, audiences) =>
            [test.Svid("/billing", audiences) with { Token = "" }]);
        yield return Case("garbage", UpdateRefusalReason.TokenMalformed, (test, audiences) => [test.Svid(
            "/billing", audiences) with
        { Token = "a.b.c\n" }]);
        yield return Case("a huge token", UpdateRefusalReason.TokenMalformed, (test, audiences) => [test.Svid("/billing", audiences) with
        {
            Token = test._domain.IssueJwt("/billing", audiences, (_, claims) => claims["x"] = new string('x', 16_000)),
        }]);
        yield return Case("a second one that is broken", UpdateRefusalReason.TokenMalformed, (test, audiences) =>
            [test.Svid("/billing", audiences), test.Svid("/audit", audiences) with { Token = "x" }]);
        yield return Case("too many", UpdateRefusalReason.TooMany, (test, audiences) =>
            Enumerable.Range(0, 65).Select(number => test.Svid($"/w{number}", audiences)));
        yield return Case("another identity than was asked for", UpdateRefusalReason.IdentityNotFound, (test, audiences) =>
            [test.Svid("/audit", audiences)]);
    }

    [TestCaseSource(nameof(BadAnswers))]
    public async Task An_answer_that_does_not_check_is_refused(
        UpdateRefusalReason reason, Func<JwtSvidsTests, ImmutableArray<string>, IEnumerable<WorkloadJwtSvid>> give)
    {
        _agent.Send(Giving(audiences => give(this, audiences)));

        var fetch = () => FetchAsync(Request with { SpiffeId = SpiffeId.Parse("spiffe://example.test/billing") });

        var thrown = (await fetch.Should().ThrowAsync<WorkloadApiException>()).Which;
        (thrown.Failure, thrown.Refusal!.Reason).Should().Be((WorkloadApiFailure.UpdateRefused, reason));
        thrown.Message.Should().NotContain("eyJ", "no token is ever printed");
    }

    [Test]
    public async Task An_answer_without_a_token_is_refused()
    {
        _agent.SendRaw([]);
        var fetch = () => FetchAsync(Request);
        (await fetch.Should().ThrowAsync<WorkloadApiException>()).Which.Refusal!.Reason.Should().Be(UpdateRefusalReason.NoIdentity);
    }

    [TestCase(StatusCode.PermissionDenied, WorkloadApiFailure.Denied)]
    [TestCase(StatusCode.Unimplemented, WorkloadApiFailure.NotUnderstood)]
    [TestCase(StatusCode.Unavailable, WorkloadApiFailure.Unreachable)]
    public async Task A_status_is_told(StatusCode status, WorkloadApiFailure failure)
    {
        _agent.Refuse(status, "no\n");
        var fetch = () => FetchAsync(Request);
        var thrown = (await fetch.Should().ThrowAsync<WorkloadApiException>()).Which;
        thrown.Failure.Should().Be(failure);
        thrown.Message.Should().NotContain("\n");
    }

    [Test]
    public async Task Octets_that_are_no_message_and_messages_that_are_too_large_are_refused([Values] bool isHuge)
    {
        _agent.SendRaw(isHuge ? new byte[65 * 1024] : "\xff\xff\xff"u8);
        var fetch = () => FetchAsync(Request with { Limits = new UpdateLimits { MaxMessageBytes = 64 * 1024 } });
        (await fetch.Should().ThrowAsync<WorkloadApiException>()).Which.Failure.Should().Be(WorkloadApiFailure.Unreachable);
    }

    [TestCase(true)]
    [TestCase(false)]
    public async Task An_agent_that_says_nothing_is_given_up_and_one_that_is_away_too(bool isSilent)
    {
        if (!isSilent)
        {
            await _agent.GoAwayAsync();
        }
        else
        {
            _agent.Hang();
        }

        var asked = _agent.Requests;
        var fetching = FetchAsync(Request);
        if (isSilent)
        {
            await AdvanceUntilOverAsync(fetching);
        }

        var fetch = () => fetching;
        (await fetch.Should().ThrowAsync<WorkloadApiException>()).Which.Failure.Should().Be(
            isSilent ? WorkloadApiFailure.Silent : WorkloadApiFailure.Unreachable);
        _agent.Requests.Should().BeInRange(asked, asked + 1);
    }

    [Test]
    public async Task Who_asked_can_give_up()
    {
        _agent.Hang();
        using var stop = new CancellationTokenSource();
        var fetching = JwtSvids.FetchAsync(Request, stop.Token);
        await stop.CancelAsync();
        var fetch = () => fetching.WaitAsync(s_deadline);
        await fetch.Should().ThrowAsync<OperationCanceledException>();
    }

    [Test]
    public async Task A_token_is_kept_and_renewed_before_its_end()
    {
        await using var tokens = JwtSvids.Renewing(Request);
        var first = await GetAsync(tokens);
        (await GetAsync(tokens)).Should().Be(first);
        _agent.Requests.Should().Be(1);

        _clock.Advance(TimeSpan.FromMinutes(3.8)); // of five: more than three quarters
        (await GetAsync(tokens)).Should().Be(first, "the old one is used while the next one is asked for");
        var next = await UntilAnotherAsync(tokens, first);

        JwtSvid.DangerouslyReadUnverified(next).ExpiresAt.Should().BeAfter(JwtSvid.DangerouslyReadUnverified(first).ExpiresAt);
        _agent.Requests.Should().Be(2);
    }

    [Test]
    public async Task While_the_agent_is_away_the_last_token_is_used_until_its_end_and_not_longer()
    {
        await using var tokens = JwtSvids.Renewing(Request);
        var first = await GetAsync(tokens);
        var end = JwtSvid.DangerouslyReadUnverified(first).ExpiresAt;
        await _agent.GoAwayAsync();

        _clock.Advance(end - _clock.GetUtcNow() - TimeSpan.FromSeconds(1));
        (await GetAsync(tokens)).Should().Be(first);
        _clock.Advance(TimeSpan.FromSeconds(1));

        var get = () => GetAsync(tokens);
        var thrown = (await get.Should().ThrowAsync<TokenIssuerException>()).Which;
        thrown.Problem.Should().Be(TokenIssuerProblem.Unreachable);
        thrown.Message.Should().Contain("SPIFFE Workload API");
        await _agent.ComeBackAsync();
        _clock.Advance(TimeSpan.FromMinutes(1));
        (await GetAsync(tokens)).Should().NotBe(first);
    }

    [Test]
    public async Task Without_a_workload_there_is_no_token()
    {
        _agent.Refuse();
        await using var tokens = JwtSvids.Renewing(Request);
        var get = () => GetAsync(tokens);
        (await get.Should().ThrowAsync<TokenIssuerException>()).Which.Problem.Should().Be(TokenIssuerProblem.Refused);
    }

    public static IEnumerable<TestCaseData> Problems()
    {
        static TestCaseData Case(string said, Func<JwtSvidRequest, JwtSvidRequest> change) => new TestCaseData(change).SetName($"Request: {said}");

        yield return Case("Audiences must hold", request => request with { Audiences = [] });
        yield return Case("Audiences must hold 1 to 64", request => request with { Audiences = [""] });
        yield return Case("Timeout must be", request => request with { Timeout = TimeSpan.Zero });
        yield return Case("RenewAfter must be", request => request with { RenewAfter = 1 });
        yield return Case("RetryDelay must be", request => request with { RetryDelay = TimeSpan.Zero });
        yield return Case("Limits, TimeProvider and LoggerFactory", request => request with { Limits = null! });
        yield return Case("MaxIdentities must be", request => request with { Limits = new UpdateLimits { MaxIdentities = 0 } });
    }

    [TestCaseSource(nameof(Problems))]
    public void A_problem_is_said(Func<JwtSvidRequest, JwtSvidRequest> change)
    {
        var said = TestContext.CurrentContext.Test.Name["Request: ".Length..];
        FluentActions.Invoking(() => JwtSvids.Renewing(change(Request))).Should().Throw<ArgumentException>().WithMessage($"*{said}*");
        FluentActions.Invoking(() => { _ = JwtSvids.FetchAsync(change(Request)); }).Should().Throw<ArgumentException>().WithMessage($"*{said}*");
    }

    private JwtSvidRequest Request => new() { Audiences = [Audience], Address = WorkloadApiAddress.Parse(_agent.Address), TimeProvider = _clock };

    private WorkloadJwtSvid Svid(string path, ImmutableArray<string> audiences, string hint = "") =>
        new() { SpiffeId = _domain.SpiffeId + path, Token = _domain.IssueJwt(path, audiences), Hint = hint };

    private static WorkloadUpdate Giving(Func<ImmutableArray<string>, IEnumerable<WorkloadJwtSvid>> give) =>
        new() { JwtSvids = request => give(request.Audiences) };

    private static Task<ImmutableArray<JwtSvid>> FetchAsync(JwtSvidRequest request) => JwtSvids.FetchAsync(request).WaitAsync(s_deadline);

    private static Task<string> GetAsync(TokenSource tokens) => tokens.GetAsync().AsTask().WaitAsync(s_deadline);

    private static async Task<string> UntilAnotherAsync(TokenSource tokens, string first)
    {
        using var deadline = new CancellationTokenSource(s_deadline);
        string next;
        while ((next = await GetAsync(tokens)) == first)
        {
            deadline.Token.ThrowIfCancellationRequested();
            await Task.Yield();
        }

        return next;
    }

    /// <summary>The clock stands, and the timeout may begin after it was set forward.</summary>
    private async Task AdvanceUntilOverAsync(Task task)
    {
        using var deadline = new CancellationTokenSource(s_deadline);
        while (!task.IsCompleted)
        {
            deadline.Token.ThrowIfCancellationRequested();
            _clock.Advance(TimeSpan.FromSeconds(1));
            await Task.Yield();
        }
    }
}
