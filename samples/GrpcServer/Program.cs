// A gRPC service whose callers are known by their certificates, on confirmed connections. Start it, and then the client with the command that it
// prints:
//   dotnet run --project samples/GrpcServer
// "revoke" and a line break denies the client from then on: its calls in progress end, and its next one is refused.
// Exit codes: 0; 2 usage.
using System.Net;
using MutualAuth;
using MutualAuth.AspNetCore;
using MutualAuth.Certificates;
using MutualAuth.Revocation;
using MutualAuth.Samples;
using MutualAuth.Testing;
using MutualAuth.Validation;

if (args is not [] and not ["--listen", _] || !IPEndPoint.TryParse(args is [_, var where] ? where : "127.0.0.1:8443", out var endPoint))
{
    Console.Error.WriteLine("GrpcServer [--listen ADDRESS:PORT]");
    return 2;
}

// For a first try: an authority for this server and one client, whose files the client gets. In your service: Identity.FromPemFiles and the like.
using var authority = new TestAuthority("Throwaway Authority");
using var own = authority.IssueServer("localhost", "127.0.0.1");
using var clients = authority.IssueClient("client.test");
var files = Directory.CreateTempSubdirectory("mutualauth-grpc-").FullName;
authority.WriteTo(files, "authority");
clients.WriteTo(files, "client");

var denied = new ReplaceableDenyList(DenyList.Empty);
var builder = WebApplication.CreateSlimBuilder();
builder.Logging.SetMinimumLevel(LogLevel.Warning);
builder.Services.AddGrpc();
builder.WebHost.ListenMutualTls(endPoint, new MutualTlsServerOptions
{
    Identity = own.ToIdentity(),
    Trust = authority.ToTrustAnchors(),
    Authorization = Authorize.Dns("client.test"),
    Confirmation = ConfirmationPolicy.Required,
    DenyList = denied,
    AcknowledgedWarnings = ConfigurationWarnings.RevocationNotChecked,
});
await using var app = builder.Build();
app.MapGrpcService<StockService>();
await app.StartAsync();
var port = new Uri(app.Urls.Single()).Port;
Console.WriteLine($"listening on port {port}; connect with:");
Console.WriteLine($"  dotnet run --project samples/GrpcClient -- https://localhost:{port} {files}");

_ = Task.Run(async () =>
{
    while (await Console.In.ReadLineAsync() is { } line)
    {
        if (line == "revoke")
        {
            denied.Replace(DenyList.Of(DenyEntry.Certificate(Certificate.Parse(clients.RawCertificate))));
            Console.WriteLine("client.test is denied");
        }
    }
});
await app.WaitForShutdownAsync();
return 0;
