// A cloud service and its clients: both sides are known by their SPIFFE IDs, which each takes from an agent, and follow its rotation while they run;
// clients have tokens that are bound to their certificates (RFC 8705).
// Run it:  dotnet run --project samples/CloudClient
// Expect:  a workload that reads; then a stolen token, an unbound one, one that is old, forged or for another service, a workload of another trust
//          domain, and two that are not the service and say they are: all rejected. Then tokens that expire while their workloads are connected: who
//          renews stays, and who does not is ended. At last a certificate that is replaced under open connections: they stay until it expires.
// What it leaves out: the agents are those for tests, and give every caller what they have; SPIRE's finds out who asks. The issuer is a class that
//          signs; a program uses TokenSource.ClientCredentials with Login.WithToken(source.GetForAsync), and the issuer authenticates the workload
//          by its certificate. The story sets the clock of service and issuer forward. The authority is not replaced.
using System.Net;
using System.Security.Cryptography;
using Microsoft.Extensions.Time.Testing;
using MutualAuth;
using MutualAuth.Connections;
using MutualAuth.Credentials;
using MutualAuth.Samples;
using MutualAuth.Spiffe;
using MutualAuth.Spiffe.Testing;
using MutualAuth.Testing;
using MutualAuth.Tokens;

const string Billing = "spiffe://prod.example/billing", Reports = "spiffe://prod.example/reports", Invoices = "spiffe://prod.example/invoices";
const string Staging = "spiffe://staging.example/billing", StagingInvoices = "spiffe://staging.example/invoices";
const string Service = "https://invoices.example";

var clock = new FakeTimeProvider(DateTimeOffset.UtcNow);
using var domain = new TestTrustDomain("prod.example");
using var stagingDomain = new TestTrustDomain("staging.example");

// An agent beside each of the two programs gives it its certificate, and the authorities of the trust domain.
await using var agentOfService = await FakeWorkloadApi.StartAsync(domain.Update("/invoices"));
await using var agentOfBilling = await FakeWorkloadApi.StartAsync(domain.Update("/billing"));
await using var service = await FollowAsync(agentOfService);
await using var billing = await FollowAsync(agentOfBilling);

// The others appear once each, and have their certificates from the same authorities.
using var reports = domain.Authority.IssueClient(Reports);
using var staging = stagingDomain.Authority.IssueClient(Staging);

// The issuer of tokens has a key of its own; the service has the public half in a file, which it follows.
using var issuerKey = ECDsa.Create(ECCurve.NamedCurves.nistP256);
using var forgersKey = ECDsa.Create(ECCurve.NamedCurves.nistP256);
var issuer = new TokenIssuer("https://tokens.example", issuerKey, clock);
var forger = new TokenIssuer("https://tokens.example", forgersKey, clock);
var keyFile = Path.GetTempFileName();
File.WriteAllText(keyFile, issuer.PublishKeys());
await using var keys = IssuerKeys.FromFile(keyFile);
var tokens = new JwtValidator(new JwtValidatorOptions
{ Issuer = "https://tokens.example", Audiences = [Service], Keys = keys, TimeProvider = clock, ClockSkew = TimeSpan.Zero }); // one machine, one clock

var reauthentication = new ReauthenticationServer(); // asks for another token before one expires
var demands = new MutualTlsServerOptions
{
    Identity = service.Identity,
    Trust = service.Trust,
    Authorization = Authorize.MemberOf("prod.example"), // by the certificate, before any token is read
    Credentials = Require.CertificateAndUser(SaslServer.BoundTokens(tokens)) with
    {
        Users = UserRules.NamedByTheirCertificate, // the token's subject is the SPIFFE ID of the certificate
    },
    Revalidation = new RevalidationPolicy { OnReauthenticationDue = reauthentication.WhenDue }, // a minute before a token expires
    TimeProvider = clock,
};
using var hasSpoken = new SemaphoreSlim(0); // each story ends on both sides before the next begins
await using var invoices = InvoiceService.Open(demands, reauthentication, text => Tell("service", text));
await using var impostor = InvoiceService.Open(
    demands with { Identity = domain.Authority.IssueServer(Reports).ToIdentity() }, reauthentication, text => Tell("impostor", text));
