using System.Buffers.Binary;
using System.Net;
using System.Security.Cryptography;
using System.Text;
using MutualAuth.Credentials;
using MutualAuth.Testing;
using MutualAuth.Tests.Support;

namespace MutualAuth.Tests.Samples;

/// <summary>
/// The Python peer, written from docs/protocol.md, logs in with a password and a one-time code, and logs in again while it is connected.
/// </summary>
[CancelAfter(120000)]
public sealed class PythonPeerFactorsTests
{
    private const string Secret = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"; // that of RFC 6238, in base32

    private Workshop _workshop = null!;
    private TestCertificate? _certificate;
    private string _password = null!;
    private MemoryCredentialStore _users = null!;

    [SetUp]
    public async Task SetUp()
    {
        _workshop = new Workshop();
        _password = _workshop.Write("password", "pencil\n");
        _users = new MemoryCredentialStore();
        await _users.SetAsync("user", ScramVerifier.Create(Password.From("pencil"), iterations: ScramVerifier.MinIterations));
    }

    [TearDown]
    public void TearDown()
    {
        _certificate?.Dispose();
        _workshop.Dispose();
    }

    [TestCase("1.2")]
    [TestCase("1.3")]
    public async Task It_logs_in_with_a_password_and_a_code(string tls)
    {
        await using var server = Listen();
        var serving = ServeAsync(server, reauthentications: 0);
        await using var client = Start(server, Secret, "--max-tls", tls);
        await client.WriteAsync("hello\n");
        client.EndInput();

        (await client.ExitCodeAsync()).Should().Be(0, client.ToString());
        client.Output.Should().Equal("hello");
        (await serving).Should().Equal("SCRAM-SHA-256-PLUS+TOTP");
    }

    [TestCase("GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJA", 11, "credentials_wrong: the server refused us")]
    [TestCase(null, 10, "rejected: second_factor_unavailable")]
    public async Task Without_the_right_code_it_is_not_let_in(string? secret, int exitCode, string said)
    {
        await using var server = Listen();
        await using var client = Start(server, secret);
        client.EndInput();

        (await client.ExitCodeAsync()).Should().Be(exitCode, client.ToString());
        client.Errors[^1].Should().Be(said);
    }

    [Test]
    public async Task It_logs_in_again_as_often_as_it_is_asked()
    {
        await using var server = Listen();
        var serving = ServeAsync(server, reauthentications: 2);
        await using var client = Start(server, Secret, "--reauthentications", "2");
        await client.WriteAsync("hello\n");
        client.EndInput();

        (await client.ExitCodeAsync()).Should().Be(0, client.ToString());
        client.Errors.Count(line => line == "reauthenticated").Should().Be(2);
        client.Output.Should().Equal("hello");
        (await serving).Should().Equal("SCRAM-SHA-256-PLUS+TOTP", "SCRAM-SHA-256-PLUS+TOTP", "SCRAM-SHA-256-PLUS+TOTP");
    }

    [Test]
    public async Task Who_was_disabled_meanwhile_does_not_log_in_again()
    {
        await using var server = Listen();
        var serving = ServeAsync(server, reauthentications: 1, beforeEach: () => _users.SetDisabledAsync("user", true).AsTask());
        await using var client = Start(server, Secret, "--reauthentications", "1");
        client.EndInput();

        (await client.ExitCodeAsync()).Should().Be(11, client.ToString());
        client.Errors[^1].Should().StartWith("credentials_wrong:");
        (await serving).Should().Equal("SCRAM-SHA-256-PLUS+TOTP", "credentials_wrong");
    }

    private MutualTlsListener Listen()
    {
        _certificate = _workshop.Issue(Workshop.ServerName, ExtendedKeyUsage.ServerAuth);
        return MutualTlsListener.Start(new MutualTlsListenerOptions
        {
            EndPoint = new IPEndPoint(IPAddress.Loopback, 0),
            Server = new MutualTlsServer(new MutualTlsServerOptions
            {
                Identity = _certificate.ToIdentity(),
                Trust = TrustAnchors.FromPemFiles(_workshop.Trust),
                Authorization = Authorize.AnyTrustedPeer,
                Revalidation = new RevalidationPolicy { OnUserDisabled = InvalidationAction.Notify },
                Credentials = Require.CertificateAndUser(SaslServer.Scram(_users)) with
                {
                    SecondFactors = [new Codes()],
                    LoginFactors = FactorRequirement.Proofs(PeerProofs.Password | PeerProofs.OneTimeCode),
                },
            }),
        });
    }

