using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using MutualAuth.Testing.Responders;
using MutualAuth.Testing.Tests.Support;

namespace MutualAuth.Testing.Tests.Responders;

/// <summary>The responders' HTTP is their own. What it takes and what it refuses is what a well-kept server takes and refuses.</summary>
[CancelAfter(30000)]
public sealed class KestrelAgreementTests
{
    // Where Kestrel leaves more to the application, or reads what RFC 9112 lets a server refuse.
    private static readonly string[] s_stricterHere =
    [
        "HTTP/0.9", "A target without a slash", "A fragment", "A length and chunks", "Chunks in HTTP/1.0", "An encoding that is not known",
        "Lines that end with CR alone", "Lines that end with LF alone", "A NUL in the extension of a chunk", "A CR in the extension of a chunk",
        "A NUL in a trailer", "An absolute form with a user",
        "An expectation that is not known", "DELETE", "OPTIONS", "CONNECT", "BREW", "A method in lower case", "TLS on the port of HTTP",
    ];

    private WebApplication _kestrel = null!;
    private Uri _other = null!;
    private TestAuthority _authority = null!;
    private OcspResponder _responder = null!;

    [OneTimeSetUp]
    public async Task StartAsync()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(options =>
        {
            options.Listen(IPAddress.Loopback, 0);
            options.Limits.MaxRequestBodySize = 1 << 20;
            options.Limits.MaxRequestHeadersTotalSize = 32 * 1024;
        });
        _kestrel = builder.Build();
        _kestrel.Run(async context =>
        {
            await context.Request.Body.CopyToAsync(Stream.Null, context.RequestAborted);
            context.Response.ContentLength = 0;
        });
        await _kestrel.StartAsync();
        _other = new Uri(_kestrel.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.First());
        _authority = new TestAuthority();
        _responder = new OcspResponder(_authority);
    }

    [OneTimeTearDown]
    public async Task StopAsync()
    {
        await _responder.DisposeAsync();
        _authority.Dispose();
        await _kestrel.DisposeAsync();
    }

    private static IEnumerable<TestCaseData> Wrong() => HttpExchangeTests.Wrong().Where(
        request => !s_stricterHere.Contains(request.ArgDisplayNames![0]));

    // A server ignores the Host beside such a target (RFC 9112 §3.2.2), and schemes have no case (RFC 3986 §3.1): Kestrel refuses both.
    private static IEnumerable<TestCaseData> Right() => HttpExchangeTests.Right().Where(
        request => request.ArgDisplayNames![0] is not ("The target in absolute form and another Host" or "A scheme in capitals"));

    [TestCaseSource(nameof(Wrong))]
    public async Task Both_refuse_alike(string request, int status, ResponderProblemKind kind, CancellationToken token)
    {
        var seen = (await AskAsync(_other, request, token), await AskAsync(_responder.BaseUri, request, token));

        seen.Should().Be((status, status), $"{kind}");
    }

    [TestCaseSource(nameof(Right))]
    public async Task Both_answer_alike(string request, CancellationToken token) =>
        (await AskAsync(_other, request, token), await AskAsync(_responder.BaseUri, request, token)).Should().Be((200, 200));

    private static async Task<int> AskAsync(Uri server, string request, CancellationToken token) =>
        (await RawHttp.AskAsync(server, request, token)).Status;
}
