using System.Collections.Concurrent;
using System.Diagnostics;
using System.Diagnostics.Metrics;
using System.Globalization;
using System.Net;
using System.Text;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Testing;
using MutualAuth.Credentials;
using MutualAuth.Tests.Support;

namespace MutualAuth.Tests.Scenarios;

/// <summary>
/// Runs every way in which a login can fail, and the one in which it succeeds, and looks for secrets in all that either side lets out: logs at every
/// level with their fields and exceptions, what is thrown, activities and measurements.
/// </summary>
[CancelAfter(120000)]
[NonParallelizable] // meters and activity sources belong to the process
public sealed class SecretsInTelemetryTests
{
    private const string Right = "correct-horse-battery";
    private const string Wrong = "wrong-staple-guess";
    private const string RightCode = "c0de-right-8471";
    private const string WrongCode = "c0de-wrong-2259";
    private const string BearerToken = "header.SecretPayload.c2lnbmF0dXJl";

    private static readonly byte[] s_salt = Convert.FromBase64String(MutualAuth.Tests.Credentials.Sasl.Salt);

    private readonly ConcurrentQueue<string> _out = new();
    private readonly FakeLogCollector _logs = new();
    private readonly List<NotingMechanism> _notes = [];
    private LoggerFactory _loggers = null!;
    private World _world = null!;
    private MemoryCredentialStore _users = null!;
    private ScramVerifier _verifier = null!;

    [SetUp]
    public async Task SetUp()
    {
        _loggers = new LoggerFactory([new FakeLoggerProvider(_logs)], new LoggerFilterOptions { MinLevel = LogLevel.Trace });
        _world = new World();
        _verifier = ScramVerifier.Create(Password.From(Right), ScramHash.Sha256, ScramVerifier.MinIterations, s_salt);
        _users = new MemoryCredentialStore();
        await _users.SetAsync("alice", _verifier);
        await _users.SetAsync("mute", _verifier);
        await _users.SetDisabledAsync("mute", true);

        // Knows the user well enough to check the proof, and not well enough to prove itself.
        var parts = _verifier.ToString().Split(':');
        await _users.SetAsync("victim", ScramVerifier.Parse($"{parts[0]}:{parts[1]}:{Convert.ToBase64String(new byte[32])}"));
    }

    [TearDown]
    public void TearDown()
    {
        _loggers.Dispose();
        _world.Dispose();
    }

    [Test]
    public async Task Nothing_that_a_login_lets_out_has_a_secret_in_it()
    {
        using (new Observer(_out))
        {
            foreach (var (name, credentials, policy, expected) in Paths())
            {
                var (client, server) = await RunAsync(credentials, policy);
                RejectionReason?[] reasons = [(client.Failure as HandshakeException)?.Reason, (server.Failure as HandshakeException)?.Reason];
                reasons.Should().Contain(expected, $"that is what \"{name}\" is about");
            }
        }

        await StepUpAsync();
        await FileAsync();
        foreach (var record in _logs.GetSnapshot())
        {
            _out.Enqueue($"{record.Message} {record.Exception} {string.Join(' ', record.StructuredState ?? [])} {string.Join(' ', record.Scopes)}");
        }

        var secrets = Secrets();
        _out.Should().HaveCountGreaterThan(80);
        _out.Where(text => secrets.Any(secret => text.Contains(secret, StringComparison.OrdinalIgnoreCase))).Should().BeEmpty();
        secrets.Should().HaveCountGreaterThan(30);
        _out.Should().Contain(text => text.Contains("alice"), "names are no secrets, and the search would find them");
    }

