using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Time.Testing;
using MutualAuth.Tests.Support;
using MutualAuth.Tokens;

namespace MutualAuth.Tests;

/// <summary>The issuer's word about a token, and what becomes of clients when there is none.</summary>
public sealed class IntrospectionTests
{
    private readonly FakeTimeProvider _time = new(Signer.Now);
    private OddIssuer _issuer = null!;

    [SetUp]
    public async Task Start() => _issuer = await OddIssuer.StartAsync();

    [TearDown]
    public async Task Stop() => await _issuer.DisposeAsync();

    public static IEnumerable<TestCaseData> Answers()
    {
        static TestCaseData Case(string name, RejectionReason? reason, string? member = null, JsonNode? value = null)
        {
            var answer = Active();
            if (member is not null)
            {
                answer[member] = value;
            }

            return new TestCaseData(reason, answer.ToJsonString()).SetName($"Introspection: {name}");
        }

        yield return Case("active", null);
        yield return Case("not active", RejectionReason.TokenNotActive, "active", false);
        yield return Case("active as a text", RejectionReason.TokenNotActive, "active", "true");
        yield return Case("another audience", RejectionReason.TokenAudienceWrong, "aud", "https://payroll.test");
        yield return Case("no audience", RejectionReason.TokenAudienceWrong, "aud");
        yield return Case("another issuer", RejectionReason.TokenIssuerWrong, "iss", "https://other.test");
        yield return Case("expired", RejectionReason.TokenNoLongerValid, "exp", Signer.Now.ToUnixTimeSeconds() - 60);
        yield return Case("no expiry", RejectionReason.TokenInvalid, "exp");
        yield return Case("for DPoP", RejectionReason.TokenTypeWrong, "token_type", "DPoP");
        yield return Case("a scope missing", RejectionReason.TokenScopeMissing, "scope", "other");
        yield return new TestCaseData(RejectionReason.TokenIssuerUnavailable, "garbage").SetName("Introspection: garbage");
    }

    [TestCaseSource(nameof(Answers))]
    public async Task An_answer(RejectionReason? reason, string answer)
    {
        _issuer.Say(answer);
        using var validator = Validator();

        await using var ends = await Sockets.ConnectAsync(validator, "opaque");

        (ends.Server.Failure?.Reason).Should().Be(reason);
        (ends.Client.Failure?.PeerReason).Should().Be(
            reason is null ? null : reason == RejectionReason.TokenIssuerUnavailable ? PublicReason.TryAgainLater : PublicReason.CredentialsWrong);
    }

    [TestCase(0, 2)]
    [TestCase(30, 1)]
    public async Task Each_login_asks_unless_it_is_said_otherwise(int cacheSeconds, int asked)
    {
        _issuer.Say(Active().ToJsonString());
        using var validator = Validator(options => options with { CacheTime = TimeSpan.FromSeconds(cacheSeconds) });

        for (var login = 0; login < 2; login++)
        {
            await using var ends = await Sockets.ConnectAsync(validator, "opaque");
            ends.Server.Failure.Should().BeNull();
        }

        _issuer.Asked.Should().Be(asked);
        _time.Advance(TimeSpan.FromSeconds(cacheSeconds));
        await using var last = await Sockets.ConnectAsync(validator, "opaque");
        _issuer.Asked.Should().Be(asked + 1);
    }

    [Test]
    public async Task No_more_questions_are_open_than_allowed()
    {
        var (open, most) = (0, 0);
        var gate = new TaskCompletionSource();
        _issuer.Answer = async context =>
        {
            most = Math.Max(most, Interlocked.Increment(ref open));
            await gate.Task;
            Interlocked.Decrement(ref open);
            await context.Response.WriteAsync(Active().ToJsonString());
        };
        using var validator = Validator(options => options with { MaxConcurrent = 2 });

        var all = Enumerable.Range(0, 8).Select(index => validator.ValidateAsync($"opaque{index}", null, default).AsTask()).ToArray();
        gate.SetResult();
        await Task.WhenAll(all).WaitAsync(Sockets.Deadline);

        most.Should().BeLessThanOrEqualTo(2);
        _issuer.Asked.Should().Be(8);
    }

    [Test]
    public async Task Who_asks_as_the_validator_is_disposed_of_has_no_answer_and_no_exception()
    {
        var isAsked = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        _issuer.Answer = context =>
        {
            isAsked.TrySetResult();
            return Task.Delay(Timeout.Infinite, context.RequestAborted);
        };
        var validator = Validator(options => options with
        {
            MaxConcurrent = 1,
            Connection = options.Connection with { Timeout = TimeSpan.FromSeconds(3) },
        });
        var open = validator.ValidateAsync("opaque", null, default).AsTask();
        await isAsked.Task.WaitAsync(Sockets.Deadline);
        var waiting = validator.ValidateAsync("waiting", null, default).AsTask();

        validator.Dispose();
        await using var late = await Sockets.ConnectAsync(validator, "late");

        late.Server.Failure!.Reason.Should().Be(RejectionReason.TokenIssuerUnavailable);
        await Task.WhenAll(open, waiting).WaitAsync(Sockets.Deadline);
    }

    [Test]
    public async Task A_logger_that_throws_changes_no_verdict([Values] LoggersThrow at)
    {
        _issuer.Say("down", status: 503);
        using var validator = Validator(options => options with { LoggerFactory = new ThrowingLoggers(at) });

        await using var ends = await Sockets.ConnectAsync(validator, "opaque");

        ends.Server.Failure!.Reason.Should().Be(RejectionReason.TokenIssuerUnavailable);
    }

    [Test]
    public async Task A_token_that_is_revoked_ends_its_connection_and_an_issuer_that_is_down_does_not()
    {
        _issuer.Say(Active().ToJsonString());
        using var validator = Validator();
        var server = Sockets.Server(validator) with
        {
            Revalidation = new RevalidationPolicy { RecheckInterval = TimeSpan.FromSeconds(1) },
        };
        await using var ends = await Sockets.ConnectAsync(server, Sockets.Client(MutualAuth.Credentials.Login.WithToken("opaque")));
        var connection = ends.Server.Connection!;

        _issuer.Say("down", status: 503);
        await UntilAskedAsync(_issuer.Asked + 2);
        connection.Invalidation.Should().BeNull();

        _issuer.Say("""{"active":false}""");
        await Sockets.NoLongerValidAsync(connection);

        connection.Invalidation!.Rejection.Reason.Should().Be(RejectionReason.TokenNotActive);
    }

    private async Task UntilAskedAsync(int count)
    {
        using var deadline = new CancellationTokenSource(Sockets.Deadline);
        while (_issuer.Asked < count)
        {
            await Task.Delay(10, deadline.Token);
        }
    }

    private static JsonObject Active() => new()
    {
        ["active"] = true,
        ["iss"] = Signer.Issuer,
        ["aud"] = new JsonArray(Signer.Audience),
        ["sub"] = "alice",
        ["scope"] = "invoices:read",
        ["token_type"] = "Bearer",
        ["exp"] = Signer.Now.AddMinutes(10).ToUnixTimeSeconds(),
    };

    private IntrospectionValidator Validator(Func<IntrospectionOptions, IntrospectionOptions>? change = null) =>
        new((change ?? (options => options))(new IntrospectionOptions
        {
            Endpoint = new Uri(_issuer.Address + "/introspect"),
            Connection = _issuer.Connection,
            Credentials = IssuerCredentials.BySecret("service", "a secret"),
            Audiences = [Signer.Audience],
            Issuer = Signer.Issuer,
            RequiredScopes = ["invoices:read"],
            TimeProvider = _time,
        }));
}
