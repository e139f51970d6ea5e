using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using Microsoft.Extensions.Logging.Testing;
using MutualAuth.Credentials;
using MutualAuth.Factors;
using MutualAuth.Tests.Support;

namespace MutualAuth.Tests.Factors;

[CancelAfter(30000)]
public sealed class RecoveryCodeTests
{
    private MemoryCredentialStore _store = null!;

    [SetUp]
    public void SetUp() => _store = new MemoryCredentialStore();

    [Test]
    public async Task Each_code_is_used_once_and_the_others_stay()
    {
        var codes = await RecoveryCodes.CreateAsync(_store, "alice", iterations: ScramVerifier.MinIterations);
        var server = SecondFactors.RecoveryCodes(_store);

        (await Factor.RunAsync(server, Factor.Paper(codes[3]))).Should().Be(Factor.End.Proven(PeerProofs.RecoveryCode));
        (await Factor.RunAsync(server, Factor.Paper(codes[3]))).Server.Should().Be(RejectionReason.SecondFactorWrong);
        (await Factor.RunAsync(server, Factor.Paper(codes[4]))).Server.Should().BeNull();
        (await RecoveryCodes.CountAsync(_store, "alice")).Should().Be(8);
    }

    [Test]
    public async Task One_code_at_one_moment_lets_one_in()
    {
        var codes = await RecoveryCodes.CreateAsync(_store, "alice", iterations: ScramVerifier.MinIterations);
        var server = SecondFactors.RecoveryCodes(_store);

        var ends = await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => Task.Run(() => Factor.RunAsync(server, Factor.Paper(codes[0])))));

        ends.Count(end => end.Server is null).Should().Be(1);
        ends.Should().OnlyContain(end => end.Server == null || end.Server == RejectionReason.SecondFactorWrong);
    }

    [Test]
    public async Task A_code_is_taken_as_people_type_it()
    {
        var code = (await RecoveryCodes.CreateAsync(_store, "alice", iterations: ScramVerifier.MinIterations))[0];
        var typed = $"  {code.ToLowerInvariant().Replace('0', 'o').Replace('1', 'l').Replace("-", " ", StringComparison.Ordinal)} ";

        (await Factor.RunAsync(SecondFactors.RecoveryCodes(_store), Factor.Paper(typed))).Server.Should().BeNull();
    }

    [Test]
    public async Task Other_codes_are_wrong_and_so_are_those_of_before_and_of_others()
    {
        var old = await RecoveryCodes.CreateAsync(_store, "alice", iterations: ScramVerifier.MinIterations);
        var fresh = await RecoveryCodes.CreateAsync(_store, "alice", iterations: ScramVerifier.MinIterations);
        var server = SecondFactors.RecoveryCodes(_store);

        (await Factor.RunAsync(server, Factor.Paper(old[0]))).Server.Should().Be(RejectionReason.SecondFactorWrong);
        (await Factor.RunAsync(server, Factor.Paper("0000-0000-0000-0000"))).Server.Should().Be(RejectionReason.SecondFactorWrong);
        (await Factor.RunAsync(server, Factor.Paper("0"))).Server.Should().Be(RejectionReason.SecondFactorWrong);
        (await Factor.RunAsync(server, Factor.Paper(fresh[0]), "bob")).Server.Should().Be(RejectionReason.SecondFactorMissing);
        (await Factor.RunAsync(server, Factor.Paper(fresh[0]), user: null)).Server.Should().Be(RejectionReason.CredentialProtocolViolated);
        (await Factor.RunAsync(server, Factor.Paper(fresh[0]))).Server.Should().BeNull();
    }

    [Test]
    public async Task The_store_has_no_code_and_the_log_says_how_many_are_left()
    {
        var codes = await RecoveryCodes.CreateAsync(_store, "alice", count: 5, ScramVerifier.MinIterations);
        var log = new FakeLoggerProvider();
        using var loggers = Microsoft.Extensions.Logging.LoggerFactory.Create(builder => Microsoft.Extensions.Logging.LoggingBuilderExtensions
            .AddProvider(builder, log));
        var server = SecondFactors.RecoveryCodes(_store, loggers);

        foreach (var code in codes)
        {
            (await Factor.RunAsync(server, Factor.Paper(code))).Server.Should().BeNull();
        }

        (await Factor.RunAsync(server, Factor.Paper(codes[0]))).Server.Should().Be(RejectionReason.SecondFactorWrong, "none is left");
        var kept = (await _store.FindFactorsAsync("alice")).Single().Data;
        var said = log.Collector.GetSnapshot();
        said.Select(record => record.Id.Id).Should().Equal(1321, 1321, 1322, 1321, 1322, 1321, 1322, 1321, 1322);
        foreach (var code in codes)
        {
            kept.Should().NotContain(code).And.NotContain(code.Replace("-", string.Empty, StringComparison.Ordinal));
            said.Should().OnlyContain(record => !record.Message.Contains(code, StringComparison.OrdinalIgnoreCase));
        }
    }

    [Test]
    public async Task What_is_stored_is_not_one_hash_of_a_code()
    {
        var codes = await RecoveryCodes.CreateAsync(_store, "alice", count: 2);
        var kept = (await _store.FindFactorsAsync("alice")).Single().Data;
        var salt = Base64Url.DecodeFromChars(kept.Split(';')[^2]);

        foreach (var code in codes.Select(shown => Encoding.ASCII.GetBytes(shown.Replace("-", string.Empty, StringComparison.Ordinal))))
        {
            byte[][] hashes =
            [
                SHA256.HashData([.. salt, .. code]), SHA256.HashData([.. code, .. salt]), SHA512.HashData([.. salt, .. code]),
                HMACSHA256.HashData(salt, code), HMACSHA256.HashData(code, salt),
            ];
            hashes.Should().OnlyContain(hash => !kept.Contains(Base64Url.EncodeToString(hash), StringComparison.Ordinal));
        }
    }

    [TestCase(0)]
    [TestCase(51)]
    public async Task There_are_one_to_fifty_of_them(int count) =>
        await FluentActions.Awaiting(() => RecoveryCodes.CreateAsync(_store, "alice", count).AsTask())
            .Should().ThrowAsync<ArgumentOutOfRangeException>();

    [Test]
    public async Task All_fifty_fit_into_a_store()
    {
        (await RecoveryCodes.CreateAsync(_store, "alice", 50, ScramVerifier.MinIterations)).Distinct().Should().HaveCount(50);
        (await RecoveryCodes.CountAsync(_store, "alice")).Should().Be(50);
    }
}