    private IEnumerable<(string Name, ClientCredentials? Credentials, CredentialPolicy Policy, RejectionReason? Expected)> Paths()
    {
        var scram = Require.CertificateAndUser(SaslServer.Scram(_users));
        var plain = Require.CertificateAndUser(SaslServer.PasswordsInPlain(_users));
        var right = Login.WithPassword("alice", Right);
        var rightPlain = Login.DangerouslyWithPasswordInPlain("alice", Password.From(Right));
        yield return ("success", right, scram, null);
        yield return ("success in plain", rightPlain, plain, null);
        yield return ("success by token", Login.WithToken(BearerToken), Tokens(TokenVerdict.Valid("alice", null)), null);
        var chain = scram with
        {
            SecondFactors = [new CodeServer { Codes = { ["alice"] = [RightCode] } }],
            LoginFactors = FactorRequirement.Proofs(PeerProofs.Password | PeerProofs.OneTimeCode),
            AttemptLimiter = new BackoffAttemptLimiter(), // what fails here does not slow down what follows
        };
        yield return ("a code", right.Then(new CodeClient(RightCode)), chain, null);
        yield return ("a used code", right.Then(new CodeClient(RightCode)), chain, RejectionReason.SecondFactorReused);
        yield return ("a wrong code", right.Then(new CodeClient(WrongCode)), chain, RejectionReason.SecondFactorWrong);
        yield return ("no code", right, chain, RejectionReason.SecondFactorUnavailable);
        yield return ("wrong password", Login.WithPassword("alice", Wrong), scram, RejectionReason.CredentialsWrong);
        yield return ("unknown user", Login.WithPassword("nobody", Wrong), scram, RejectionReason.CredentialsWrong);
        yield return ("disabled user", Login.WithPassword("mute", Right), scram, RejectionReason.CredentialsWrong);
        yield return (
            "wrong password in plain", Login.DangerouslyWithPasswordInPlain("alice", Password.From(Wrong)), plain, RejectionReason.CredentialsWrong);
        yield return (
            "unknown user in plain", Login.DangerouslyWithPasswordInPlain("nobody", Password.From(Wrong)), plain, RejectionReason.CredentialsWrong);
        yield return ("no login", null, scram, RejectionReason.CredentialsRequired);
        yield return ("mechanism that is not offered", rightPlain, scram, RejectionReason.MechanismUnavailable);
        yield return (
            "acting as another", Login.WithPassword("alice", Password.From(Right), "boss"), scram, RejectionReason.AuthorizationIdentityRefused);
        yield return ("a user who may not", right, scram with { Users = UserRules.Named("bob") }, RejectionReason.UserNotAllowed);
        yield return (
            "a rule that throws",
            right,
            scram with { Users = UserRules.Where("it does not throw", (_, _) => throw new InvalidOperationException(Right)) },
            RejectionReason.CredentialCheckFaulted);
        yield return ("a server that cannot prove itself", Login.WithPassword("victim", Right), scram, RejectionReason.ServerSignatureWrong);
        yield return (
            "a store that throws",
            right,
            Require.CertificateAndUser(SaslServer.Scram(new BrokenStore(_verifier.ToString()))),
            RejectionReason.CredentialCheckFaulted);
        yield return (
            "a store that throws in plain",
            rightPlain,
            Require.CertificateAndUser(SaslServer.PasswordsInPlain(new BrokenStore(_verifier.ToString()))),
            RejectionReason.CredentialCheckFaulted);
        yield return (
            "a limiter that throws",
            right,
            scram with { AttemptLimiter = new BrokenLimiter(throwsAtEnd: false) },
            RejectionReason.CredentialCheckFaulted);
        yield return (
            "a limiter that throws afterwards",
            rightPlain,
            plain with { AttemptLimiter = new BrokenLimiter(throwsAtEnd: true) },
            RejectionReason.CredentialCheckFaulted);
        yield return ("limited", right, scram with { AttemptLimiter = new FullLimiter() }, RejectionReason.AttemptsLimited);
        yield return (
            "a token that is not valid",
            Login.WithToken(BearerToken),
            Tokens(TokenVerdict.Invalid("a token in force", "an expired one")),
            RejectionReason.TokenInvalid);
        yield return (
            "a token of another",
            Login.WithToken(BearerToken),
            Tokens(TokenVerdict.Valid("alice", """{"x5t#S256":"abc"}""")),
            RejectionReason.TokenNotBoundToCertificate);
        yield return ("a validator that throws", Login.WithToken(BearerToken), Tokens(null), RejectionReason.CredentialCheckFaulted);
        yield return (
            "a source of tokens that throws",
            Login.WithToken(_ => throw new InvalidOperationException(BearerToken)),
            Tokens(TokenVerdict.Valid("alice", null)),
            RejectionReason.CredentialCheckFaulted);
        yield return (
            "a source of tokens that gives none",
            Login.WithToken(_ => ValueTask.FromResult(BearerToken + "\u0001")),
            Tokens(TokenVerdict.Valid("alice", null)),
            RejectionReason.CredentialCheckFaulted);
        var wiped = Password.From(Right);
        var late = Login.WithPassword("alice", wiped);
        wiped.Dispose();
        yield return ("a wiped password", late, scram, RejectionReason.CredentialCheckFaulted);
        yield return ("broken PLAIN", Login.With(new Saying("PLAIN", $"\0alice\0{Right}\0")), plain, RejectionReason.CredentialProtocolViolated);
        yield return (
            "broken SCRAM", Login.With(new Saying("SCRAM-SHA-256-PLUS", $"n,,n=alice,r={Right}")), scram, RejectionReason.CredentialProtocolViolated);
        yield return (
            "a broken token",
            Login.With(new Saying("OAUTHBEARER", $"n,,\u0001auth=Basic {BearerToken}\u0001\u0001")),
            Tokens(TokenVerdict.Valid("alice", null)),
            RejectionReason.CredentialProtocolViolated);
        yield return (
            "a mechanism of the server's own that throws",
            Login.With(new Saying("OWN", Right)),
            Require.CertificateAndUser(new Throwing()),
            RejectionReason.CredentialCheckFaulted);
        yield return (
            "no binding that the client wants",
            Login.WithPassword("alice", Password.From(Right), channelBinding: ChannelBindingPolicy.Required) with { OnlyMechanism = "SCRAM-SHA-256" },
            scram,
            RejectionReason.ChannelBindingUnavailable);
    }

