using System.Buffers.Text;
using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Time.Testing;
using MutualAuth.Credentials;
using MutualAuth.Identities;
using MutualAuth.Testing;
using MutualAuth.Tests.Support;
using MutualAuth.Tokens;

namespace MutualAuth.Tests;

/// <summary>
/// Tokens that are bound to our certificate (RFC 8705), while that is replaced: each connection sends the one for the certificate that it has shown.
/// </summary>
[CancelAfter(60000)]
public sealed class BoundTokenTests
{
    private const string Unbound = "unbound";

    private readonly FakeTimeProvider _time = new(DateTimeOffset.UtcNow);
    private OddIssuer _issuer = null!;
    private TestCertificate _next = null!;
    private ReplaceableIdentity _identity = null!;
    private TokenSource _source = null!;

    [SetUp]
    public async Task Start()
    {
        _issuer = await OddIssuer.StartAsync();
        _issuer.Answer = context => context.Response.WriteAsync(
            $$"""{"access_token":"{{ThumbprintOf(context.Connection.ClientCertificate!)}}","token_type":"Bearer","expires_in":100}""");
        _next = Sockets.Authority.IssueClient("billing.test");
        _identity = new ReplaceableIdentity(Sockets.ClientCertificate.ToIdentity());
        _source = Source();
    }

    [TearDown]
    public async Task Stop()
    {
        await _source.DisposeAsync();
        _next.Dispose();
        await _issuer.DisposeAsync();
    }

    [Test]
    public async Task A_connection_that_shows_the_certificate_of_before_sends_the_token_of_before(
        [Values] bool forTheConnection, [Values] bool isKept)
    {
        if (isKept)
        {
            await _source.GetAsync();
        }

        await using var ends = await ConnectAsync((context, cancellationToken) =>
        {
            // TLS is complete; what it has shown is replaced now.
            context.OwnIdentity!.Certificate.Should().Be(_identity.Current.Certificate);
            _identity.Replace(_next.ToIdentity());
            return forTheConnection ? _source.GetForAsync(context, cancellationToken) : _source.GetAsync(cancellationToken);
        });

        if (forTheConnection)
        {
            ends.Server.Connection!.Peer.User!.Name.Should().Be("billing");
            _issuer.Asked.Should().Be(1, "a token that is there is used");
        }
        else
        {
            ends.Server.Failure!.Reason.Should().Be(RejectionReason.TokenNotBoundToCertificate);
        }
    }

    [Test]
    public async Task The_next_connection_sends_one_for_the_certificate_of_now()
    {
        await using (var before = await ConnectAsync(_source.GetForAsync))
        {
            before.Server.Connection!.Peer.User!.Name.Should().Be("billing");
        }

        _identity.Replace(_next.ToIdentity());

        await using var after = await ConnectAsync(_source.GetForAsync);
        after.Server.Connection!.Peer.User!.Name.Should().Be("billing");
        _issuer.Asked.Should().Be(2);
        (await _source.GetAsync()).Should().Be(ThumbprintOf(_next.Certificate));
    }

    [Test]
    public async Task The_tokens_of_four_certificates_are_kept_and_the_one_used_longest_ago_makes_room()
    {
        var certificates = Enumerable.Range(0, 5).Select(_ => Sockets.Authority.IssueClient("billing.test")).ToArray();
        foreach (var certificate in certificates)
        {
            _identity.Replace(certificate.ToIdentity());
            (await _source.GetAsync()).Should().Be(ThumbprintOf(certificate.Certificate));
        }

        _issuer.Asked.Should().Be(5);
        foreach (var certificate in certificates[1..])
        {
            _identity.Replace(certificate.ToIdentity());
            (await _source.GetAsync()).Should().Be(ThumbprintOf(certificate.Certificate));
        }

        _issuer.Asked.Should().Be(5);
        _identity.Replace(certificates[0].ToIdentity());
        await _source.GetAsync();
        _issuer.Asked.Should().Be(6);
        Array.ForEach(certificates, certificate => certificate.Dispose());
    }

    [Test]
    public async Task While_the_issuer_refuses_the_new_certificate_connections_of_before_still_have_their_token()
    {
        var before = await _source.GetAsync();
        _identity.Replace(_next.ToIdentity());
        _issuer.Say("""{"error":"invalid_client"}""", status: 401);

        var ask = async () => await _source.GetAsync();
        (await ask.Should().ThrowAsync<TokenIssuerException>()).Which.ErrorCode.Should().Be("invalid_client");

        _identity.Replace(Sockets.ClientCertificate.ToIdentity());
        (await _source.GetAsync()).Should().Be(before);
    }

