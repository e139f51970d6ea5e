using System.Net;
using System.Security.Cryptography;
using MutualAuth.Credentials;

namespace MutualAuth.Tests.Credentials;

/// <summary>Derivations for mechanisms of the application's own, in the places that the policy has for derivations.</summary>
[CancelAfter(30000)]
public sealed class DeriveKeyTests
{
    private static readonly TimeSpan s_deadline = TimeSpan.FromSeconds(20);
    private static readonly byte[] s_salt = [1, 2, 3, 4, 5, 6, 7, 8];

    private readonly CredentialPolicy _policy = Require.User(SaslServer.Scram(new MemoryCredentialStore())) with
    {
        MaxConcurrentKeyDerivations = 1,
        MaxWaitingKeyDerivations = 1,
    };

    private Password _secret = null!;
    private LoginServices _services = null!;

    [SetUp]
    public void SetUp()
    {
        _secret = Password.From("pencil");
        _services = new LoginServices(_policy, TimeProvider.System);
    }

    [TearDown]
    public void TearDown() => _secret.Dispose();

    [Test]
    public async Task It_is_PBKDF2_with_either_hash()
    {
        foreach (var (hash, name) in new[] { (ScramHash.Sha256, HashAlgorithmName.SHA256), (ScramHash.Sha512, HashAlgorithmName.SHA512) })
        {
            (await DeriveAsync(hash: hash)).Should().Equal(Rfc2898DeriveBytes.Pbkdf2("pencil", s_salt, 4096, name, hash.Length));
        }

        _services.KeyDerivation.Calls.Should().Be(2);
    }

    [TestCase(4095, false)]
    [TestCase(4096, true)]
    [TestCase(1_000_000, true)]
    [TestCase(1_000_001, false)]
    public async Task Iterations_have_bounds_and_beyond_them_nothing_is_derived(int iterations, bool isDerived)
    {
        var derive = () => DeriveAsync(iterations);

        if (isDerived)
        {
            await derive.Should().NotThrowAsync();
        }
        else
        {
            await derive.Should().ThrowAsync<ArgumentOutOfRangeException>();
        }

        _services.KeyDerivation.Calls.Should().Be(isDerived ? 1 : 0);
    }

    [Test]
    public async Task Null_is_refused()
    {
        var context = Context("192.0.2.1");

        var noHash = async () => await context.DeriveKeyAsync(null!, _secret, s_salt, 4096, default);
        var noSecret = async () => await context.DeriveKeyAsync(ScramHash.Sha256, null!, s_salt, 4096, default);

        await noHash.Should().ThrowAsync<ArgumentNullException>();
        await noSecret.Should().ThrowAsync<ArgumentNullException>();
        var noCall = async () => await context.RunBlockingAsync<int>(null!, default);
        await noCall.Should().ThrowAsync<ArgumentNullException>();
    }

    [Test]
    public async Task A_call_that_may_block_runs_outside_the_pool_and_what_it_throws_is_thrown()
    {
        var context = Context("192.0.2.1");

        (await context.RunBlockingAsync(() => new ValueTask<bool>(Thread.CurrentThread.IsThreadPoolThread), default)).Should().BeFalse();
        var throwing = async () => await context.RunBlockingAsync<int>(() => throw new InvalidOperationException("oops"), default);
        await throwing.Should().ThrowAsync<InvalidOperationException>().WithMessage("oops");
    }

    [TestCase(false)]
    [TestCase(true)]
    public async Task A_stranger_finds_no_place_and_a_user_who_was_there_before_takes_a_strangers(bool isFamiliar)
    {
        using var held = new ManualResetEventSlim();
        var begun = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        _services.KeyDerivation.BeforeDeriving = _ =>
        {
            begun.TrySetResult();
            held.Wait(s_deadline);
        };
        if (isFamiliar)
        {
            _services.Familiar.Add(new LoginAttempt("alice", IPAddress.Parse("192.0.2.9")));
        }

        var first = DeriveAsync(from: "192.0.2.1");
        try
        {
            await begun.Task.WaitAsync(s_deadline);
            var waiting = DeriveAsync(from: "192.0.2.2");
            var third = DeriveAsync(from: "192.0.2.9");

            (await (isFamiliar ? waiting : third).WaitAsync(s_deadline)).Should().BeNull();
            held.Set();
            (await (isFamiliar ? third : waiting).WaitAsync(s_deadline)).Should().NotBeNull();
        }
        finally
        {
            held.Set();
        }

        (await first.WaitAsync(s_deadline)).Should().NotBeNull();
    }

    private async Task<byte[]?> DeriveAsync(int iterations = 4096, string from = "192.0.2.1", ScramHash? hash = null) =>
        await Context(from).DeriveKeyAsync(hash ?? ScramHash.Sha256, _secret, s_salt, iterations, default);

    private SaslServerContext Context(string from) => new(_policy, _services, null, null, new IPEndPoint(IPAddress.Parse(from), 1))
    {
        User = new AuthenticatedUser("alice", null, "SCRAM-SHA-256-PLUS", PeerProofs.Password, []),
    };
}