    private async Task<(End Client, End Server)> RunAsync(ClientCredentials? credentials, CredentialPolicy policy)
    {
        if (credentials is not null)
        {
            (credentials, var notes) = NotingMechanism.Around(credentials);
            _notes.Add(notes);
        }

        _out.Enqueue($"{credentials} {policy} {policy.Users}");
        await using var ends = await ConnectedPair.ShakeAsync(
            _world.ClientOptions with { Credentials = credentials, LoggerFactory = _loggers },
            _world.ServerOptions with { Credentials = policy with { DecoyIterations = ScramVerifier.MinIterations }, LoggerFactory = _loggers });
        foreach (var end in new[] { ends.Client, ends.Server })
        {
            var peer = end.Connection?.Peer;
            _out.Enqueue($"{end.Failure} {(end.Failure as HandshakeException)?.Rejection} {peer} {peer?.User} {peer?.Name}");
        }

        return (ends.Client, ends.Server);
    }

    private async Task StepUpAsync()
    {
        await using var ends = await ConnectedPair.ShakeAsync(
            _world.ClientOptions with { Credentials = Login.WithPassword("alice", Right), LoggerFactory = _loggers },
            _world.ServerOptions with { Credentials = Require.CertificateAndUser(SaslServer.Scram(_users)), LoggerFactory = _loggers });
        await using var verifier = ends.Server.Accepted.BeginStepUp("transaction"u8);
        using var responder = ends.Client.Accepted.AnswerStepUp(Login.WithPassword("alice", Wrong), "transaction"u8);
        await StepUpWire.RunAsync(verifier, responder);
        await using var again = ends.Server.Accepted.BeginReauthentication();
        using var answering = ends.Client.Accepted.AnswerReauthentication(Login.WithToken(_ => throw new InvalidOperationException(BearerToken)));
        await StepUpWire.RunAsync(again, answering);
        _out.Enqueue($"{verifier.Rejection} {responder.Rejection} {verifier} {responder} {again.Rejection} {answering.Rejection}");
    }