    /// <summary>The same certificate may come again with what was missing beside it, or with its key in a session that works.</summary>
    [Test]
    public async Task A_token_is_renewed_with_the_identity_of_now_also_where_the_certificate_is_the_same()
    {
        using var issuing = Sockets.Authority.IssueIntermediate("Issuing");
        using var client = issuing.IssueClient("billing.test");
        _identity.Replace(Identity.From(client.Certificate));
        var token = await _source.GetAsync();
        _issuer.IntermediatesShown.Should().Be(0);

        _identity.Replace(client.ToIdentity());
        (await _source.GetAsync()).Should().Be(token);
        _issuer.Asked.Should().Be(1, "the token that is there is bound to the same certificate");
        _time.Advance(TimeSpan.FromSeconds(100));
        await _source.GetAsync();

        (_issuer.Asked, _issuer.IntermediatesShown).Should().Be((2, 1));
    }

    [Test]
    public async Task A_connection_of_before_asks_for_its_token_with_the_chain_of_now()
    {
        using var issuing = Sockets.Authority.IssueIntermediate("Issuing");
        using var client = issuing.IssueClient("billing.test");
        _identity.Replace(client.ToIdentity());

        await using var ends = await ConnectAsync((context, cancellationToken) =>
        {
            _identity.Replace(Identity.From(client.Certificate));
            return _source.GetForAsync(context, cancellationToken);
        });

        ends.Server.Connection!.Peer.User!.Name.Should().Be("billing");
        _issuer.IntermediatesShown.Should().Be(0);
    }

    [Test]
    public async Task Forgetting_forgets_the_tokens_of_all_certificates()
    {
        await _source.GetAsync();
        _identity.Replace(_next.ToIdentity());
        await _source.GetAsync();

        _source.Forget();

        await _source.GetAsync();
        _identity.Replace(Sockets.ClientCertificate.ToIdentity());
        await _source.GetAsync();
        _issuer.Asked.Should().Be(4);
    }

    [Test]
    public async Task A_callback_on_a_connection_that_shows_nothing_has_no_certificate()
    {
        Identity? shown = _identity.Current;
        var options = Options((context, _) =>
        {
            shown = context.OwnIdentity;
            return ValueTask.FromResult(Unbound);
        });
        var client = new MutualTlsClient(options with { DangerousAllowServersThatAskForNoCertificate = true });
        var server = Sockets.Server(new ByThumbprint()) with { Credentials = Require.User(SaslServer.DangerouslyUnboundTokens(new ByThumbprint())) };

        await using var ends = await Sockets.ConnectAsync(server, client);

        ends.Server.Connection!.Peer.User!.Name.Should().Be("billing");
        shown.Should().BeNull();
    }

    private Task<Sockets.Ends> ConnectAsync(Func<SaslClientContext, CancellationToken, ValueTask<string>> token) =>
        Sockets.ConnectAsync(Sockets.Server(new ByThumbprint(), needsBinding: true), new MutualTlsClient(Options(token)));

    private MutualTlsClientOptions Options(Func<SaslClientContext, CancellationToken, ValueTask<string>> token) => new()
    {
        Identity = _identity,
        Trust = Sockets.Authority.ToTrustAnchors(),
        Authorization = Authorize.ServerName,
        Credentials = Login.WithToken(token),
    };

    private TokenSource Source() => TokenSource.ClientCredentials(new ClientCredentialsOptions
    {
        Endpoint = new Uri(_issuer.Address + "/token"),
        Connection = _issuer.Connection with { Identity = _identity },
        Credentials = IssuerCredentials.ByCertificate("billing"),
        TimeProvider = _time,
    });

    private static string ThumbprintOf(X509Certificate2 certificate) => Base64Url.EncodeToString(SHA256.HashData(certificate.RawData));

    /// <summary>Takes each token but one for the thumbprint of the certificate that it is bound to.</summary>
    private sealed class ByThumbprint : ITokenValidator
    {
        public ValueTask<TokenVerdict> ValidateAsync(string token, IPAddress? remoteAddress, CancellationToken cancellationToken) =>
            ValueTask.FromResult(TokenVerdict.Valid("billing", token == Unbound ? null : $$"""{"x5t#S256":"{{token}}"}"""));
    }
}
