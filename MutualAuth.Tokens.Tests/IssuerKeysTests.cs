using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Time.Testing;
using MutualAuth.Names;
using MutualAuth.Pinning;
using MutualAuth.Testing;
using MutualAuth.Tests.Support;
using MutualAuth.Tokens;

namespace MutualAuth.Tests;

/// <summary>Keys that follow their issuer, and an issuer that is down, slow, garbled, another one, or flooded.</summary>
public sealed class IssuerKeysTests
{
    private readonly Signer _a = new("a");
    private readonly Signer _b = new("b");
    private readonly FakeTimeProvider _time = new(Signer.Now);
    private OddIssuer _issuer = null!;

    [SetUp]
    public async Task Start() => _issuer = await OddIssuer.StartAsync();

    [TearDown]
    public async Task Stop() => await _issuer.DisposeAsync();

    [OneTimeTearDown]
    public void Forget()
    {
        _a.Dispose();
        _b.Dispose();
    }

    public static IEnumerable<TestCaseData> Sets()
    {
        static TestCaseData Case(string name, int? count, Func<Signer, Signer, string> set) =>
            new TestCaseData(count, set).SetName($"JWKS: {name}");
        static JsonObject With(Signer signer, string member, JsonNode? value)
        {
            var key = signer.Jwk;
            key[member] = value;
            return key;
        }

        static JsonObject Rsa(int bits)
        {
            using var rsa = System.Security.Cryptography.RSA.Create(bits);
            var numbers = rsa.ExportParameters(false);
            return new JsonObject { ["kty"] = "RSA", ["n"] = Signer.Text(numbers.Modulus!), ["e"] = Signer.Text(numbers.Exponent!) };
        }

        yield return Case("two keys", 2, (a, b) => Signer.Set(a.Jwk, b.Jwk));
        yield return Case("RSA of 2,048 bits beside EC", 2, (a, _) => Signer.Set(a.Jwk, Rsa(2048)));
        yield return Case("RSA of 1,024 bits is left out", 1, (a, _) => Signer.Set(a.Jwk, Rsa(1024)));
        yield return Case("RSA of 1,024 bits alone", null, (_, _) => Signer.Set(Rsa(1024)));
        yield return Case("a key for encryption is left out", 1, (a, b) => Signer.Set(a.Jwk, With(b, "use", "enc")));
        yield return Case("a key for signing only is left out", 1, (a, b) => Signer.Set(a.Jwk, With(b, "key_ops", new JsonArray("sign"))));
        yield return Case("a point off its curve is left out", 1, (a, b) => Signer.Set(a.Jwk, With(b, "y", Signer.Text(new byte[32]))));
        yield return Case("another kind is left out", 1, (a, b) => Signer.Set(a.Jwk, With(b, "kty", "OKP")));
        yield return Case("a private key", null, (a, b) => Signer.Set(a.Jwk, With(b, "d", Signer.Text(new byte[32]))));
        yield return Case("a secret key", null, (a, _) => Signer.Set(a.Jwk, new JsonObject { ["kty"] = "oct", ["k"] = "AAAA" }));
        yield return Case("no keys", null, (_, _) => Signer.Set());
        yield return Case("101 keys", null, (a, _) => Signer.Set(Enumerable.Range(0, 101).Select(_ => a.Jwk)));
        yield return Case("a list", null, (_, _) => "[]");
        yield return Case(
            "a member twice", null, (a, _) => Signer.Set(a.Jwk).Replace("{\"keys\"", "{\"keys\":[],\"keys\"", StringComparison.Ordinal));
        yield return Case("not JSON", null, (_, _) => "keys");
    }

    [TestCaseSource(nameof(Sets))]
    public void A_set_in_a_file(int? count, Func<Signer, Signer, string> set)
    {
        var file = Path.GetTempFileName();
        try
        {
            File.WriteAllText(file, set(_a, _b));
            var open = () => IssuerKeys.FromFile(file);

            if (count is null)
            {
                open.Should().Throw<MaterialException>();
            }
            else
            {
                open().Count.Should().Be(count);
            }
        }
        finally
        {
            File.Delete(file);
        }
    }

    [Test]
    public async Task Keys_that_are_not_pinned_do_not_count()
    {
        _issuer.Say(Signer.Set(_a.Jwk, _b.Jwk));

        await using var keys = await FetchAsync(options => options with { AcceptedThumbprints = [_b.Thumbprint] });

        keys.Thumbprints.Should().Equal(_b.Thumbprint);
    }

    [TestCase("garbage", TokenIssuerProblem.Malformed)]
    [TestCase("{\"keys\":[]}", TokenIssuerProblem.NoUsableKey)]
    [TestCase("long", TokenIssuerProblem.TooLong)]
    [TestCase("slow", TokenIssuerProblem.TimedOut)]
    [TestCase("500", TokenIssuerProblem.Refused)]
    [TestCase("redirect", TokenIssuerProblem.Refused)]
    public async Task What_an_issuer_may_answer_at_the_start(string answer, TokenIssuerProblem problem)
    {
        Misbehave(answer);
        var start = async () => await FetchAsync();

        (await start.Should().ThrowAsync<TokenIssuerException>()).Which.Problem.Should().Be(problem);
        _issuer.Say(Signer.Set(_a.Jwk));
        await using var keys = await FetchAsync();
        keys.Count.Should().Be(1);
    }