await using var stranger = InvoiceService.Open(
    demands with { Identity = stagingDomain.Authority.IssueServer(StagingInvoices).ToIdentity() }, reauthentication, text => Tell("stranger", text));

var own = ClientIdentity.From(billing.Identity);
var first = billing.Current.Identity.Certificate.RawData;
var token = issuer.Issue(Billing, Service, first, "invoices:read");

Console.WriteLine("1. The billing workload, with a token that was issued to it.");
await CallAsync("billing", own, token);

Console.WriteLine("2. The token was stolen: out of a log, with another certificate of the same company's.");
await CallAsync("thief", reports.ToIdentity(), token);

Console.WriteLine("3. The token alone, without any certificate.");
await CallAsync("thief", ClientIdentity.None, token);

Console.WriteLine("4. The certificate alone, without a token.");
await CallAsync("billing", own, null);

Console.WriteLine("5. A token that is bound to nothing.");
await CallAsync("billing", own, issuer.Issue(Billing, Service, boundTo: null, "invoices:read"));

Console.WriteLine("6. A token that has expired.");
await CallAsync("billing", own, issuer.Issue(Billing, Service, first, "invoices:read", lifetime: TimeSpan.FromHours(-1)));

Console.WriteLine("7. A token for another service.");
await CallAsync("billing", own, issuer.Issue(Billing, "https://payroll.example", first, "invoices:read"));

Console.WriteLine("8. A token that somebody signed himself.");
await CallAsync("forger", own, forger.Issue(Billing, Service, first, "invoices:write"));

Console.WriteLine("9. A token in another workload's name, bound to our certificate.");
await CallAsync("reports", reports.ToIdentity(), issuer.Issue(Billing, Service, reports.RawCertificate, "invoices:read"));

Console.WriteLine("10. A workload of another trust domain: its token is not even asked for.");
await CallAsync("staging", staging.ToIdentity(), issuer.Issue(Staging, Service, staging.RawCertificate, "invoices:read"));
File.Delete(keyFile);

Console.WriteLine("11. Another workload of the trust domain answers in the place of the service: billing leaves, and shows no token.");
await CallAsync("billing", own, token, impostor);

Console.WriteLine("12. One with the service's path, of another trust domain.");
await CallAsync("billing", own, token, stranger);

Console.WriteLine("13. A token that expires while the workload is connected, and the workload gets another one in time.");
await using (var renewing = await ConnectAsync(own, Login.WithToken(ForWhatWasShown)))
{
    Console.WriteLine($"   billing: {await renewing.ReadAsync()}");
    clock.Advance(TimeSpan.FromMinutes(9));
    Console.WriteLine($"   billing: {await renewing.RenewAsync()}");
    clock.Advance(TimeSpan.FromMinutes(5));
    Console.WriteLine($"   billing: still connected, {await renewing.ReadAsync()}");
}

Console.WriteLine("14. The same, and nobody answers where it gets its tokens.");
var (onlyToken, wasUsed) = (issuer.Issue(Billing, Service, first, "invoices:read"), false);
await using (var late = await ConnectAsync(own, Login.WithToken(_ => new(OnceOnly()))))
{
    Console.WriteLine($"   billing: {await late.ReadAsync()}");
    clock.Advance(TimeSpan.FromMinutes(9));
    Console.WriteLine($"   billing: {await late.RenewAsync()}");
    clock.Advance(TimeSpan.FromMinutes(1));
    Console.WriteLine($"   billing: {await late.WaitForEndAsync()}");
}

