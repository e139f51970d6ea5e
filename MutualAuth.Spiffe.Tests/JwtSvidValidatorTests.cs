using System.Buffers.Text;
using System.Collections.Immutable;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using Microsoft.Extensions.Time.Testing;
using MutualAuth.Names;
using MutualAuth.Spiffe.Testing;
using MutualAuth.Tests.Support;
using MutualAuth.Tokens;

namespace MutualAuth.Tests;

/// <summary>
/// One right JWT-SVID, and neighbours that each differ from it in one fact. What the server makes of them is seen over real sockets.
/// </summary>
[CancelAfter(120000)]
public sealed class JwtSvidValidatorTests
{
    private const string Audience = "spiffe://example.test/invoices";

    private static readonly FakeTimeProvider s_clock = Clocks.Standing();

    private TestTrustDomain _domain = null!;
    private TestTrustDomain _other = null!;

    [OneTimeSetUp]
    public void Make_the_trust_domains() =>
        (_domain, _other) = (new TestTrustDomain("example.test", s_clock), new TestTrustDomain("other.test", s_clock));

    [OneTimeTearDown]
    public void Dispose_of_the_trust_domains()
    {
        _domain.Dispose();
        _other.Dispose();
    }

    private static TestCaseData Case(
        string name,
        RejectionReason? reason,
        Func<TestTrustDomain, TestTrustDomain, string> token,
        Func<JwtSvidValidatorOptions, JwtSvidValidatorOptions>? change = null) =>
        new TestCaseData(reason, token, change ?? (options => options)).SetName($"JWT-SVID: {name}");

    private static Func<TestTrustDomain, TestTrustDomain, string> With(Action<JsonObject, JsonObject> change) =>
        (domain, _) => domain.IssueJwt("/billing", [Audience], change);

    private static Func<TestTrustDomain, TestTrustDomain, string> Claim(string name, JsonNode? value) =>
        With((_, claims) => Put(claims, name, value));

    private static Func<TestTrustDomain, TestTrustDomain, string> InHeader(string name, JsonNode? value) =>
        With((header, _) => Put(header, name, value));

    private static void Put(JsonObject to, string name, JsonNode? value)
    {
        to.Remove(name);
        if (value is not null)
        {
            to[name] = value.DeepClone();
        }
    }

    private static JsonValue At(int seconds) => JsonValue.Create(s_clock.GetUtcNow().ToUnixTimeSeconds() + seconds);

