using MutualAuth.Credentials;
using MutualAuth.Errors;
using MutualAuth.Tests.Support;

namespace MutualAuth.Tests.Credentials.Mechanisms;

/// <summary>What a client is told of its token (RFC 7628 §3.2.2), and what it believes of that.</summary>
public sealed class TokenErrorTests
{
    private const string Configuration = "https://issuer.test/.well-known/openid-configuration";

    [Test]
    public void All_that_is_said_arrives()
    {
        var error = new TokenError { Status = TokenError.InsufficientScope, Scope = "read write", OpenIdConfiguration = Configuration };

        TokenErrorJson.Read(TokenErrorJson.Write(error)).Should().Be(error);
        TokenErrorJson.Read(TokenErrorJson.Write(new TokenError())).Should().Be(new TokenError());
    }

    [TestCase("{\"status\":\"invalid_token\"}", "invalid_token", null, null)]
    [TestCase("{\"status\":\"invalid_token\",\"scope\":\"a b\",\"more\":{\"x\":[1]}}", "invalid_token", "a b", null)]
    [TestCase("{\"status\":\"invalid_token\",\"scope\":\"a  b\"}", "invalid_token", null, null)]
    [TestCase("{\"status\":\"invalid_token\",\"scope\":\"a\\u001b[31m\"}", "invalid_token", null, null)]
    [TestCase("{\"status\":\"invalid_token\",\"openid-configuration\":\"http://issuer.test\"}", "invalid_token", null, null)]
    [TestCase("{\"status\":\"invalid_token\",\"openid-configuration\":\"https://issuer.test/c\"}", "invalid_token", null, "https://issuer.test/c")]
    [TestCase("{\"status\":\"Invalid Token\"}", null, null, null)]
    [TestCase("{\"status\":\"a\",\"status\":\"b\"}", null, null, null)]
    [TestCase("{\"status\":\"\\ud800\"}", null, null, null)]
    [TestCase("{\"scope\":\"a\"}", null, null, null)]
    [TestCase("[]", null, null, null)]
    [TestCase("", null, null, null)]
    public void What_a_server_may_say(string text, string? status, string? scope, string? configuration)
    {
        var read = TokenErrorJson.Read(Sasl.Utf8(text));

        (read?.Status, read?.Scope, read?.OpenIdConfiguration).Should().Be((status, scope, configuration));
    }

    [TestCase(8192, true)]
    [TestCase(8193, false)]
    public void Its_words_are_bounded(int length, bool isRead) =>
        (TokenErrorJson.Read(Sasl.Utf8("{\"status\":\"invalid_token\"}".PadRight(length))) is not null).Should().Be(isRead);

    [TestCase(RejectionReason.TokenInvalid, true)]
    [TestCase(RejectionReason.TokenNoLongerValid, true)]
    [TestCase(RejectionReason.TokenNotActive, true)]
    [TestCase(RejectionReason.TokenIssuerUnavailable, false)]
    [TestCase(RejectionReason.CertificateRevoked, false)]
    public void A_verdict_has_a_reason_for_tokens(RejectionReason reason, bool isOne)
    {
        var make = () => TokenVerdict.Invalid("a", "b", new TokenError(), reason);

        if (isOne)
        {
            make().Rejection!.Reason.Should().Be(reason);
        }
        else
        {
            make.Should().Throw<ArgumentOutOfRangeException>();
        }
    }

    [Test]
    public void What_an_operator_writes_is_checked()
    {
        var status = () => new TokenError { Status = "Not one" };
        var scope = () => new TokenError { Scope = "\"" };
        var configuration = () => new TokenError { OpenIdConfiguration = "ftp://issuer.test" };

        status.Should().Throw<ArgumentException>();
        scope.Should().Throw<ArgumentException>();
        configuration.Should().Throw<ArgumentException>();
    }
}