    /// <summary>Somebody has written a password where a verifier belongs.</summary>
    private async Task FileAsync()
    {
        var path = Path.Combine(Directory.CreateTempSubdirectory("mutualauth-").FullName, "users");
        try
        {
            await File.WriteAllTextAsync(path, $"alice:{_verifier}\n");
            var store = FileCredentialStore.Open(path, loggerFactory: _loggers);
            await File.WriteAllTextAsync(path, $"alice:{Right}\n");
            store.ReloadIfChanged();
            _out.Enqueue(FluentActions.Invoking(() => FileCredentialStore.Open(path)).Should().Throw<MaterialException>().Which.ToString());
            _out.Enqueue($"{await store.FindAsync("alice", default)}");
            _out.Enqueue(FluentActions.Invoking(() => ScramVerifier.Parse(_verifier + "x")).Should().Throw<FormatException>().Which.ToString());
            _out.Enqueue(FluentActions.Invoking(() => Password.From(Right + "\u0007")).Should().Throw<FormatException>().Which.ToString());
            _out.Enqueue($"{Password.From(Right)}");
        }
        finally
        {
            Directory.Delete(Path.GetDirectoryName(path)!, recursive: true);
        }
    }

    private string[] Secrets()
    {
        var salted = _verifier.Hash.Hi(Encoding.UTF8.GetBytes(Right), s_salt, ScramVerifier.MinIterations);
        var clientKey = _verifier.Hash.ClientKey(salted);
        byte[][] keys =
        [
            Encoding.UTF8.GetBytes(Right), Encoding.UTF8.GetBytes(Wrong), Encoding.UTF8.GetBytes(BearerToken),
            Encoding.UTF8.GetBytes(RightCode), Encoding.UTF8.GetBytes(WrongCode), salted, clientKey,
            _verifier.Hash.ServerKey(salted), _verifier.Hash.H(clientKey),
        ];

        // Proofs, signatures and nonces of all exchanges, as they went over the wire.
        var said = _notes.SelectMany(notes => notes.Said).SelectMany(message => message.Split(',')).Where(
            part => part.Length > 16 && part[1] == '=' && "prvc".Contains(part[0]));
        return [Right, Wrong, BearerToken, RightCode, WrongCode, .. keys.Select(
            key => Convert.ToBase64String(key)), .. keys.Select(Convert.ToHexString), .. said.Select(part => part[2..])];
    }

    private static CredentialPolicy Tokens(TokenVerdict? verdict) =>
        Require.CertificateAndUser(SaslServer.DangerouslyUnboundTokens(new Validator(verdict)));

    /// <summary>Writes down everything that meters and activity sources of the library tell.</summary>
    private sealed class Observer : IDisposable
    {
        private readonly MeterListener _meters = new();
        private readonly ActivityListener _activities;

        internal Observer(ConcurrentQueue<string> output)
        {
            _activities = new ActivityListener
            {
                ShouldListenTo = source => source.Name == MutualAuthTelemetry.SourceName,
                Sample = (ref ActivityCreationOptions<ActivityContext> _) => ActivitySamplingResult.AllDataAndRecorded,
                ActivityStopped = activity => output.Enqueue(
                    $"{activity.DisplayName} {activity.StatusDescription} {string.Join(' ', activity.TagObjects)} "
                        + $"{string.Join(' ', activity.Baggage)} {string.Join(' ', activity.Events.SelectMany(occurred => occurred.Tags))}"),
            };
            ActivitySource.AddActivityListener(_activities);
            _meters.InstrumentPublished = (instrument, listener) =>
            {
                if (instrument.Meter.Name == MutualAuthTelemetry.SourceName)
                {
                    listener.EnableMeasurementEvents(instrument);
                }
            };
            _meters.SetMeasurementEventCallback<double>((instrument, _, tags, _) => output.Enqueue(Describe(instrument, tags)));
            _meters.SetMeasurementEventCallback<int>((instrument, _, tags, _) => output.Enqueue(Describe(instrument, tags)));
            _meters.SetMeasurementEventCallback<long>((instrument, _, tags, _) => output.Enqueue(Describe(instrument, tags)));
            _meters.Start();
        }

