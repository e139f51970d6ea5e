using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Time.Testing;
using MutualAuth.Tests.Support;
using MutualAuth.Tokens;

namespace MutualAuth.Tests;

/// <summary>The client's side: a token that is there when it is needed.</summary>
public sealed class TokenSourceTests
{
    private readonly FakeTimeProvider _time = new(Signer.Now);
    private OddIssuer _issuer = null!;

    [SetUp]
    public async Task Start()
    {
        _issuer = await OddIssuer.StartAsync();
        _issuer.Answer = context => context.Response.WriteAsync(
            $$"""{"access_token":"token-{{_issuer.Asked}}","token_type":"bearer","expires_in":100}""");
    }

    [TearDown]
    public async Task Stop() => await _issuer.DisposeAsync();

    [Test]
    public async Task A_hundred_callers_cause_one_request_and_the_token_is_kept()
    {
        await using var source = Source();

        var tokens = await Task.WhenAll(Enumerable.Range(0, 100).Select(_ => source.GetAsync().AsTask())).WaitAsync(Sockets.Deadline);

        tokens.Should().AllBe("token-1");
        (await source.GetAsync()).Should().Be("token-1");
        _issuer.Asked.Should().Be(1);
    }

    [Test]
    public async Task The_next_token_is_asked_for_ahead_and_the_old_one_is_used_meanwhile()
    {
        await using var source = Source();
        await source.GetAsync();
        _time.Advance(TimeSpan.FromSeconds(60));
        (await source.GetAsync()).Should().Be("token-1");
        _issuer.Asked.Should().Be(1);

        _time.Advance(TimeSpan.FromSeconds(16));
        (await source.GetAsync()).Should().Be("token-1");
        await EventuallyAsync(async () => await source.GetAsync() == "token-2");
    }

    [Test]
    public async Task While_requests_fail_the_last_good_token_is_used_until_its_end_and_attempts_are_spaced_out()
    {
        await using var source = Source();
        await source.GetAsync();
        _issuer.Say("""{"error":"invalid_client"}""", status: 401);
        _time.Advance(TimeSpan.FromSeconds(99));
        (await source.GetAsync()).Should().Be("token-1");
        await EventuallyAsync(() => Task.FromResult(_issuer.Asked == 2));
        _time.Advance(TimeSpan.FromSeconds(1));

        var ask = async () => await source.GetAsync();
        var failure = (await ask.Should().ThrowAsync<TokenIssuerException>()).Which;
        (failure.Problem, failure.ErrorCode).Should().Be((TokenIssuerProblem.Refused, "invalid_client"));
        var asked = _issuer.Asked;
        await ask.Should().ThrowAsync<TokenIssuerException>();
        _issuer.Asked.Should().Be(asked, "the pause is not over");
    }

    [TestCase("""{"access_token":"t","token_type":"Bearer"}""", true)]
    [TestCase("""{"access_token":"t","token_type":"DPoP"}""", false)]
    [TestCase("""{"access_token":"t t","token_type":"Bearer"}""", false)]
    [TestCase("""{"token_type":"Bearer"}""", false)]
    [TestCase("""{"access_token":"t","access_token":"u","token_type":"Bearer"}""", false)]
    public async Task An_answer(string answer, bool isGood)
    {
        _issuer.Say(answer);
        await using var source = Source();
        var ask = async () => await source.GetAsync();

        if (isGood)
        {
            (await ask()).Should().Be("t");
        }
        else
        {
            (await ask.Should().ThrowAsync<TokenIssuerException>()).Which.Problem.Should().Be(TokenIssuerProblem.Malformed);
        }
    }

    [Test]
    public async Task A_token_that_was_refused_is_forgotten()
    {
        await using var source = Source();
        await source.GetAsync();

        source.Forget();

        (await source.GetAsync()).Should().Be("token-2");
    }

    [Test]
    public async Task What_is_asked_for_is_as_the_RFCs_say()
    {
        var seen = new TaskCompletionSource<(string? Authorization, IFormCollection Form)>();
        _issuer.Answer = async context =>
        {
            seen.TrySetResult((context.Request.Headers.Authorization, await context.Request.ReadFormAsync()));
            await context.Response.WriteAsync("""{"access_token":"t","token_type":"Bearer","expires_in":60}""");
        };
        await using var source = Source();
        await source.GetAsync();

        var (authorization, form) = await seen.Task.WaitAsync(Sockets.Deadline);
        authorization.Should().Be("Basic " + Convert.ToBase64String("re%3Aports:a+secret"u8));
        (form["grant_type"], form["scope"], form["resource"], form.ContainsKey("client_id"))
            .Should().Be(("client_credentials", "read write", "https://invoices.test", false));
    }

    [Test]
    public async Task A_token_in_a_file_is_followed()
    {
        var file = Path.GetTempFileName();
        try
        {
            await File.WriteAllTextAsync(file, "first\n");
            await using var source = TokenSource.FromFile(file);
            (await source.GetAsync()).Should().Be("first");

            await File.WriteAllTextAsync(file, "second\n");
            await EventuallyAsync(async () => await source.GetAsync() == "second");

            var odd = () => TokenSource.FromFile(Path.GetDirectoryName(file)!);
            odd.Should().Throw<MaterialException>();
        }
        finally
        {
            File.Delete(file);
        }
    }

    private static async Task EventuallyAsync(Func<Task<bool>> condition)
    {
        using var deadline = new CancellationTokenSource(Sockets.Deadline);
        while (!await condition())
        {
            await Task.Delay(5, deadline.Token);
        }
    }

    private TokenSource Source() => TokenSource.ClientCredentials(new ClientCredentialsOptions
    {
        Endpoint = new Uri(_issuer.Address + "/token"),
        Connection = _issuer.Connection,
        Credentials = IssuerCredentials.BySecret("re:ports", "a secret"),
        Scopes = ["read", "write"],
        Resource = new Uri("https://invoices.test"),
        TimeProvider = _time,
    });
}