    public static IEnumerable<TestCaseData> Tokens()
    {
        yield return Case("right", null, (domain, _) => domain.IssueJwt("/billing", [Audience]));
        yield return Case("the type JOSE", null, InHeader("typ", "JOSE"));
        yield return Case("no type", null, InHeader("typ", null));
        yield return Case("the type of an access token", RejectionReason.TokenTypeWrong, InHeader("typ", "at+jwt"));
        yield return Case("the type in lower case", RejectionReason.TokenTypeWrong, InHeader("typ", "jwt"));
        yield return Case("a type that is a number", RejectionReason.TokenTypeWrong, InHeader("typ", 1));
        yield return Case("the algorithm none", RejectionReason.TokenSignatureWrong, InHeader("alg", "none"));
        yield return Case("a shared secret", RejectionReason.TokenSignatureWrong, InHeader("alg", "HS256"));
        yield return Case("no algorithm", RejectionReason.TokenSignatureWrong, InHeader("alg", null));
        yield return Case("an algorithm of another curve", RejectionReason.TokenKeyUnknown, InHeader("alg", "ES384"));
        yield return Case(
            "an algorithm that is not accepted here", RejectionReason.TokenSignatureWrong,
            (domain, _) => domain.IssueJwt("/billing", [Audience]),
            options => options with { Algorithms = ["RS256"] });
        yield return Case("a key of its own", RejectionReason.TokenInvalid, InHeader("jwk", new JsonObject()));
        yield return Case("an address of a key", RejectionReason.TokenInvalid, InHeader("jku", "https://keys.test"));
        yield return Case("critical parameters", RejectionReason.TokenInvalid, InHeader("crit", new JsonArray("exp")));
        yield return Case("a header that the standard does not know", RejectionReason.TokenInvalid, InHeader("x5t", "abc"));
        yield return Case("no key ID, and one key", null, InHeader("kid", null));
        yield return Case("a key ID that no key has", RejectionReason.TokenKeyUnknown, InHeader("kid", "another"));
        yield return Case("a key ID that is a number", RejectionReason.TokenInvalid, InHeader("kid", 1));
        yield return Case("signed by another trust domain", RejectionReason.TokenKeyUnknown,
            (domain, other) => domain.IssueJwt("/billing", [Audience], by: other));
        yield return Case("signed by another trust domain under our key ID", RejectionReason.TokenSignatureWrong,
            (domain, other) => domain.IssueJwt("/billing", [Audience], (header, _) => header["kid"] = "example.test 1", by: other));
        yield return Case("a trust domain without a bundle", RejectionReason.TokenIssuerWrong, Claim("sub", "spiffe://third.test/billing"));
        yield return Case("a trust domain whose bundle is empty", RejectionReason.TokenKeyUnknown, Claim("sub", "spiffe://empty.test/billing"));
        yield return Case("a subject that is no SPIFFE ID", RejectionReason.TokenInvalid, Claim("sub", "billing"));
        yield return Case("a subject that is a trust domain", RejectionReason.TokenInvalid, Claim("sub", "spiffe://example.test"));
        yield return Case("no subject", RejectionReason.TokenInvalid, Claim("sub", null));
        yield return Case("a subject that is a list", RejectionReason.TokenInvalid, Claim("sub", new JsonArray("spiffe://example.test/billing")));
        yield return Case("another workload of the trust domain", RejectionReason.UserNotAllowed, Claim("sub", "spiffe://example.test/payroll"));
        yield return Case(
            "another workload, where all of the trust domain are accepted", null,
            Claim("sub", "spiffe://example.test/payroll"),
            options => options with { Workloads = WorkloadRule.MemberOf("example.test") });
        yield return Case(
            "a workload of a federated trust domain", RejectionReason.UserNotAllowed, (_, other) => other.IssueJwt("/billing", [Audience]));
        yield return Case(
            "a workload of a federated trust domain that is accepted", null,
            (_, other) => other.IssueJwt("/billing", [Audience]),
            options => options with { Workloads = WorkloadRule.AnyOf(options.Workloads, WorkloadRule.SpiffeId("spiffe://other.test/billing")) });
        yield return Case("another audience", RejectionReason.TokenAudienceWrong, Claim("aud", "spiffe://example.test/payroll"));
        yield return Case("an audience with a slash more", RejectionReason.TokenAudienceWrong, Claim("aud", Audience + "/"));
        yield return Case("no audience", RejectionReason.TokenAudienceWrong, Claim("aud", null));
        yield return Case("an empty list of audiences", RejectionReason.TokenAudienceWrong, Claim("aud", new JsonArray()));
        yield return Case("one of several audiences", null, Claim("aud", new JsonArray("x", Audience)));
        yield return Case("no expiry", RejectionReason.TokenInvalid, Claim("exp", null));
        yield return Case("an expiry that is a text", RejectionReason.TokenInvalid, Claim("exp", "never"));
        yield return Case("expired within the skew", null, Claim("exp", At(-59)));
        yield return Case("expired beyond the skew", RejectionReason.TokenNoLongerValid, Claim("exp", At(-60)));
        yield return Case("not valid yet", RejectionReason.TokenNotYetValid, Claim("nbf", At(61)));
        yield return Case("no time of issue, and a near end", null, Claim("iat", null));
        yield return Case("no time of issue, and an end in two days", RejectionReason.TokenInvalid, With((_, claims) =>
        {
            Put(claims, "iat", null);
            Put(claims, "exp", At(172_800));
        }));
        yield return Case("a time of issue that is a text", RejectionReason.TokenInvalid, Claim("iat", "now"));
        yield return Case("issued in the future", RejectionReason.TokenNotYetValid, Claim("iat", At(61)));
        yield return Case("issued two days ago", RejectionReason.TokenNoLongerValid, Claim("iat", At(-172_800)));
        yield return Case("cut off", RejectionReason.TokenInvalid, (domain, _) => domain.IssueJwt("/billing", [Audience]).Split('.')[0] + ".e30");
        yield return Case("no signature", RejectionReason.TokenInvalid, (domain, _) =>
            domain.IssueJwt("/billing", [Audience]) is var token ? token[..(token.LastIndexOf('.') + 1)] : "");
        yield return Case("a changed claim", RejectionReason.TokenSignatureWrong, (domain, _) =>
        {
            var parts = domain.IssueJwt("/other", [Audience]).Split('.');
            return $"{parts[0]}.{domain.IssueJwt("/billing", [Audience]).Split('.')[1]}.{parts[2]}";
        });
        yield return Case("garbage", RejectionReason.TokenInvalid, (_, _) => "garbage");
    }