        public void Dispose()
        {
            _meters.Dispose();
            _activities.Dispose();
        }

        private static string Describe(Instrument instrument, ReadOnlySpan<KeyValuePair<string, object?>> tags)
        {
            var text = new StringBuilder(instrument.Name);
            foreach (var (key, value) in tags)
            {
                text.Append(CultureInfo.InvariantCulture, $" {key}={value}");
            }

            return text.ToString();
        }
    }

    private sealed class BrokenStore(string words) : ICredentialStore
    {
        public ValueTask<StoredCredential?> FindAsync(string userName, CancellationToken cancellationToken) =>
            throw new FormatException($"Cannot parse {words}.", new InvalidOperationException(words));
    }

    private sealed class Validator(TokenVerdict? verdict) : ITokenValidator
    {
        public ValueTask<TokenVerdict> ValidateAsync(string token, IPAddress? remoteAddress, CancellationToken cancellationToken) =>
            verdict is null ? throw new FormatException($"The token {token} is broken.") : ValueTask.FromResult(verdict);
    }

    private sealed class BrokenLimiter(bool throwsAtEnd) : IAttemptLimiter
    {
        public ValueTask<TimeSpan?> BeginAsync(LoginAttempt attempt, CancellationToken cancellationToken) =>
            throwsAtEnd ? default : throw new InvalidOperationException(Right);

        public ValueTask EndAsync(LoginAttempt attempt, AttemptOutcome outcome) => throw new InvalidOperationException(Right);
    }

    private sealed class FullLimiter : IAttemptLimiter
    {
        public ValueTask<TimeSpan?> BeginAsync(LoginAttempt attempt, CancellationToken cancellationToken) =>
            ValueTask.FromResult<TimeSpan?>(TimeSpan.FromSeconds(1));

        public ValueTask EndAsync(LoginAttempt attempt, AttemptOutcome outcome) => default;
    }

    private sealed class Saying(string name, string message) : ISaslClientMechanism, ISaslClientExchange
    {
        public IEnumerable<string> NamesFor(SaslClientContext context) => [name];

        public ISaslClientExchange Begin(string name, SaslClientContext context) => this;

        public ValueTask<ReadOnlyMemory<byte>?> StartAsync(CancellationToken cancellationToken) =>
            ValueTask.FromResult<ReadOnlyMemory<byte>?>(Encoding.UTF8.GetBytes(message));

        public ValueTask<SaslClientStep> StepAsync(ReadOnlyMemory<byte> challenge, CancellationToken cancellationToken) =>
            throw new InvalidOperationException(message);

        public SaslClientEnd Complete(ReadOnlyMemory<byte>? additionalData) => new(null, PeerProofs.None);

        public void Dispose()
        {
        }
    }

    private sealed class Throwing : ISaslServerMechanism, ISaslServerExchange
    {
        public IEnumerable<string> NamesFor(SaslServerContext context) => ["OWN"];

        public ISaslServerExchange Begin(string name, SaslServerContext context) => this;

        public ValueTask<SaslServerStep> StepAsync(ReadOnlyMemory<byte> message, CancellationToken cancellationToken) =>
            throw new InvalidOperationException(Encoding.UTF8.GetString(message.Span));

        public void Dispose()
        {
        }
    }
}