    [TestCase(true)]
    [TestCase(false)]
    public async Task An_issuer_is_judged_by_our_trust_and_our_pins(bool byPins)
    {
        _issuer.Say(Signer.Set(_a.Jwk));
        using var stranger = new TestAuthority("Stranger");
        var connection = byPins
            ? _issuer.Connection with { Pins = PinSet.DangerouslyWithoutBackup(SpkiPin.Of(stranger.Certificate)) }
            : _issuer.Connection with { Trust = stranger.ToTrustAnchors() };
        var start = async () => await FetchAsync(options => options with { Connection = connection });

        (await start.Should().ThrowAsync<TokenIssuerException>()).Which.Problem.Should().Be(TokenIssuerProblem.Unreachable);
        _issuer.Asked.Should().Be(0);
    }

    [Test]
    public async Task One_may_start_without_keys_and_nobody_comes_in_until_there_are()
    {
        _issuer.Say("down", status: 503);
        await using var keys = await FetchAsync(options => options with { MayStartWithoutKeys = true });

        await using (var ends = await Sockets.ConnectAsync(Validator(keys), _a.Sign()))
        {
            ends.Server.Failure!.Reason.Should().Be(RejectionReason.TokenIssuerUnavailable);
            ends.Client.Failure!.PeerReason.Should().Be(PublicReason.TryAgainLater);
        }

        _issuer.Say(Signer.Set(_a.Jwk));
        _time.Advance(TimeSpan.FromMinutes(1));
        await using var later = await Sockets.ConnectAsync(Validator(keys), _a.Sign());
        later.Server.Failure.Should().BeNull();
    }

    [Test]
    public async Task A_key_that_is_new_is_fetched_when_a_token_names_it_and_a_flood_of_unknown_ones_fetches_once()
    {
        _issuer.Say(Signer.Set(_a.Jwk));
        await using var keys = await FetchAsync();
        var validator = Validator(keys);
        _issuer.Say(Signer.Set(_b.Jwk, _a.Jwk));
        _time.Advance(TimeSpan.FromSeconds(31));

        await using (var ends = await Sockets.ConnectAsync(validator, _b.Sign()))
        {
            ends.Server.Failure.Should().BeNull();
        }

        _issuer.Asked.Should().Be(2);
        _time.Advance(TimeSpan.FromSeconds(31));
        using var unknown = new Signer("unknown");
        await Task.WhenAll(Enumerable.Range(0, 200).Select(
            index => validator.ValidateAsync(unknown.Sign(Signer.Header($"unknown {index}")), null, default).AsTask())).WaitAsync(Sockets.Deadline);
        _issuer.Asked.Should().Be(3);
    }

    [Test]
    public async Task A_key_that_was_withdrawn_counts_no_longer_after_the_interval()
    {
        _issuer.Say(Signer.Set(_a.Jwk, _b.Jwk));
        await using var keys = await FetchAsync();
        _issuer.Say(Signer.Set(_b.Jwk));
        keys.Count.Should().Be(2);

        await AdvanceUntilAsync(TimeSpan.FromMinutes(10), () => keys.Count == 1);

        await using var ends = await Sockets.ConnectAsync(Validator(keys), _a.Sign());
        ends.Server.Failure!.Reason.Should().Be(RejectionReason.TokenKeyUnknown);
    }

    [TestCase("garbage")]
    [TestCase("long")]
    [TestCase("500")]
    public async Task The_last_good_set_counts_for_its_time_and_not_longer(string answer)
    {
        _issuer.Say(Signer.Set(_a.Jwk));
        await using var keys = await FetchAsync(options => options with { MaxAge = TimeSpan.FromHours(1) });
        Misbehave(answer);

        _time.Advance(TimeSpan.FromHours(1));
        keys.Count.Should().Be(1);

        _time.Advance(TimeSpan.FromSeconds(1));
        keys.Count.Should().Be(0);
    }