Console.WriteLine("15. Billing has a certificate for fifteen minutes. Its agent replaces it: open connections stay, new ones have the new one.");
var start = clock.GetUtcNow();
await ReplaceAsync(domain.Issue("/billing", spec => spec with { NotAfter = start.AddMinutes(15) }));
var shortLived = billing.Current.Identity.Certificate.RawData;
await using var old = await ConnectAsync(own, Login.WithToken(ForWhatWasShown));
await using var careless = await ConnectAsync(own, Login.WithToken(_ => new(For(billing.Current.Identity)))); // whatever is there now
Console.WriteLine($"   old: {await old.ReadAsync()}");
Console.WriteLine($"   careless: {await careless.ReadAsync()}");
await ReplaceAsync(domain.Issue("/billing"));
await using var fresh = await ConnectAsync(own, Login.WithToken(ForWhatWasShown));
Console.WriteLine($"   new: {await fresh.ReadAsync()}");
Console.WriteLine($"   old: still connected, {await old.ReadAsync()}");

Console.WriteLine("16. A token that was issued to the certificate of before, on a new connection.");
await CallAsync("billing", own, issuer.Issue(Billing, Service, shortLived, "invoices:read"));

Console.WriteLine("17. Their tokens expire. Each is renewed for the certificate that its connection has shown, the old one too.");
clock.Advance(TimeSpan.FromMinutes(9));
Console.WriteLine($"   old: {await old.RenewAsync()}, {await old.ReadAsync()}");
Console.WriteLine($"   new: {await fresh.RenewAsync()}, {await fresh.ReadAsync()}");

Console.WriteLine("18. A program that takes the certificate that there is by now is ended with its token.");
Console.WriteLine($"   careless: {await careless.RenewAsync()}");
clock.Advance(TimeSpan.FromMinutes(1));
Console.WriteLine($"   careless: {await careless.WaitForEndAsync()}");
Console.WriteLine($"   old: still connected, {await old.ReadAsync()}");

Console.WriteLine("19. The old certificate expires, and its connection ends. The new one stays.");
clock.Advance(TimeSpan.FromMinutes(6));
Console.WriteLine($"   old: {await old.WaitForEndAsync()}");
Console.WriteLine($"   new: still connected, {await fresh.ReadAsync()}");

string OnceOnly()
{
    if (wasUsed)
    {
        throw new InvalidOperationException("No issuer answers.");
    }

    wasUsed = true;
    return onlyToken;
}

// What the connection has shown is not what the agent has given last, once that was replaced.
ValueTask<string> ForWhatWasShown(SaslClientContext context, CancellationToken cancellationToken) => new(For(context.OwnIdentity!));

string For(Identity shown) => issuer.Issue(Billing, Service, shown.Certificate.RawData, "invoices:read");

static Task<X509Source> FollowAsync(FakeWorkloadApi agent) =>
    X509Source.ConnectAsync(new X509SourceOptions { Address = WorkloadApiAddress.Parse(agent.Address) });

async Task ReplaceAsync(WorkloadSvid svid)
{
    var replaced = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
    EventHandler hasReplaced = (_, _) => replaced.TrySetResult();
    billing.Replaced += hasReplaced;
    agentOfBilling.Send(new WorkloadUpdate { Svids = [svid] });
    await replaced.Task.WaitAsync(TimeSpan.FromSeconds(15));
    billing.Replaced -= hasReplaced;
}

async Task CallAsync(string who, ClientIdentity workload, string? bearer, InvoiceService? at = null)
{
    while (hasSpoken.Wait(0))
    {
        // What was said of others before.
    }

    try
    {
        await using var caller = await ConnectAsync(workload, bearer is null ? null : Login.WithToken(bearer), at);
        Console.WriteLine($"   {who}: {caller.Service} says, {await caller.ReadAsync()}");
    }
    catch (HandshakeException failure)
    {
        Console.WriteLine($"   {who}: {failure.Message}");
    }

    await hasSpoken.WaitAsync(TimeSpan.FromSeconds(5));
}

Task<Workload> ConnectAsync(ClientIdentity workload, ClientCredentials? credentials, InvoiceService? at = null) => Workload.ConnectAsync(
    new MutualTlsClientOptions
    {
        Identity = workload,
        Trust = billing.Trust,
        Authorization = Authorize.SpiffeId(Invoices), // the one workload that is the service
        Credentials = credentials,
    },
    (at ?? invoices).EndPoint);

void Tell(string who, string text)
{
    Console.WriteLine($"   {who}: {text}");
    hasSpoken.Release();
}
