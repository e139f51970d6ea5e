using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using Microsoft.Extensions.Logging;
using MutualAuth.Credentials;
using MutualAuth.Directories;
using MutualAuth.Testing;
using MutualAuth.Tests.Support;

namespace MutualAuth.Tests;

/// <summary>A server with a right certificate that answers a bind with octets of a test's: it is bounded, and its nonsense is no verdict.</summary>
[CancelAfter(60000)]
public sealed class LdapOddServerTests
{
    private const string Refused = "300c02010261070a013104000400"; // invalidCredentials, to the second message

    private readonly TestAuthority _authority = new("Directory");
    private TestCertificate _certificate = null!;
    private TcpListener _listener = null!;

    [OneTimeSetUp]
    public void MakeCertificate() => _certificate = _authority.IssueServer("localhost");

    [OneTimeTearDown]
    public void Dispose()
    {
        _certificate.Dispose();
        _authority.Dispose();
    }

    [SetUp]
    public void Listen()
    {
        _listener = new TcpListener(IPAddress.Loopback, 0);
        _listener.Start();
    }

    [TearDown]
    public void Stop() => _listener.Dispose();

    [TestCase(Refused, null, TestName = "A result is a verdict")]
    [TestCase("300c02010761070a013104000400", "answered another request", TestName = "The number of another request")]
    [TestCase("3003020102", "malformed", TestName = "No response in the message")]
    [TestCase("300c020102610c0a013104000400", "malformed", TestName = "A length that leads out of the message")]
    [TestCase("30060201020201ff", "not a response", TestName = "A number where the response belongs")]
    [TestCase("300c02010261070a01", "EndOfStreamException", TestName = "A message that is cut")]
    [TestCase("3083010001", "more than 65536 octets", TestName = "A length of one too many")]
    [TestCase("30847fffffff", "more than 65536 octets", TestName = "A length of two thousand million")]
    [TestCase("3080", "does not speak LDAP", TestName = "A length without end")]
    [TestCase("308501000000", "does not speak LDAP", TestName = "A length in five octets")]
    [TestCase("485454502f312e31", "does not speak LDAP", TestName = "Another protocol")]
    public async Task What_a_server_says_is_bounded_and_only_a_result_is_a_verdict(string answer, string? problem)
    {
        var log = new TextLog();

        await VerifyAsync(answer, log);

        if (problem is null)
        {
            log.Events.Should().NotContain(1340);
        }
        else
        {
            log.Events.Should().Contain(1340);
            log.All.Should().Contain(problem);
        }

        log.All.Should().NotContain("right").And.NotContain("alice");
    }

    [Test]
    public async Task A_logger_that_throws_makes_no_fault_of_an_answer(
        [Values(Refused, "485454502f312e31")] string answer, [Values] LoggersThrow at)
    {
        var verifying = () => VerifyAsync(answer, new ThrowingLoggers(at));

        await verifying.Should().NotThrowAsync();
    }

    private async Task VerifyAsync(string answer, ILoggerFactory loggers)
    {
        using var stop = new CancellationTokenSource();
        var serving = ServeAsync(Convert.FromHexString(answer), stop.Token);
        var directory = new LdapVerifier(new LdapVerifierOptions
        {
            Servers = [new LdapServer("localhost", ((IPEndPoint)_listener.LocalEndpoint).Port)],
            Trust = _authority.ToTrustAnchors(),
            Users = LdapUsers.ByTemplate("uid={0},ou=people"),
            LoggerFactory = loggers,
        });
        using var password = Password.From("right");

        await directory.VerifyAsync("alice", password, CancellationToken.None).AsTask().WaitAsync(RunningProgram.Deadline);
        await directory.DisposeAsync().AsTask().WaitAsync(RunningProgram.Deadline);
        await stop.CancelAsync();
        await serving.WaitAsync(RunningProgram.Deadline);
    }

    /// <summary>Answers the first message of each connection, and ends it.</summary>
    private async Task ServeAsync(byte[] answer, CancellationToken stop)
    {
        while (true)
        {
            try
            {
                using var socket = await _listener.AcceptSocketAsync(stop);
                await using var tls = new SslStream(new NetworkStream(socket, ownsSocket: false));
                await tls.AuthenticateAsServerAsync(
                    new SslServerAuthenticationOptions { ServerCertificateContext = _certificate.ToSslContext() }, stop);
                await tls.ReadAtLeastAsync(new byte[4096], 1, throwOnEndOfStream: false, stop);
                await tls.WriteAsync(answer, stop);
                await tls.ShutdownAsync();
                await tls.CopyToAsync(Stream.Null, stop);
            }
            catch (Exception exception) when (exception is IOException)
            {
                // The verifier has left.
            }
            catch (Exception exception) when (exception is SocketException or OperationCanceledException)
            {
                return; // it accepts no longer
            }
        }
    }
}