    /// <summary>Asks the first client to log in again, echoes, and says by what it logged in each time.</summary>
    private static async Task<List<string>> ServeAsync(MutualTlsListener listener, int reauthentications, Func<Task>? beforeEach = null)
    {
        using var deadline = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        var connection = await listener.AcceptAsync(deadline.Token);
        await using var _ = connection;
        var logins = new List<string> { string.Join('+', connection.Peer.User!.Mechanisms) };
        for (var count = 0; count < reauthentications; count++)
        {
            await (beforeEach?.Invoke() ?? Task.CompletedTask);
            await using var verifier = connection.BeginReauthentication();
            await SayAsync(connection.Stream, verifier.FirstMessage);
            while (!verifier.IsOver && await verifier.AnswerAsync(await HearAsync(connection.Stream, deadline.Token), deadline.Token) is { } answer)
            {
                await SayAsync(connection.Stream, answer);
            }

            logins.Add(verifier.User is { } user ? string.Join('+', user.Mechanisms) : verifier.Rejection!.Reason.ToCode());
        }

        await connection.Stream.CopyToAsync(connection.Stream, deadline.Token);
        return logins;
    }

    private static async Task SayAsync(Stream stream, ReadOnlyMemory<byte> message)
    {
        var length = new byte[sizeof(ushort)];
        BinaryPrimitives.WriteUInt16BigEndian(length, (ushort)message.Length);
        await stream.WriteAsync((byte[])[.. length, .. message.Span]);
    }

    private static async Task<byte[]> HearAsync(Stream stream, CancellationToken cancellationToken)
    {
        var length = new byte[sizeof(ushort)];
        await stream.ReadExactlyAsync(length, cancellationToken);
        var message = new byte[BinaryPrimitives.ReadUInt16BigEndian(length)];
        await stream.ReadExactlyAsync(message, cancellationToken);
        return message;
    }

    private RunningProgram Start(MutualTlsListener server, string? secret, params string[] arguments)
    {
        var files = _workshop.Client();
        return RunningProgram.Start(
            Tool.Find("python3"),
            [
                "-B", Path.Combine(Repository.Root, "samples", "python-peer", "peer.py"), "client", "--connect", $"{server.LocalEndPoint}",
                "--server-name", Workshop.ServerName, "--trust", _workshop.Trust, "--certificate", files.Chain, "--key", files.Key,
                "--user", "user", "--password-file", _password,
                .. secret is null ? Array.Empty<string>() : ["--totp-secret-file", _workshop.Write("secret", secret + "\n")],
                .. arguments,
            ]);
    }

    /// <summary>RFC 6238 at the server, without what a real one needs: one secret, and codes that count as often as they come.</summary>
    private sealed class Codes : ISaslServerMechanism
    {
        public PeerProofs MayProve => PeerProofs.OneTimeCode;

        public IEnumerable<string> NamesFor(SaslServerContext context) => ["TOTP"];

        public ISaslServerExchange Begin(string name, SaslServerContext context) => new Exchange(context);

        private sealed class Exchange(SaslServerContext context) : ISaslServerExchange
        {
            public ValueTask<SaslServerStep> StepAsync(ReadOnlyMemory<byte> message, CancellationToken cancellationToken)
            {
                var step = DateTimeOffset.UtcNow.ToUnixTimeSeconds() / 30;
                return ValueTask.FromResult(Enumerable.Range(-1, 3).Any(skew => CodeAt(step + skew) == Encoding.ASCII.GetString(message.Span))
                    ? SaslServerStep.Succeed(context.User!.Name, PeerProofs.OneTimeCode)
                    : SaslServerStep.Fail(new Rejection(RejectionReason.SecondFactorWrong, "the code of the moment", "another")));
            }

            public void Dispose()
            {
            }

            private static string CodeAt(long step)
            {
                var counter = new byte[sizeof(long)];
                BinaryPrimitives.WriteInt64BigEndian(counter, step);
#pragma warning disable CA5350 // the algorithm of RFC 6238
                var digest = HMACSHA1.HashData("12345678901234567890"u8, counter);
#pragma warning restore CA5350
                var number = BinaryPrimitives.ReadInt32BigEndian(digest.AsSpan(digest[^1] & 0xf)) & int.MaxValue;
                return (number % 1_000_000).ToString("D6", System.Globalization.CultureInfo.InvariantCulture);
            }
        }
    }
}
