using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using Microsoft.Extensions.Time.Testing;
using MutualAuth.Credentials;
using MutualAuth.Testing;
using MutualAuth.Tests.Support;
using MutualAuth.Tokens;

namespace MutualAuth.Tests;

/// <summary>One right token, and neighbours that each differ from it in one fact. What the server makes of them is seen over real sockets.</summary>
public sealed class JwtValidatorTests
{
    private readonly Signer _signer = new();
    private readonly FakeTimeProvider _time = new(Signer.Now);
    private string _folder = null!;
    private IssuerKeys _keys = null!;

    [OneTimeSetUp]
    public void Start()
    {
        _folder = Directory.CreateTempSubdirectory("mutualauth-tokens-").FullName;
        var file = Path.Combine(_folder, "jwks.json");
        File.WriteAllText(file, Signer.Set(_signer.Jwk));
        _keys = IssuerKeys.FromFile(file);
    }

    [OneTimeTearDown]
    public async Task Stop()
    {
        await _keys.DisposeAsync();
        _signer.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    private static TestCaseData Case(
        string name, RejectionReason? reason, Func<Signer, string> token, Func<JwtValidatorOptions, JwtValidatorOptions>? change = null) =>
        new TestCaseData(reason, token, change ?? (options => options)).SetName($"JWT: {name}");

    private static Func<Signer, string> Claim(string name, JsonNode? value) => signer =>
    {
        var claims = Signer.Claims();
        claims[name] = value?.DeepClone();
        return signer.Sign(claims: claims);
    };

    private static Func<Signer, string> Without(string name) => signer =>
    {
        var claims = Signer.Claims();
        claims.Remove(name);
        return signer.Sign(claims: claims);
    };

    private static Func<Signer, string> InHeader(string name, JsonNode? value) => signer =>
    {
        var header = Signer.Header();
        header[name] = value?.DeepClone();
        return signer.Sign(header);
    };

    private static JsonValue At(int seconds) => JsonValue.Create(Signer.Now.ToUnixTimeSeconds() + seconds);

    public static IEnumerable<TestCaseData> Tokens()
    {
        yield return Case("right", null, signer => signer.Sign());
        yield return Case("the long form of the type", null, InHeader("typ", "application/at+jwt"));
        yield return Case("the type JWT", RejectionReason.TokenTypeWrong, InHeader("typ", "JWT"));
        yield return Case("the type JWT where it is accepted", null, InHeader("typ", "JWT"), options => options with { AcceptsTypeJwt = true });
        yield return Case(
            "a logout token where JWT is accepted", RejectionReason.TokenTypeWrong,
            InHeader("typ", "logout+jwt"),
            options => options with { AcceptsTypeJwt = true });
        yield return Case("another issuer", RejectionReason.TokenIssuerWrong, Claim("iss", Signer.Issuer + "/"));
        yield return Case("another audience", RejectionReason.TokenAudienceWrong, Claim("aud", "https://payroll.test"));
        yield return Case("an audience with a slash more", RejectionReason.TokenAudienceWrong, Claim("aud", Signer.Audience + "/"));
        yield return Case("no audience", RejectionReason.TokenAudienceWrong, Without("aud"));
        yield return Case("one of several audiences", null, Claim("aud", new JsonArray("https://payroll.test", Signer.Audience)));
        yield return Case(
            "the second of our names", null,
            Claim("aud", "https://old.test"),
            options => options with { Audiences = [Signer.Audience, "https://old.test"] });
        yield return Case("an audience in a list with a number", RejectionReason.TokenAudienceWrong, Claim("aud", new JsonArray(Signer.Audience, 1)));
        yield return Case("expired within the skew", null, Claim("exp", At(-59)));
        yield return Case("expired beyond the skew", RejectionReason.TokenNoLongerValid, Claim("exp", At(-60)));
        yield return Case("no expiry", RejectionReason.TokenInvalid, Without("exp"));
        yield return Case("an expiry that is a text", RejectionReason.TokenInvalid, Claim("exp", "never"));
        yield return Case("an expiry beyond all dates", RejectionReason.TokenInvalid, Claim("exp", 1e300));
        yield return Case("valid soon, within the skew", null, Claim("nbf", At(60)));
        yield return Case("valid soon, beyond the skew", RejectionReason.TokenNotYetValid, Claim("nbf", At(61)));
        yield return Case("an nbf that is a text", RejectionReason.TokenInvalid, Claim("nbf", "now"));
        yield return Case("issued in the future, within the skew", null, Claim("iat", At(60)));
        yield return Case("issued in the future, beyond the skew", RejectionReason.TokenNotYetValid, Claim("iat", At(61)));
        yield return Case("issued a day ago, within the skew", null, Claim("iat", At(-86_400 - 60)));
        yield return Case("issued more than a day ago", RejectionReason.TokenNoLongerValid, Claim("iat", At(-86_400 - 61)));
        yield return Case("no time of issue", RejectionReason.TokenInvalid, Without("iat"));
        yield return Case("no subject", RejectionReason.TokenInvalid, Without("sub"));
        yield return Case("no subject, and the client is the user", null, Without("sub"), options => options with { User = TokenUser.ClientId });
        yield return Case(
            "the scope that is required", null,
            signer => signer.Sign(),
            options => options with { RequiredScopes = ["invoices:read"] });
        yield return Case(
            "a scope missing", RejectionReason.TokenScopeMissing,
            Claim("scope", "invoices:list"),
            options => options with { RequiredScopes = ["invoices:read"] });
        yield return Case(
            "a scope of which the required one is a part", RejectionReason.TokenScopeMissing,
            Claim("scope", "invoices:readers"),
            options => options with { RequiredScopes = ["invoices:read"] });
        yield return Case("no scope, and none required", null, Without("scope"));
        yield return Case("the role that is required", null, signer => signer.Sign(), options => options with { RequiredRoles = ["reader"] });
        yield return Case(
            "a role missing", RejectionReason.TokenScopeMissing,
            Without("roles"),
            options => options with { RequiredRoles = ["reader"] });
        yield return Case(
            "65 roles", RejectionReason.TokenInvalid,
            Claim("roles", new JsonArray([.. Enumerable.Range(0, 65).Select(index => (JsonNode)$"{index}")])));
        yield return Case("a key ID that nobody has", RejectionReason.TokenKeyUnknown, InHeader("kid", "b"));
        yield return Case("a key ID that is a number", RejectionReason.TokenInvalid, InHeader("kid", 1));
        yield return Case("no key ID, and one key", null, signer =>
        {
            var header = Signer.Header();
            header.Remove("kid");
            return signer.Sign(header);
        });
        yield return Case("another key of the same ID", RejectionReason.TokenSignatureWrong, _ =>
        {
            using var other = new Signer();
            return other.Sign();
        });
        yield return Case("claims changed after signing", RejectionReason.TokenSignatureWrong, signer =>
        {
            var parts = signer.Sign().Split('.');
            parts[1] = Signer.Text(Encoding.UTF8.GetBytes(Signer.Claims().ToJsonString().Replace("alice", "carol", StringComparison.Ordinal)));
            return string.Join('.', parts);
        });
        yield return Case("no signature, algorithm none", RejectionReason.TokenInvalid, signer => Unsigned("none", string.Empty, signer));
        yield return Case("a signature, algorithm none", RejectionReason.TokenSignatureWrong, signer => Unsigned("none", "AAAA", signer));
        yield return Case("algorithm None", RejectionReason.TokenSignatureWrong, signer => Unsigned("None", "AAAA", signer));
        yield return Case("HS256 with the public key", RejectionReason.TokenSignatureWrong, signer =>
        {
            var signed = string.Join('.', Unsigned("HS256", "x", signer).Split('.')[..2]);
            var key = Encoding.UTF8.GetBytes(Signer.Set(signer.Jwk));
            return $"{signed}.{Signer.Text(HMACSHA256.HashData(key, Encoding.ASCII.GetBytes(signed)))}";
        });
        yield return Case("ES384 with a key on P-256", RejectionReason.TokenKeyUnknown, InHeader("alg", "ES384"));
        yield return Case(
            "an algorithm that is known and not accepted", RejectionReason.TokenSignatureWrong,
            signer => signer.Sign(),
            options => options with { Algorithms = ["RS256"] });
        yield return Case(
            "a signature of zeros", RejectionReason.TokenSignatureWrong,
            signer => $"{signer.Sign()[..signer.Sign().LastIndexOf('.')]}.{Signer.Text(new byte[64])}");
        yield return Case("critical parameters", RejectionReason.TokenInvalid, InHeader("crit", new JsonArray("exp")));
        yield return Case("a key of its own", RejectionReason.TokenInvalid, signer => InHeader("jwk", signer.Jwk)(signer));
        yield return Case("an address of keys", RejectionReason.TokenInvalid, InHeader("jku", "https://issuer.test/keys"));
        yield return Case("an address of certificates", RejectionReason.TokenInvalid, InHeader("x5u", "https://issuer.test/chain"));
        yield return Case("nested", RejectionReason.TokenInvalid, InHeader("cty", "JWT"));
        yield return Case("encrypted, of five parts", RejectionReason.TokenInvalid, signer => signer.Sign() + ".AAAA.AAAA");
        yield return Case("one part", RejectionReason.TokenInvalid, _ => "opaque");
        yield return Case("a claim twice", RejectionReason.TokenInvalid, signer => signer.SignTexts(
            Signer.Header().ToJsonString(), Signer.Claims().ToJsonString().Replace("{", """{"sub":"carol",""", StringComparison.Ordinal)));
        yield return Case("a header parameter twice", RejectionReason.TokenInvalid, signer => signer.SignTexts(
            Signer.Header().ToJsonString().Replace("{", """{"alg":"none",""", StringComparison.Ordinal), Signer.Claims().ToJsonString()));
        yield return Case("claims that are a list", RejectionReason.TokenInvalid, signer => signer.SignTexts(Signer.Header().ToJsonString(), "[]"));
        yield return Case("nested nine deep", RejectionReason.TokenInvalid, signer => signer.SignTexts(
            Signer.Header().ToJsonString(), Signer.Claims().ToJsonString()[..^1] + ",\"x\":[[[[[[[[1]]]]]]]]}"));
    }

    private static string Unsigned(string algorithm, string signature, Signer signer)
    {
        var header = Signer.Header(signer.Kid);
        header["alg"] = algorithm;
        var parts = signer.Sign(header).Split('.');
        return $"{parts[0]}.{parts[1]}.{signature}";
    }

    [TestCaseSource(nameof(Tokens))]
    public async Task A_token(RejectionReason? reason, Func<Signer, string> token, Func<JwtValidatorOptions, JwtValidatorOptions> change)
    {
        var validator = new JwtValidator(change(Options()));

        await using var ends = await Sockets.ConnectAsync(validator, token(_signer));

        (ends.Server.Failure?.Reason).Should().Be(reason);
        (ends.Client.Failure is null).Should().Be(reason is null);
    }

    [Test]
    public async Task What_a_good_token_says_is_handed_on()
    {
        await using var ends = await Sockets.ConnectAsync(new JwtValidator(Options()), _signer.Sign());

        var user = ends.Server.Connection!.Peer.User!;
        (user.Name, user.NotAfter).Should().Be(("alice", Signer.Now.AddMinutes(11)), "exp, and the skew");
        user.Claims.Select(claim => (claim.Type, claim.Value)).Should().Contain(
            [("iss", Signer.Issuer), ("client_id", "billing"), ("scope", "invoices:read"), ("scope", "invoices:list"), ("roles", "reader")]);
    }

    [TestCase("invoices:read", null, null)]
    [TestCase("invoices:write", "insufficient_scope", "invoices:write")]
    public async Task A_client_learns_which_scope_it_needs(string required, string? status, string? scope)
    {
        var configuration = "https://issuer.test/.well-known/openid-configuration";
        var validator = new JwtValidator(Options() with { RequiredScopes = [required], OpenIdConfiguration = configuration });

        await using var ends = await Sockets.ConnectAsync(validator, _signer.Sign());

        var told = ends.Client.Failure?.TokenError;
        (told?.Status, told?.Scope, told?.OpenIdConfiguration).Should().Be((status, scope, status is null ? null : configuration));
        (ends.Client.Failure?.PeerReason).Should().Be(status is null ? null : PublicReason.CredentialsWrong);
    }

    [TestCase(true, null)]
    [TestCase(false, RejectionReason.TokenNotBoundToCertificate)]
    public async Task A_token_is_bound_to_the_certificate_in_its_cnf(bool isOurs, RejectionReason? reason)
    {
        using var other = Sockets.Authority.IssueClient("client.test");
        var bound = Signer.Text((isOurs ? Sockets.ClientCertificate : other).Certificate.GetCertHash(HashAlgorithmName.SHA256));
        var claims = Signer.Claims();
        claims["cnf"] = new JsonObject { ["x5t#S256"] = bound };

        await using var ends = await Sockets.ConnectAsync(new JwtValidator(Options()), _signer.Sign(claims: claims), needsBinding: true);

        (ends.Server.Failure?.Reason).Should().Be(reason);
    }

    [Test]
    public async Task A_token_without_a_cnf_is_refused_where_it_must_be_bound()
    {
        await using var ends = await Sockets.ConnectAsync(new JwtValidator(Options()), _signer.Sign(), needsBinding: true);

        (ends.Server.Failure?.Reason).Should().Be(RejectionReason.TokenNotBoundToCertificate);
    }

    private JwtValidatorOptions Options() => new()
    {
        Issuer = Signer.Issuer,
        Audiences = [Signer.Audience],
        Keys = _keys,
        TimeProvider = _time,
    };
}
