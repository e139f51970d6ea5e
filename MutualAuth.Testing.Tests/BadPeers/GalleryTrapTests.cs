using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using MutualAuth.Testing.BadPeers;
using MutualAuth.Testing.Responders;
using MutualAuth.Testing.Tests.Support;

namespace MutualAuth.Testing.Tests.BadPeers;

/// <summary>A trap that no longer listens proves nothing: whatever becomes of one connection, the next one counts too.</summary>
[CancelAfter(30000)]
[NonParallelizable]
[Platform("Linux")]
[System.Runtime.Versioning.SupportedOSPlatform("linux")]
public sealed class GalleryTrapTests
{
    private readonly TestAuthority _authority = new();

    [OneTimeTearDown]
    public void Dispose() => _authority.Dispose();

    [Test]
    public async Task A_connection_that_cannot_be_accepted_does_not_end_the_trap(CancellationToken token)
    {
        using var identity = _authority.IssueServer("server.test");
        var answers = new List<string>();
        await using var server = new SocketServer(SocketServer.Tls(
            identity,
            (_, certificate, chain, _) =>
            {
                if (SocketServer.IsTrusted(_authority, certificate, chain))
                {
                    return true;
                }

                using var shown = X509CertificateLoader.LoadCertificate(certificate!.GetRawCertData());
                var asked = shown.Extensions.OfType<X509AuthorityInformationAccessExtension>().Single().EnumerateCAIssuersUris().Single();
                answers.AddRange(AskWhileNothingIsFreeAsync(new Uri(asked), token).GetAwaiter().GetResult());
                return false;
            },
            (tls, stop) => tls.CopyToAsync(tls, stop)));
        var options = new GalleryRunOptions { Except = [.. Gallery.All.Except([Gallery.MissingIntermediate])], Patience = TimeSpan.FromSeconds(10) };

        var report = await GalleryRun.AgainstServerAsync(_authority, server.EndPoint, options, token);

        answers.Should().NotBeEmpty().And.AllSatisfy(answer => answer.Should().StartWith("HTTP/1.1 404"));
        report.AddressesAsked.Should().BeGreaterThanOrEqualTo(answers.Count, report.ToString());
        report.Results.Single().Good.Should().Be(PeerOutcome.LetIn, report.ToString());
    }

    [Test]
    public async Task Nor_does_it_end_a_responder_which_tells_of_it(CancellationToken token)
    {
        await using var trap = new AiaTrap();

        var answers = await AskWhileNothingIsFreeAsync(new Uri(trap.IssuerUri), token);

        answers.Should().HaveCount(2).And.AllSatisfy(answer => answer.Should().StartWith("HTTP/1.1 404"));
        trap.Problems.Should().Contain(problem => problem.Kind == ResponderProblemKind.Failed && problem.Exception is SocketException);
    }

    /// <summary>Comes once when no connection can be accepted, and once afterwards.</summary>
    private static async Task<string[]> AskWhileNothingIsFreeAsync(Uri uri, CancellationToken token)
    {
        using var first = new Socket(SocketType.Stream, ProtocolType.Tcp);
        using var second = new Socket(SocketType.Stream, ProtocolType.Tcp);
        using (var scarce = new NoFreeDescriptor())
        {
            await first.ConnectAsync(uri.Host, uri.Port, token);
            await scarce.Refused.WaitAsync(token);
        }

        await second.ConnectAsync(uri.Host, uri.Port, token);
        return [await AskAsync(first, uri, token), await AskAsync(second, uri, token)];
    }

    private static async Task<string> AskAsync(Socket socket, Uri uri, CancellationToken token)
    {
        await socket.SendAsync(Encoding.ASCII.GetBytes($"GET {uri.AbsolutePath} HTTP/1.0\r\n\r\n"), token);
        var buffer = new byte[1024];
        return Encoding.ASCII.GetString(buffer, 0, await socket.ReceiveAsync(buffer, token));
    }
}
