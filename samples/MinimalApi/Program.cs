// A minimal API with a policy for each peer. A first try, with throwaway certificates:
//   dotnet run --project samples/MinimalApi
// It prints the commands for two clients. Every rejection is a line of the log, with the reason.
using System.Net;
using System.Runtime.CompilerServices;
using MutualAuth;
using MutualAuth.AspNetCore;
using MutualAuth.Identities;
using MutualAuth.Samples;
using MutualAuth.Trust;

var files = Throwaway.In(args.ElementAtOrDefault(1) ?? Path.Combine(AppContext.BaseDirectory, "throwaway"));
using var identity = IdentityFiles.FromPem(files.Of("server.pem"), files.Of("server.key"));
using var trust = new TrustAnchorFiles(files.Of("authority.pem"));

var builder = WebApplication.CreateBuilder();
builder.Logging.ClearProviders().AddSimpleConsole(console => console.SingleLine = true);
builder.WebHost.ListenMutualTls(IPEndPoint.Parse(args.ElementAtOrDefault(0) ?? "127.0.0.1:8443"), new MutualTlsServerOptions
{
    Identity = identity,
    Trust = trust,
    Authorization = Authorize.Parse("dns shop.test", "spiffe spiffe://example.test/audit"),
});
builder.Services.AddAuthentication(MutualTlsDefaults.AuthenticationScheme).AddMutualTls();
builder.Services.AddAuthorizationBuilder()
    .AddPolicy("shop", policy => policy.RequirePeer("dns shop.test"))
    .AddPolicy("audit", policy => policy.RequireSpiffeId("spiffe://example.test/audit"));

var app = builder.Build();
app.UseAuthentication();
app.UseAuthorization();
app.MapGet("/whoami", (HttpContext context) => $"{context.GetMutualTlsPeer()}\n");
app.MapGet("/orders", () => "one order\n").RequireAuthorization("shop");
app.MapGet("/reports", () => "one report\n").RequireAuthorization("audit");
app.MapGet("/export", ExportAsync).RequireAuthorization("audit");

app.Lifetime.ApplicationStarted.Register(() => files.PrintHowToConnect(app.Urls.Single()));
await app.RunAsync();

// It takes two seconds, and ends whole even when the host stops meanwhile.
static async IAsyncEnumerable<int> ExportAsync([EnumeratorCancellation] CancellationToken cancellationToken)
{
    for (var number = 1; number <= 20; number++)
    {
        yield return number;
        await Task.Delay(TimeSpan.FromMilliseconds(100), cancellationToken);
    }
}