    [TestCase("", null)]
    [TestCase("other issuer", TokenIssuerProblem.AnotherIssuer)]
    [TestCase("other host", TokenIssuerProblem.AnotherIssuer)]
    [TestCase("plain http", TokenIssuerProblem.AnotherIssuer)]
    public async Task A_configuration_is_held_to_the_issuer_that_was_asked(string wrong, TokenIssuerProblem? problem)
    {
        var configuration = new JsonObject
        {
            ["issuer"] = wrong == "other issuer" ? Signer.Issuer : _issuer.Address,
            ["jwks_uri"] = wrong switch
            {
                "other host" => "https://elsewhere.test/jwks",
                "plain http" => $"{_issuer.Address}/jwks".Replace("https", "http", StringComparison.Ordinal),
                _ => $"{_issuer.Address}/jwks",
            },
        };
        _issuer.Answer = context => context.Response.WriteAsync(
            context.Request.Path == "/jwks" ? Signer.Set(_a.Jwk) : configuration.ToJsonString());
        var start = async () => await IssuerKeys.DiscoverAsync(_issuer.Address, Options());

        if (problem is null)
        {
            await using var keys = await start();
            keys.Count.Should().Be(1);
        }
        else
        {
            (await start.Should().ThrowAsync<TokenIssuerException>()).Which.Problem.Should().Be(problem);
        }
    }

    [TestCase("http://issuer.test/jwks")]
    [TestCase("https://user@issuer.test/jwks")]
    public async Task Only_https_is_asked(string address)
    {
        var start = async () => await IssuerKeys.FetchAsync(new Uri(address), Options());

        await start.Should().ThrowAsync<ArgumentException>();
    }

    /// <summary>Who hears of keys may move the clock: the time until they are renewed began with them.</summary>
    [Test]
    public async Task What_passes_while_keys_are_told_of_is_not_waited_for_once_more()
    {
        var (asked, isAskedAgain) = (0, new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously));
        var began = _time.GetUtcNow();
        _issuer.Answer = context =>
        {
            if (Interlocked.Increment(ref asked) == 2)
            {
                isAskedAgain.SetResult();
            }

            return context.Response.WriteAsync(Signer.Set(_a.Jwk), context.RequestAborted);
        };
        var log = new FirstEvent(1330, () => _time.Advance(Options().Interval));

        await using var keys = await FetchAsync(options => options with { LoggerFactory = log });
        await isAskedAgain.Task.WaitAsync(Sockets.Deadline);

        _time.GetUtcNow().Should().Be(began + Options().Interval);
    }

    [Test]
    public async Task A_logger_that_throws_keeps_no_keys_from_being_followed([Values] LoggersThrow at)
    {
        _issuer.Say(Signer.Set(_a.Jwk));
        await using var keys = await FetchAsync(options => options with { LoggerFactory = new ThrowingLoggers(at) });

        _issuer.Say(Signer.Set(_a.Jwk, _b.Jwk));
        await AdvanceUntilAsync(TimeSpan.FromMinutes(10), () => keys.Count == 2);
        Misbehave("500");
        await AdvanceUntilAsync(TimeSpan.FromMinutes(1), () => _issuer.Asked > 3);
        _issuer.Say(Signer.Set(_b.Jwk));
        await AdvanceUntilAsync(TimeSpan.FromMinutes(10), () => keys.Count == 1);

        keys.Thumbprints.Should().Equal(_b.Thumbprint);
    }

    private void Misbehave(string answer)
    {
        switch (answer)
        {
            case "long":
                _issuer.Say(Signer.Set(_a.Jwk).PadRight(300_000));
                break;
            case "slow":
                _issuer.Answer = context => Task.Delay(Timeout.Infinite, context.RequestAborted);
                break;
            case "500":
                _issuer.Say(Signer.Set(_a.Jwk), status: 500);
                break;
            case "redirect":
                _issuer.Answer = context =>
                {
                    context.Response.Redirect("/elsewhere");
                    return Task.CompletedTask;
                };
                break;
            default:
                _issuer.Say(answer);
                break;
        }
    }

    private async Task AdvanceUntilAsync(TimeSpan step, Func<bool> condition)
    {
        using var deadline = new CancellationTokenSource(Sockets.Deadline);
        while (!condition())
        {
            deadline.Token.ThrowIfCancellationRequested();
            _time.Advance(step);
            await Task.Delay(5, deadline.Token);
        }
    }

    private Task<IssuerKeys> FetchAsync(Func<IssuerKeysOptions, IssuerKeysOptions>? change = null) =>
        IssuerKeys.FetchAsync(new Uri(_issuer.Address + "/jwks"), (change ?? (options => options))(Options())).WaitAsync(Sockets.Deadline);

    private IssuerKeysOptions Options() => new()
    {
        Connection = _issuer.Connection with { Timeout = TimeSpan.FromSeconds(2) },
        TimeProvider = _time,
    };

    private static JwtValidator Validator(IssuerKeys keys) =>
        new(new JwtValidatorOptions { Issuer = Signer.Issuer, Audiences = [Signer.Audience], Keys = keys });

    /// <summary>Acts on the first event of one number, on the thread that logs it.</summary>
    private sealed class FirstEvent(int id, Action act) : ILoggerFactory, ILogger
    {
        private int _count;

        public ILogger CreateLogger(string categoryName) => this;

        public void AddProvider(ILoggerProvider provider) => throw new NotSupportedException();

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(
            LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            if (eventId.Id == id && Interlocked.Increment(ref _count) == 1)
            {
                act();
            }
        }

        public void Dispose()
        {
        }
    }
}
