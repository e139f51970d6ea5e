using System.Net;
using System.Text;
using MutualAuth.Certificates;
using MutualAuth.Credentials;
using MutualAuth.Testing;
using MutualAuth.Tests.Support;

namespace MutualAuth.Tests.Samples;

/// <summary>
/// The Python peer logs in by SCRAM-SHA-256-PLUS, with its standard library alone: at EchoServer, and at servers that do not know its user.
/// </summary>
[CancelAfter(120000)]
public sealed class PythonPeerLoginTests
{
    private static readonly SignatureAlgorithm[] s_algorithms =
    [
        SignatureAlgorithm.RsaSha1, SignatureAlgorithm.RsaSha256, SignatureAlgorithm.RsaSha384, SignatureAlgorithm.RsaSha512,
        SignatureAlgorithm.RsaPssSha256, SignatureAlgorithm.RsaPssSha384, SignatureAlgorithm.RsaPssSha512,
        SignatureAlgorithm.EcdsaSha1, SignatureAlgorithm.EcdsaSha256, SignatureAlgorithm.EcdsaSha384, SignatureAlgorithm.EcdsaSha512,
        SignatureAlgorithm.Ed25519, SignatureAlgorithm.MLDsa65,
    ];

    private Workshop _workshop = null!;
    private string _users = null!;
    private string _right = null!;
    private string _wrong = null!;

    [SetUp]
    public void SetUp()
    {
        _workshop = new Workshop();
        _right = _workshop.Write("right", "péncil Ⅸ\n");
        _wrong = _workshop.Write("wrong", "pencil\n");
        using var password = Password.From("péncil Ⅸ");
        _users = _workshop.Write("users", $"us=er,:{ScramVerifier.Create(password, iterations: ScramVerifier.MinIterations)}\n");
    }

    [TearDown]
    public void TearDown() => _workshop.Dispose();

    [TestCase("1.2", true, "both")]
    [TestCase("1.3", true, "both")]
    [TestCase("1.3", false, "user")]
    public async Task It_logs_in_and_everything_comes_back(string tls, bool showsCertificate, string require)
    {
        await using var server = await EchoServer.StartAsync(_workshop, _workshop.Server(), "--credentials", _users, "--require", require);

        await using var client = Start(server.Address, showsCertificate ? _workshop.Client() : null, _right, "--max-tls", tls);
        await client.WriteAsync("hello\nyou\n");
        client.EndInput();

        (await client.ExitCodeAsync()).Should().Be(0, client.ToString());
        client.Output.Should().Equal("hello", "you");
        (await server.LineAsync()).Should().Be(
            $"accepted name={(showsCertificate ? "client.test" : "user:us=er,")} user=us=er, confirmed=yes tls={tls} alpn=-");
    }

    [Test]
    public async Task A_wrong_password_is_refused_and_both_know()
    {
        await using var server = await EchoServer.StartAsync(_workshop, _workshop.Server(), "--credentials", _users, "--require", "user");

        await using var client = Start(server.Address, null, _wrong);

        (await client.ExitCodeAsync()).Should().Be(11, client.ToString());
        client.Errors[^1].Should().StartWith("credentials_wrong:");
        (await server.LineAsync()).Should().Be("rejected reason=credentials_wrong name=-");
    }

    [Test]
    public async Task A_user_alone_is_refused_where_a_certificate_is_required_too()
    {
        await using var server = await EchoServer.StartAsync(_workshop, _workshop.Server(), "--credentials", _users);

        await using var client = Start(server.Address, null, _right);

        (await client.ExitCodeAsync()).Should().Be(11, client.ToString());
        client.Errors[^1].Should().StartWith("certificate_required:");
        (await server.LineAsync()).Should().Be("rejected reason=no_certificate name=-");
    }

    [Test]
    public async Task A_certificate_alone_is_refused_where_a_user_is_required_too()
    {
        await using var server = await EchoServer.StartAsync(_workshop, _workshop.Server(), "--credentials", _users);

        await using var client = Start(server.Address, _workshop.Client(), passwordFile: null);

        (await client.ExitCodeAsync()).Should().Be(11, client.ToString());
        client.Errors[^1].Should().StartWith("credentials_required:");
    }

    [TestCase("right", null)]
    [TestCase("wrong signature", "server_signature_wrong")]
    [TestCase("no signature", "server_signature_wrong")]
    [TestCase("no challenge", "credential_protocol_violated")]
    [TestCase("own nonce", "credential_protocol_violated")]
    [TestCase("short nonce", "credential_protocol_violated")]
    [TestCase("few iterations", "iteration_count_out_of_range")]
    [TestCase("many iterations", "iteration_count_out_of_range")]
    [TestCase("other mechanism", "mechanism_unavailable")]
    [TestCase("nobody logs in", "credentials_not_asked")]
    public async Task A_server_that_does_not_prove_that_it_knows_the_user_is_rejected(string what, string? reason)
    {
        using var certificate = _workshop.Issue(Workshop.ServerName, ExtendedKeyUsage.ServerAuth);
        await using var listener = MutualTlsListener.Start(new MutualTlsListenerOptions
        {
            EndPoint = new IPEndPoint(IPAddress.Loopback, 0),
            Server = new MutualTlsServer(new MutualTlsServerOptions
            {
                Identity = certificate.ToIdentity(),
                Trust = TrustAnchors.FromPemFiles(_workshop.Trust),
                Authorization = Authorize.AnyTrustedPeer,
                Credentials = what switch
                {
                    "nobody logs in" => Require.Certificate,
                    "right" => Require.CertificateAndUser(SaslServer.Scram(FileCredentialStore.Open(_users))),
                    _ => Require.CertificateAndUser(new Impostor(what)),
                },
            }),
        });

        await using var client = Start($"{listener.LocalEndPoint}", _workshop.Client(), _right);
        client.EndInput();

        (await client.ExitCodeAsync()).Should().Be(reason is null ? 0 : 10, client.ToString());
        client.Errors[^1].Should().Be(reason is null ? client.Errors[^1] : $"rejected: {reason}");
    }