    [TestCaseSource(nameof(Tokens))]
    public async Task A_token(
        RejectionReason? reason,
        Func<TestTrustDomain, TestTrustDomain, string> token,
        Func<JwtSvidValidatorOptions, JwtSvidValidatorOptions> change)
    {
        var validator = new JwtSvidValidator(change(Options()));

        await using var ends = await Sockets.ConnectAsync(validator, token(_domain, _other));

        ends.Server.Failure?.Rejection!.Reason.Should().Be(reason);
        (ends.Client.Connection is null).Should().Be(reason is not null);
        if (reason is null)
        {
            ends.Server.Connection!.Peer.User!.Name.Should().StartWith("spiffe://");
        }
    }

    [TestCase("RS256")]
    [TestCase("RS384")]
    [TestCase("RS512")]
    [TestCase("PS256")]
    [TestCase("PS384")]
    [TestCase("PS512")]
    [TestCase("ES256")]
    [TestCase("ES384")]
    [TestCase("ES512")]
    public async Task Each_algorithm_of_the_standard_is_verified(string algorithm)
    {
        var (jwk, sign) = Key(algorithm);
        var validator = new JwtSvidValidator(Options() with
        {
            Bundles = JwtBundles.From(KeyValuePair.Create(_domain.Name, JwtBundle.Parse(Set(jwk)))),
        });
        var claims = _domain.IssueJwt("/billing", [Audience]).Split('.')[1];
        var signed = $"{Text(Encoding.UTF8.GetBytes($$"""{"alg":"{{algorithm}}","kid":"k"}"""))}.{claims}";
        var token = $"{signed}.{Text(sign(Encoding.ASCII.GetBytes(signed)))}";
        await using var ends = await Sockets.ConnectAsync(validator, token);
        await using var forged = await Sockets.ConnectAsync(validator, $"{signed}.{Text(sign(Encoding.ASCII.GetBytes(signed + "x")))}");

        ends.Server.Connection!.Peer.User!.Name.Should().Be("spiffe://example.test/billing");
        forged.Server.Failure!.Rejection!.Reason.Should().Be(RejectionReason.TokenSignatureWrong);
    }

    /// <summary>It is a bearer token: a server that demands more takes none.</summary>
    [Test]
    public async Task Where_tokens_must_be_bound_it_is_refused()
    {
        var validator = new JwtSvidValidator(Options());
        var token = _domain.IssueJwt("/billing", [Audience]);
        await using var unbound = await Sockets.ConnectAsync(validator, token);
        await using var bound = await Sockets.ConnectAsync(validator, token, needsBinding: true);

        unbound.Server.Connection.Should().NotBeNull();
        bound.Server.Failure!.Rejection!.Reason.Should().Be(RejectionReason.TokenNotBoundToCertificate);
        bound.Client.Connection.Should().BeNull();
    }

    [TestCase("""{"keys":[]}""", 0, 0)]
    [TestCase("""{"keys":[{"kty":"EC","crv":"P-256","kid":"a","x":"X","y":"Y"}]}""", 1, 0)]
    [TestCase("""{"keys":[{"kty":"EC","crv":"P-256","kid":"a","use":"jwt-svid","x":"X","y":"Y"}]}""", 1, 0)]
    [TestCase("""{"keys":[{"kty":"EC","crv":"P-256","kid":"a","x":"X","y":"Y"},{"kty":"EC","crv":"P-256","use":"x509-svid"}]}""", 1, 1)]
    [TestCase("""{"keys":[{"kty":"EC","crv":"P-256","kid":"a","use":"sig","x":"X","y":"Y"}]}""", -1, 0)]
    [TestCase("""{"keys":[{"kty":"EC","crv":"P-256","kid":"a","use":"JWT-SVID","x":"X","y":"Y"}]}""", -1, 0)]
    [TestCase("""{"keys":[{"kty":"EC","crv":"P-256","kid":"a","use":"x509-svid","x":"X","y":"Y"}]}""", -1, 0)]
    [TestCase("""{"keys":[{"kty":"EC","crv":"P-256","x":"X","y":"Y"}]}""", -1, 0)]
    [TestCase("""{"keys":[{"kty":"EC","crv":"P-256","kid":"a","x":"X","y":"Y","d":"AA"}]}""", -1, 0)]
    [TestCase("""{"keys":[{"kty":"oct","kid":"a","k":"AAAA"}]}""", -1, 0)]
    [TestCase("""{"keys":{}}""", -1, 0)]
    [TestCase("""{"keys":[],"keys":[]}""", -1, 0)]
    [TestCase("[]", -1, 0)]
    [TestCase("", -1, 0)]
    public void Keys_count_that_are_for_jwt_svids_and_have_an_id(string set, int count, int leftOut)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var point = key.ExportParameters(false).Q;
        var octets = Encoding.UTF8.GetBytes(
            set.Replace("\"X\"", $"\"{Text(point.X!)}\"", StringComparison.Ordinal)
                .Replace("\"Y\"", $"\"{Text(point.Y!)}\"", StringComparison.Ordinal));
        var parse = () => JwtBundle.Parse(octets);

        if (count < 0)
        {
            parse.Should().Throw<MaterialException>();
        }
        else
        {
            var bundle = parse();
            (bundle.Count, bundle.LeftOut).Should().Be((count, leftOut));
        }
    }

    [Test]
    public void A_key_set_that_is_too_large_is_not_read()
    {
        var parse = () => JwtBundle.Parse(new byte[262_145]);
        parse.Should().Throw<MaterialException>().WithMessage("*262144*");
    }

    public static IEnumerable<TestCaseData> Problems()
    {
        static TestCaseData Case(string said, Func<JwtSvidValidatorOptions, JwtSvidValidatorOptions> change) =>
            new TestCaseData(change).SetName(said);

        yield return Case("Audiences must hold", options => options with { Audiences = [] });
        yield return Case("Bundles and Workloads must not be null", options => options with { Bundles = null! });
        yield return Case("Bundles and Workloads must not", options => options with { Workloads = null! });
        yield return Case("Algorithms must hold", options => options with { Algorithms = ["HS256"] });
        yield return Case("Algorithms must hold at least one", options => options with { Algorithms = [] });
        yield return Case("MaxTokenAge must be", options => options with { MaxTokenAge = TimeSpan.Zero });
        yield return Case("ClockSkew must be", options => options with { ClockSkew = TimeSpan.FromMinutes(6) });
        yield return Case("TimeProvider must not", options => options with { TimeProvider = null! });
    }

    [TestCaseSource(nameof(Problems))]
    public void A_problem_is_said(Func<JwtSvidValidatorOptions, JwtSvidValidatorOptions> change)
    {
        var make = () => new JwtSvidValidator(change(Options()));
        make.Should().Throw<ArgumentException>().WithMessage($"*{TestContext.CurrentContext.Test.Name}*");
    }

    [Test]
    public async Task A_rule_that_throws_lets_no_workload_in()
    {
        var validator = new JwtSvidValidator(Options() with
        {
            Workloads = WorkloadRule.Where("the register says so", _ => throw new InvalidOperationException("no register")),
        });
        await using var ends = await Sockets.ConnectAsync(validator, _domain.IssueJwt("/billing", [Audience]));

        ends.Server.Connection.Should().BeNull();
        ends.Client.Connection.Should().BeNull();
    }

    private JwtSvidValidatorOptions Options() => new()
    {
        Audiences = [Audience],
        Bundles = JwtBundles.From(
            KeyValuePair.Create(_domain.Name, JwtBundle.Parse(_domain.JwtBundle())),
            KeyValuePair.Create(_other.Name, JwtBundle.Parse(_other.JwtBundle())),
            KeyValuePair.Create(TrustDomain.Parse("empty.test"), JwtBundle.Parse(_other.JwtBundle(newest: 0)))),
        Workloads = WorkloadRule.SpiffeId("spiffe://example.test/billing"),
        TimeProvider = s_clock,
    };

    private static byte[] Set(JsonObject jwk) => Encoding.UTF8.GetBytes(new JsonObject { ["keys"] = new JsonArray(jwk) }.ToJsonString());

    private static string Text(byte[] octets) => Base64Url.EncodeToString(octets);

    private static (JsonObject Jwk, Func<byte[], byte[]> Sign) Key(string algorithm)
    {
        var hash = new HashAlgorithmName("SHA" + algorithm[2..]);
        if (algorithm[0] == 'E')
        {
            var (curve, name) = algorithm switch
            {
                "ES256" => (ECCurve.NamedCurves.nistP256, "P-256"),
                "ES384" => (ECCurve.NamedCurves.nistP384, "P-384"),
                _ => (ECCurve.NamedCurves.nistP521, "P-521"),
            };
            var ecdsa = ECDsa.Create(curve);
            var point = ecdsa.ExportParameters(false).Q;
            return (
                new JsonObject { ["kty"] = "EC", ["crv"] = name, ["kid"] = "k", ["x"] = Text(point.X!), ["y"] = Text(point.Y!) },
                octets => ecdsa.SignData(octets, hash));
        }

        var rsa = RSA.Create(2048);
        var numbers = rsa.ExportParameters(false);
        var padding = algorithm[0] == 'P' ? RSASignaturePadding.Pss : RSASignaturePadding.Pkcs1;
        return (
            new JsonObject { ["kty"] = "RSA", ["kid"] = "k", ["n"] = Text(numbers.Modulus!), ["e"] = Text(numbers.Exponent!) },
            octets => rsa.SignData(octets, hash, padding));
    }
}
