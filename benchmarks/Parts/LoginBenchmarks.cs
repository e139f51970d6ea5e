using BenchmarkDotNet.Attributes;
using Microsoft.Extensions.Logging.Abstractions;
using MutualAuth.Certificates;
using MutualAuth.Credentials;
using MutualAuth.Evidence;
using MutualAuth.Testing;

namespace MutualAuth.Benchmarks.Parts;

/// <summary>SCRAM: what the password costs once, and what a login costs both sides without a wire.</summary>
[MemoryDiagnoser]
public class LoginBenchmarks
{
    private readonly Password _password = Password.From("correct horse battery staple");
    private readonly MemoryCredentialStore _store = new();
    private CredentialPolicy _policy = null!;
    private LoginServices _services = null!;
    private ClientCredentials _credentials = null!;
    private AuthenticatedPeer _peer = null!;
    private ChannelBinding _binding = null!;

    [GlobalSetup]
    public async Task SetupAsync()
    {
        using var authority = new TestAuthority();
        using var server = authority.IssueServer("server.test");
        var certificate = Certificate.Parse(server.RawCertificate);
        _peer = new AuthenticatedPeer(new PeerEvidence(PeerRole.Server, [server.RawCertificate]), [certificate], null);
        _binding = ChannelBinding.OfServerCertificate(certificate)!;
        await _store.SetAsync("alice", ScramVerifier.Create(_password));
        _policy = Require.User(SaslServer.Scram(_store));
        _services = new LoginServices(_policy, TimeProvider.System);
        _credentials = Login.WithPassword("alice", _password);
    }

    [Benchmark]
    public ScramVerifier MakeVerifier() => ScramVerifier.Create(_password);

    [Benchmark]
    public async Task<bool> LogIn()
    {
        await using var server = new SaslServerSession(_policy, new SaslServerContext(_policy, _services, _binding, null, null), NullLogger.Instance);
        var (client, _) = SaslClientSession.Begin(
            _credentials, new SaslClientContext(_peer, _binding, server.Offered) { KeyDerivation = KeyDerivation.Unbounded });
        using (client)
        {
            var step = await server.StartAsync(client!.Mechanism, await client.StartAsync(default), default);
            while (step is SaslServerStep.Challenged challenge)
            {
                step = await server.ContinueAsync((await client.StepAsync(challenge.Message, default)).Message, default);
            }

            return step is SaslServerStep.Succeeded success && client.Complete(success.AdditionalData).Objection is null;
        }
    }
}
