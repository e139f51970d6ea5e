// A cloud service and its clients: workloads known by their SPIFFE IDs, with tokens that are bound to their certificates (RFC 8705).
// Run it:  dotnet run --project samples/CloudClient
// Expect:  a workload that reads; then a stolen token, an unbound one, one that is old, forged or for another service, and a
//          workload of another trust domain: all rejected. At last two whose tokens expire while they are connected: one renews it over the same
//          connection, and the other is ended.
using System.Net;
using System.Security.Cryptography;
using MutualAuth;
using MutualAuth.Connections;
using MutualAuth.Credentials;
using MutualAuth.Samples;
using MutualAuth.Testing;
using MutualAuth.Tokens;

const string Billing = "spiffe://prod.example/billing";
const string Reports = "spiffe://prod.example/reports";
const string Staging = "spiffe://staging.example/billing";
const string Service = "https://invoices.example";

using var authority = new TestAuthority("Workload Authority");
using var service = authority.IssueServer("invoices.test");
using var billing = authority.IssueClient(Billing);
using var reports = authority.IssueClient(Reports);
using var staging = authority.IssueClient(Staging);

// The issuer of tokens has a key of its own; the service has the public half in a file, which it follows.
using var issuerKey = ECDsa.Create(ECCurve.NamedCurves.nistP256);
using var forgersKey = ECDsa.Create(ECCurve.NamedCurves.nistP256);
var issuer = new TokenIssuer("https://tokens.example", issuerKey);
var forger = new TokenIssuer("https://tokens.example", forgersKey);
var keyFile = Path.GetTempFileName();
File.WriteAllText(keyFile, issuer.PublishKeys());
await using var keys = IssuerKeys.FromFile(keyFile);
var tokens = new JwtValidator(new JwtValidatorOptions
{ Issuer = "https://tokens.example", Audiences = [Service], Keys = keys, ClockSkew = TimeSpan.Zero }); // one machine, one clock

var reauthentication = new ReauthenticationServer(); // asks for another token before one expires
using var hasSpoken = new SemaphoreSlim(0); // each story ends on both sides before the next begins
await using var listener = MutualTlsListener.Start(new MutualTlsListenerOptions
{
    EndPoint = new IPEndPoint(IPAddress.Loopback, 0),
    Server = new MutualTlsServer(new MutualTlsServerOptions
    {
        Identity = service.ToIdentity(),
        Trust = authority.ToTrustAnchors(),
        Authorization = Authorize.MemberOf("prod.example"), // by the certificate, before any token is read
        Credentials = Require.CertificateAndUser(SaslServer.BoundTokens(tokens)) with
        {
            Users = UserRules.NamedByTheirCertificate, // the token's subject is the SPIFFE ID of the certificate
        },
        Revalidation = new RevalidationPolicy
        {
            ReauthenticationLead = TimeSpan.FromSeconds(2), // here; a minute is better where tokens last for longer
            OnReauthenticationDue = reauthentication.WhenDue,
            GracePeriod = TimeSpan.FromSeconds(1),
        },
    }),
    OnHandshakeFailed = failure => Tell(failure.Message),
});
_ = ServeAsync();

var token = issuer.Issue(Billing, Service, billing.Certificate, "invoices:read");

Console.WriteLine("1. The billing workload, with a token that was issued to it.");
await CallAsync("billing", billing, token);

Console.WriteLine("2. The token was stolen: out of a log, with another certificate of the same company's.");
await CallAsync("thief", reports, token);

Console.WriteLine("3. The token alone, without any certificate.");
await CallAsync("thief", null, token);

Console.WriteLine("4. The certificate alone, without a token.");
await CallAsync("billing", billing, null);

Console.WriteLine("5. A token that is bound to nothing.");
await CallAsync("billing", billing, issuer.Issue(Billing, Service, boundTo: null, "invoices:read"));

Console.WriteLine("6. A token that has expired.");
await CallAsync("billing", billing, issuer.Issue(Billing, Service, billing.Certificate, "invoices:read", lifetime: TimeSpan.FromHours(-1)));

Console.WriteLine("7. A token for another service.");
await CallAsync("billing", billing, issuer.Issue(Billing, "https://payroll.example", billing.Certificate, "invoices:read"));

Console.WriteLine("8. A token that somebody signed himself.");
await CallAsync("forger", billing, forger.Issue(Billing, Service, billing.Certificate, "invoices:write"));

Console.WriteLine("9. A token in another workload's name, bound to our certificate.");
await CallAsync("reports", reports, issuer.Issue(Billing, Service, reports.Certificate, "invoices:read"));

Console.WriteLine("10. A workload of another trust domain: its token is not even asked for.");
await CallAsync("staging", staging, issuer.Issue(Staging, Service, staging.Certificate, "invoices:read"));
File.Delete(keyFile);

Console.WriteLine("11. A token that expires while the workload is connected, and the workload gets another one in time.");
await using (var renewing = await ConnectAsync("billing", billing, Login.WithToken(_ => new(ShortToken()))))
{
    Console.WriteLine($"   billing: {await renewing.ReadForAsync(TimeSpan.FromSeconds(6))}");
}

Console.WriteLine("12. The same, and nobody answers where it gets its tokens.");
var (onlyToken, wasUsed) = (ShortToken(), false);
await using (var late = await ConnectAsync("billing", billing, Login.WithToken(_ => new(OnceOnly()))))
{
    Console.WriteLine($"   billing: {await late.ReadForAsync(TimeSpan.FromSeconds(20))}");
}

string OnceOnly()
{
    if (wasUsed)
    {
        throw new InvalidOperationException("No issuer answers.");
    }

    wasUsed = true;
    return onlyToken;
}

string ShortToken() => issuer.Issue(Billing, Service, billing.Certificate, "invoices:read", lifetime: TimeSpan.FromSeconds(4));

async Task CallAsync(string who, TestCertificate? workload, string? bearer)
{
    try
    {
        await using var caller = await ConnectAsync(who, workload, bearer is null ? null : Login.WithToken(bearer));
        Console.WriteLine($"   {who}: {await caller.ReadAsync()}");
    }
    catch (HandshakeException failure)
    {
        Console.WriteLine($"   {who}: {failure.Message}");
    }

    await hasSpoken.WaitAsync(TimeSpan.FromSeconds(5));
}

Task<Workload> ConnectAsync(string who, TestCertificate? workload, ClientCredentials? credentials) => Workload.ConnectAsync(
    who,
    new MutualTlsClientOptions
    {
        Identity = workload is null ? ClientIdentity.None : workload.ToIdentity(),
        Trust = authority.ToTrustAnchors(),
        Authorization = Authorize.ServerName,
        Credentials = credentials,
    },
    listener.LocalEndPoint);

void Tell(string text)
{
    Console.WriteLine($"   service: {text}");
    hasSpoken.Release();
}

async Task ServeAsync()
{
    await foreach (var connection in listener.AcceptAllAsync())
    {
        _ = new Session(connection, Tell).ServeAsync(reauthentication);
    }
}