    [TestCaseSource(nameof(s_algorithms))]
    public async Task It_binds_to_a_certificate_as_the_library_does(SignatureAlgorithm algorithm)
    {
        var isRsa = $"{algorithm}".StartsWith("Rsa", StringComparison.Ordinal);
        using var authority = new TestAuthority(
            spec: spec => algorithm == SignatureAlgorithm.Ed25519 ? spec with { KeyAlgorithm = KeyAlgorithm.Ed25519 }
                : algorithm == SignatureAlgorithm.MLDsa65 ? spec with { KeyAlgorithm = KeyAlgorithm.MLDsa65 }
                : isRsa
                ? spec with { Key = TestKey.Shared(KeyAlgorithm.Rsa2048) }
                : spec);
        using var certificate = authority.Issue(spec => spec with { DnsNames = [Workshop.ServerName], SignatureAlgorithm = algorithm });
        var expected = ChannelBinding.OfServerCertificate(Certificate.Parse(certificate.RawCertificate));
        const string Script = """
            import sys; sys.path.insert(0, sys.argv[1])
            import scram
            try:
                kind, data = scram.channel_binding(open(sys.argv[2], "rb").read())
                print(kind, data.hex())
            except scram.Refused as reason:
                print(reason)
            """;

        var ended = await EndedProgram.OfAsync(
            RunningProgram.Start(
                Tool.Find("python3"), "-B", "-c", Script, Folder, _workshop.Write("certificate.der", certificate.RawCertificate.ToArray())));

        ended.Output.Should().Be($"{expected!.Type} {Convert.ToHexStringLower(expected.Data.AsSpan())}", ended.All);
        (expected.Type == ChannelBinding.MutualAuthEndPoint).Should().Be(algorithm is SignatureAlgorithm.Ed25519 or SignatureAlgorithm.MLDsa65);
    }

    private static string Folder => Path.Combine(Repository.Root, "samples", "python-peer");

    private RunningProgram Start(
        string address, TestCertificateFiles? certificate, string? passwordFile, params string[] arguments) => RunningProgram.Start(
        Tool.Find("python3"),
        [
            "-B", Path.Combine(Folder, "peer.py"), "client", "--connect", address, "--server-name", Workshop.ServerName, "--trust", _workshop.Trust,
            .. certificate is null ? Array.Empty<string>() : ["--certificate", certificate.Chain, "--key", certificate.Key],
            .. passwordFile is null ? Array.Empty<string>() : ["--user", "us=er,", "--password-file", passwordFile],
            .. arguments,
        ]);

    /// <summary>A server's side of SCRAM that knows nobody, and would let everybody in.</summary>
    private sealed class Impostor(string what) : ISaslServerMechanism, ISaslServerExchange
    {
        private bool _hasChallenged;

        public IEnumerable<string> NamesFor(SaslServerContext context) => [what == "other mechanism" ? "SCRAM-SHA-1-PLUS" : "SCRAM-SHA-256-PLUS"];

        public ISaslServerExchange Begin(string name, SaslServerContext context) => new Impostor(what);

        public ValueTask<SaslServerStep> StepAsync(ReadOnlyMemory<byte> message, CancellationToken cancellationToken)
        {
            if (_hasChallenged || what == "no challenge")
            {
                var signature = what == "no signature"
                    ? default(ReadOnlyMemory<byte>?)
                    : Encoding.ASCII.GetBytes($"v={Convert.ToBase64String(new byte[32])}");
                return ValueTask.FromResult(SaslServerStep.Succeed("us=er,", PeerProofs.Password, additionalData: signature));
            }

            _hasChallenged = true;
            var first = Encoding.UTF8.GetString(message.Span);
            var nonce = what switch
            {
                "own nonce" => "0123456789abcdef0123456789abcdef",
                "short nonce" => first[(first.LastIndexOf(",r=", StringComparison.Ordinal) + 3)..] + "1234567",
                _ => first[(first.LastIndexOf(",r=", StringComparison.Ordinal) + 3)..] + "12345678",
            };
            var iterations = what switch { "few iterations" => 4095, "many iterations" => 1_000_001, _ => 4096 };
            return ValueTask.FromResult(
                SaslServerStep.Continue(Encoding.UTF8.GetBytes($"r={nonce},s={Convert.ToBase64String(new byte[16])},i={iterations}")));
        }

        public void Dispose()
        {
        }
    }
}
