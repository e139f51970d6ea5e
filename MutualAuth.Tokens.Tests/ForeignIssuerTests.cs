using MutualAuth.Credentials;
using MutualAuth.Tests.Support;
using MutualAuth.Tokens;

namespace MutualAuth.Tests;

/// <summary>Tokens of an issuer that is not ours, in a process of its own, whose keys are rotated while it runs.</summary>
public sealed class ForeignIssuerTests
{
    private ForeignIssuer _issuer = null!;

    [SetUp]
    public async Task Start() => _issuer = await ForeignIssuer.StartAsync();

    [TearDown]
    public async Task Stop() => await (_issuer?.DisposeAsync() ?? default);

    [TestCase("https://invoices.test", TestName = "A token that is bound to the workload's certificate logs in: ES256")]
    [TestCase("https://rsa.test", TestName = "A token that is bound to the workload's certificate logs in: RS256")]
    public async Task A_bound_token_logs_in(string resource)
    {
        await using var keys = await KeysAsync();
        await using var tokens = _issuer.Tokens(resource: resource);

        await using var ends = await ConnectAsync(Validator(keys, options => options with { Audiences = [resource] }), tokens);

        var user = ends.Server.Connection!.Peer.User!;
        user.Name.Should().Be("billing");
        user.Proofs.Should().HaveFlag(PeerProofs.ChannelBinding);
        user.Claims.Should().Contain(claim => claim.Type == "scope" && claim.Value == "invoices:read");
    }

    [Test]
    public async Task The_same_token_with_another_certificate_is_refused()
    {
        await using var keys = await KeysAsync();
        await using var tokens = _issuer.Tokens();
        using var thief = Sockets.Authority.IssueClient("billing.test");

        await using var ends = await Sockets.ConnectAsync(
            Sockets.Server(Validator(keys), needsBinding: true), Sockets.Client(Login.WithToken(tokens.GetAsync), thief));

        ends.Server.Failure!.Reason.Should().Be(RejectionReason.TokenNotBoundToCertificate);
        ends.Client.Failure!.TokenError!.Status.Should().Be("invalid_token");
    }

    [Test]
    public async Task A_token_of_a_client_with_a_secret_is_bound_to_nothing()
    {
        await using var keys = await KeysAsync();
        await using var tokens = _issuer.Tokens(IssuerCredentials.BySecret("reports", "a secret of reports"));

        await using (var bound = await ConnectAsync(Validator(keys), tokens))
        {
            bound.Server.Failure!.Reason.Should().Be(RejectionReason.TokenNotBoundToCertificate);
        }

        await using var unbound = await ConnectAsync(Validator(keys), tokens, needsBinding: false);
        unbound.Server.Connection!.Peer.User!.Name.Should().Be("reports");
    }

    [TestCase("audience", RejectionReason.TokenAudienceWrong)]
    [TestCase("issuer", RejectionReason.TokenIssuerWrong)]
    [TestCase("algorithm", RejectionReason.TokenSignatureWrong)]
    [TestCase("scope", RejectionReason.TokenScopeMissing)]
    public async Task A_server_that_expects_another(string fact, RejectionReason reason)
    {
        await using var keys = await KeysAsync();
        await using var tokens = _issuer.Tokens();
        var validator = Validator(keys, options => fact switch
        {
            "audience" => options with { Audiences = ["https://payroll.test"] },
            "issuer" => options with { Issuer = _issuer.Address + "/" },
            "algorithm" => options with { Algorithms = ["RS256"] },
            _ => options with { RequiredScopes = ["invoices:write"] },
        });

        await using var ends = await ConnectAsync(validator, tokens);

        ends.Server.Failure!.Reason.Should().Be(reason);
    }

    [Test]
    public async Task Keys_are_rotated_with_overlap_and_a_key_that_was_removed_signs_no_longer()
    {
        await using var keys = await KeysAsync(options => options with { UnknownKeyInterval = TimeSpan.FromSeconds(1) });
        var validator = Validator(keys);
        await using var tokens = _issuer.Tokens();
        var old = await tokens.GetAsync();

        await _issuer.ChangeAsync("""{"keys":["b","a"]}""");
        tokens.Forget();
        var young = await tokens.GetAsync();
        await AcceptedSoonAsync(validator, young);
        (await ReasonAsync(validator, old)).Should().BeNull("both keys are published");

        await _issuer.ChangeAsync("""{"keys":["c"]}""");
        tokens.Forget();
        await AcceptedSoonAsync(validator, await tokens.GetAsync());
        (await ReasonAsync(validator, old)).Should().Be(RejectionReason.TokenKeyUnknown);
        (await ReasonAsync(validator, young)).Should().Be(RejectionReason.TokenKeyUnknown);
    }

