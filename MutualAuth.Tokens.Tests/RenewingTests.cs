using Microsoft.Extensions.Time.Testing;
using MutualAuth.Tests.Support;
using MutualAuth.Tokens;

namespace MutualAuth.Tests;

/// <summary>A token of an issuer that a function asks: how often it is asked, and what becomes of one that fails.</summary>
[CancelAfter(60000)]
public sealed class RenewingTests
{
    private readonly FakeTimeProvider _time = new(Signer.Now);

    [Test]
    public async Task A_hundred_logins_at_once_make_one_request()
    {
        var (requests, gate) = (0, new TaskCompletionSource());
        await using var tokens = Source(async stop =>
        {
            Interlocked.Increment(ref requests);
            await gate.Task.WaitAsync(stop);
            return Token("one");
        });

        var logins = Enumerable.Range(0, 100).Select(_ => tokens.GetAsync().AsTask()).ToArray();
        gate.SetResult();

        (await Task.WhenAll(logins).WaitAsync(Sockets.Deadline)).Should().AllBe("one");
        requests.Should().Be(1);
    }

    [Test]
    public async Task Attempts_that_fail_are_spaced_out_and_a_failure_is_told_without_its_text()
    {
        var requests = 0;
        await using var tokens = Source(_ => ++requests == 2
            ? ValueTask.FromResult(Token("good"))
            : throw new InvalidOperationException("secret of the issuer"));

        var get = () => tokens.GetAsync().AsTask().WaitAsync(Sockets.Deadline);
        for (var attempt = 0; attempt < 5; attempt++)
        {
            (await get.Should().ThrowAsync<TokenIssuerException>()).Which.Message.Should().Contain("an issuer").And.NotContain("secret");
        }

        requests.Should().Be(1);
        _time.Advance(TimeSpan.FromSeconds(1));
        (await get()).Should().Be("good");
    }

    /// <summary>It is due for renewal, and its successor with the same dates is due as well.</summary>
    [Test]
    public async Task An_issuer_whose_next_token_ends_no_later_is_not_asked_at_each_login()
    {
        var (requests, begin) = (0, _time.GetUtcNow());
        var tokens = Source(_ => ValueTask.FromResult(
            new IssuedToken(++requests == 1 ? "one" : "two", begin, begin.AddMinutes(5))));
        (await tokens.GetAsync().AsTask().WaitAsync(Sockets.Deadline)).Should().Be("one");
        _time.Advance(TimeSpan.FromMinutes(4));
        using var deadline = new CancellationTokenSource(Sockets.Deadline);
        while (await tokens.GetAsync(deadline.Token) != "two")
        {
            deadline.Token.ThrowIfCancellationRequested();
            await Task.Yield();
        }

        await tokens.GetAsync(deadline.Token);
        await tokens.DisposeAsync(); // waits for what is under way

        requests.Should().Be(2);
    }

    [TestCase("null", TokenIssuerProblem.Malformed)]
    [TestCase("expired", TokenIssuerProblem.Malformed)]
    [TestCase("refused", TokenIssuerProblem.Refused)]
    public async Task What_is_no_token_in_force_is_a_failure(string what, TokenIssuerProblem problem)
    {
        await using var tokens = Source(_ => what switch
        {
            "null" => ValueTask.FromResult<IssuedToken>(null!),
            "expired" => ValueTask.FromResult(new IssuedToken("old", Signer.Now.AddMinutes(-5), Signer.Now)),
            _ => throw new TokenIssuerException(TokenIssuerProblem.Refused, "no workload"),
        });

        var get = () => tokens.GetAsync().AsTask().WaitAsync(Sockets.Deadline);

        (await get.Should().ThrowAsync<TokenIssuerException>()).Which.Problem.Should().Be(problem);
    }

    [Test]
    public async Task Disposal_cancels_what_is_under_way()
    {
        var asked = new TaskCompletionSource();
        var tokens = Source(async stop =>
        {
            asked.SetResult();
            await Task.Delay(Timeout.Infinite, stop);
            return Token("never");
        });
        var getting = tokens.GetAsync().AsTask();
        await asked.Task.WaitAsync(Sockets.Deadline);

        await tokens.DisposeAsync().AsTask().WaitAsync(Sockets.Deadline);

        var get = () => getting.WaitAsync(Sockets.Deadline);
        await get.Should().ThrowAsync<TokenIssuerException>();
        var again = () => tokens.GetAsync().AsTask();
        await again.Should().ThrowAsync<ObjectDisposedException>();
        await tokens.DisposeAsync();
    }

    [TestCase("", 1)]
    [TestCase("a b", 1)]
    [TestCase("a\n", 1)]
    [TestCase("ok", 0)]
    public void What_cannot_be_sent_is_no_token(string text, int minutes)
    {
        var make = () => new IssuedToken(text, Signer.Now, Signer.Now.AddMinutes(minutes));
        make.Should().Throw<ArgumentException>();
        new IssuedToken("secret", Signer.Now, Signer.Now.AddTicks(1)).ToString().Should().NotContain("secret");
    }

    [Test]
    public void Options_that_cannot_be_right_are_said_together()
    {
        var make = () => TokenSource.Renewing(
            _ => throw new InvalidOperationException(),
            new TokenRenewalOptions { Name = " ", RenewAfter = 0, RetryDelay = TimeSpan.Zero, TimeProvider = null! });
        make.Should().Throw<ArgumentException>().WithMessage("*Name*RenewAfter*RetryDelay*TimeProvider*");
    }

    private TokenSource Source(Func<CancellationToken, ValueTask<IssuedToken>> fetch) =>
        TokenSource.Renewing(fetch, new TokenRenewalOptions { Name = "an issuer", TimeProvider = _time });

    private IssuedToken Token(string text) => new(text, _time.GetUtcNow(), _time.GetUtcNow().AddMinutes(5));
}