    [Test]
    public async Task A_token_that_expires_ends_the_connection_and_a_new_one_logs_in_again()
    {
        await _issuer.ChangeAsync("""{"lifetime":2}""");
        await using var keys = await KeysAsync();
        await using var tokens = _issuer.Tokens();
        var validator = Validator(keys, options => options with { ClockSkew = TimeSpan.Zero });

        await using var ends = await ConnectAsync(validator, tokens);
        var connection = ends.Server.Connection!;
        await Sockets.NoLongerValidAsync(connection);

        connection.Invalidation!.Rejection.Reason.Should().Be(RejectionReason.TokenExpired);
        await using var again = await ConnectAsync(validator, tokens);
        again.Server.Failure.Should().BeNull("the source got a new token");
    }

    [Test]
    public async Task A_token_that_only_its_issuer_understands_is_asked_about_and_is_refused_once_revoked()
    {
        using var validator = new IntrospectionValidator(new IntrospectionOptions
        {
            Endpoint = new Uri(_issuer.Address + "/token/introspection"),
            Connection = ForeignIssuer.Connection,
            Credentials = IssuerCredentials.BySecret("service", "a secret of the service"),
            Audiences = ["https://opaque.test"],
            Issuer = _issuer.Address,
            User = TokenUser.ClientId,
        });
        await using var tokens = _issuer.Tokens(resource: "https://opaque.test");
        await using (var ends = await ConnectAsync(validator, tokens))
        {
            ends.Server.Failure.Should().BeNull();
            ends.Server.Connection!.Peer.User!.Proofs.Should().HaveFlag(PeerProofs.ChannelBinding);
        }

        await RevokeAsync(await tokens.GetAsync());

        (await ReasonAsync(validator, await tokens.GetAsync())).Should().Be(RejectionReason.TokenNotActive);
    }

    [Test]
    public async Task An_issuer_that_does_not_know_us_says_so()
    {
        await using var tokens = _issuer.Tokens(IssuerCredentials.BySecret("reports", "another secret"));
        var ask = async () => await tokens.GetAsync();

        (await ask.Should().ThrowAsync<TokenIssuerException>()).Which.ErrorCode.Should().Be("invalid_client");
    }

    private async Task RevokeAsync(string token)
    {
        using var handler = new SocketsHttpHandler();
        handler.SslOptions.RemoteCertificateValidationCallback = static (_, _, _, _) => true; // the test's own errand
        handler.SslOptions.ClientCertificateContext = Sockets.ClientCertificate.ToSslContext();
        using var http = new HttpClient(handler);
        using var form = new FormUrlEncodedContent(new Dictionary<string, string> { ["token"] = token, ["client_id"] = "billing" });
        (await http.PostAsync(new Uri(_issuer.Address + "/token/revocation"), form)).EnsureSuccessStatusCode();
    }

    private static async Task AcceptedSoonAsync(ITokenValidator validator, string token)
    {
        using var deadline = new CancellationTokenSource(Sockets.Deadline);
        while (await ReasonAsync(validator, token) is not null)
        {
            await Task.Delay(50, deadline.Token);
        }
    }

    private static async Task<RejectionReason?> ReasonAsync(ITokenValidator validator, string token)
    {
        await using var ends = await Sockets.ConnectAsync(validator, token, needsBinding: true);
        return ends.Server.Failure?.Reason;
    }

    private static Task<Sockets.Ends> ConnectAsync(ITokenValidator validator, TokenSource tokens, bool needsBinding = true) =>
        Sockets.ConnectAsync(Sockets.Server(validator, needsBinding), Sockets.Client(Login.WithToken(tokens.GetAsync)));

    private Task<IssuerKeys> KeysAsync(Func<IssuerKeysOptions, IssuerKeysOptions>? change = null) => IssuerKeys.DiscoverAsync(
        _issuer.Address, (change ?? (options => options))(new IssuerKeysOptions { Connection = ForeignIssuer.Connection }));

    private JwtValidator Validator(IssuerKeys keys, Func<JwtValidatorOptions, JwtValidatorOptions>? change = null) =>
        new((change ?? (options => options))(new JwtValidatorOptions
        {
            Issuer = _issuer.Address,
            Audiences = ["https://invoices.test"],
            Keys = keys,
        }));
}
