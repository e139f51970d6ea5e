using System.Text;
using MutualAuth.Credentials;

namespace MutualAuth.Tests.Credentials;

/// <summary>What is encrypted opens with its key, for its user, as its factor, and in no other way.</summary>
public sealed class FactorEncryptionTests
{
    private const string Secret = "1;GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ;1;6;30;-";

    private readonly StoredFactor _plain = new("phone", "totp", Secret);
    private readonly FactorKeys _keys = new(FactorKey.Create("k2"), FactorKey.Create("k1"));

    [Test]
    public async Task What_is_encrypted_opens_and_says_nothing_of_what_it_was()
    {
        var stored = await FactorEncryption.EncryptAsync(_keys, "alice", _plain);
        var opened = await OpenAsync(stored);

        (stored.Id, stored.Kind).Should().Be(("phone", "totp"));
        (FactorEncryption.IsEncrypted(stored), FactorEncryption.IsEncrypted(_plain)).Should().Be((true, false));
        stored.Data.Should().StartWith("A256GCM;k2;").And.NotContain("GEZDGNBV");
        (opened.Factor, opened.KeyId, opened.Objection).Should().Be((_plain, "k2", null));
    }

    [Test]
    public async Task Twice_the_same_is_not_the_same_twice() =>
        (await FactorEncryption.EncryptAsync(_keys, "alice", _plain)).Should().NotBe(await FactorEncryption.EncryptAsync(_keys, "alice", _plain));

    [TestCase("alice", "phone", "totp", null)]
    [TestCase("bob", "phone", "totp", RejectionReason.SecondFactorNotAuthentic)]
    [TestCase("Alice", "phone", "totp", RejectionReason.SecondFactorNotAuthentic)]
    [TestCase("alice", "phone2", "totp", RejectionReason.SecondFactorNotAuthentic)]
    [TestCase("alice", "Phone", "totp", RejectionReason.SecondFactorNotAuthentic)]
    [TestCase("alice", "phone", "hotp", RejectionReason.SecondFactorNotAuthentic)]
    [TestCase("alicep", "hone", "totp", RejectionReason.SecondFactorNotAuthentic)]
    [TestCase("alice", "phonet", "otp", RejectionReason.SecondFactorNotAuthentic)]
    public async Task A_record_opens_where_it_belongs_and_nowhere_else(string user, string id, string kind, RejectionReason? reason)
    {
        var stored = await FactorEncryption.EncryptAsync(_keys, "alice", _plain);

        var opened = await OpenAsync(new StoredFactor(id, kind, stored.Data), user);

        (opened.IsOpen, opened.Objection?.Reason).Should().Be((reason is null, reason));
    }

    [Test]
    public async Task Every_character_counts()
    {
        var stored = await FactorEncryption.EncryptAsync(_keys, "alice", _plain);
        for (var at = 0; at < stored.Data.Length; at++)
        {
            var altered = new StringBuilder(stored.Data);
            altered[at] = altered[at] == 'A' ? 'B' : 'A';
            var opened = await FactorEncryption.OpenAsync(_keys, "alice", new StoredFactor("phone", "totp", altered.ToString()), true);

            opened.IsOpen.Should().BeFalse($"character {at} was altered");
            opened.Objection!.Reason.Should().BeOneOf(
                RejectionReason.SecondFactorNotAuthentic, RejectionReason.SecondFactorKeyUnavailable, RejectionReason.SecondFactorNotEncrypted);
        }
    }

    [TestCase("A256GCM;k2")]
    [TestCase("A256GCM;k2;")]
    [TestCase("A256GCM;;AAAA")]
    [TestCase("A256GCM;k2;AAAA")]
    [TestCase("A256GCM;k2;AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA")]
    [TestCase("A256GCM;k2;AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA")]
    [TestCase("A256GCM;k2;+++/")]
    [TestCase("A256GCM;k2;AAAA;AAAA")]
    [TestCase("A256GCM;k$;AAAA")]
    public async Task What_nobody_encrypted_is_not_authentic(string data) =>
        (await OpenAsync(new StoredFactor("phone", "totp", data))).Objection!.Reason.Should().Be(RejectionReason.SecondFactorNotAuthentic);

    [Test]
    public async Task Even_the_longest_data_that_are_none_are_refused_and_do_not_throw()
    {
        var data = "A256GCM;k2;" + new string('A', StoredFactor.MaxDataLength - 11);

        (await OpenAsync(new StoredFactor("phone", "totp", data))).Objection!.Reason.Should().Be(RejectionReason.SecondFactorNotAuthentic);
    }

    [Test]
    public async Task Without_its_key_nothing_opens_and_with_an_earlier_one_it_still_does()
    {
        var (first, second) = (FactorKey.Create("k1"), FactorKey.Create("k2"));
        var stored = await FactorEncryption.EncryptAsync(new FactorKeys(first), "alice", _plain);

        (await ReasonAsync(new FactorKeys(second, first), stored)).Should().BeNull();
        (await ReasonAsync(new FactorKeys(second), stored)).Should().Be(RejectionReason.SecondFactorKeyUnavailable);
        (await ReasonAsync(null, stored)).Should().Be(RejectionReason.SecondFactorKeyUnavailable);
        (await ReasonAsync(new FactorKeys(FactorKey.Create("k1")), stored)).Should().Be(RejectionReason.SecondFactorNotAuthentic);
        (await ReasonAsync(new Broken(), stored)).Should().Be(RejectionReason.SecondFactorKeyUnavailable);
    }

    /// <summary>The key of another name does not open it either, though its octets are the same.</summary>
    [Test]
    public async Task The_name_of_the_key_is_bound_too()
    {
        var octets = new byte[FactorKey.Length];
        octets[0] = 1;
        var keys = new FactorKeys(new FactorKey("k1", octets), new FactorKey("k2", octets));
        var stored = await FactorEncryption.EncryptAsync(keys, "alice", _plain);

        (await ReasonAsync(keys, stored)).Should().BeNull();
        (await ReasonAsync(keys, new StoredFactor("phone", "totp", stored.Data.Replace(";k1;", ";k2;", StringComparison.Ordinal)))).Should()
            .Be(RejectionReason.SecondFactorNotAuthentic);
    }

    [TestCase(false, null)]
    [TestCase(true, RejectionReason.SecondFactorNotEncrypted)]
    public async Task Plain_text_is_read_unless_encryption_is_demanded(bool requireEncryption, RejectionReason? reason)
    {
        var opened = await FactorEncryption.OpenAsync(_keys, "alice", _plain, requireEncryption);

        (opened.Objection?.Reason, opened.Factor, opened.KeyId).Should().Be((reason, reason is null ? _plain : null, null));
    }

    [Test]
    public async Task What_is_encrypted_is_not_encrypted_again_and_a_key_that_cannot_be_had_writes_nothing()
    {
        var stored = await FactorEncryption.EncryptAsync(_keys, "alice", _plain);

        await FluentActions.Awaiting(() => FactorEncryption.EncryptAsync(_keys, "alice", stored).AsTask()).Should().ThrowAsync<ArgumentException>();
        await FluentActions.Awaiting(() => FactorEncryption.EncryptAsync(new Broken(), "alice", _plain).AsTask()).Should()
            .ThrowAsync<InvalidOperationException>();
    }

    [Test]
    public async Task Who_waits_for_a_key_gives_up_with_the_handshake()
    {
        using var stop = new CancellationTokenSource();
        var stored = await FactorEncryption.EncryptAsync(_keys, "alice", _plain);
        var opening = FactorEncryption.OpenAsync(new Silent(), "alice", stored, false, stop.Token).AsTask();

        await stop.CancelAsync();

        await FluentActions.Awaiting(() => opening.WaitAsync(TimeSpan.FromSeconds(30))).Should().ThrowAsync<OperationCanceledException>();
    }

    [Test]
    public void Keys_have_their_form_and_their_text_says_nothing_of_them()
    {
        var octets = Enumerable.Range(1, FactorKey.Length).Select(number => (byte)number).ToArray();

        new FactorKey("k1", octets).ToString().Should().Be("the key k1");
        FluentActions.Invoking(() => new FactorKey("k1", octets.AsSpan(1))).Should().Throw<ArgumentException>();
        FluentActions.Invoking(() => new FactorKey("k;1", octets)).Should().Throw<ArgumentException>();
        FluentActions.Invoking(() => new FactorKey("", octets)).Should().Throw<ArgumentException>();
        FluentActions.Invoking(() => new FactorKeys(FactorKey.Create("a"), FactorKey.Create("a"))).Should().Throw<ArgumentException>();
    }

    private ValueTask<OpenedFactor> OpenAsync(StoredFactor stored, string user = "alice") => FactorEncryption.OpenAsync(_keys, user, stored, false);

    private static async Task<RejectionReason?> ReasonAsync(IFactorKeySource? keys, StoredFactor stored) =>
        (await FactorEncryption.OpenAsync(keys, "alice", stored, false)).Objection?.Reason;

    private sealed class Broken : IFactorKeySource
    {
        public ValueTask<FactorKey> FindCurrentAsync(CancellationToken cancellationToken = default) => throw new InvalidOperationException("closed");

        public ValueTask<FactorKey?> FindAsync(string keyId, CancellationToken cancellationToken = default) =>
            throw new InvalidOperationException("closed");
    }

    private sealed class Silent : IFactorKeySource
    {
        public ValueTask<FactorKey> FindCurrentAsync(CancellationToken cancellationToken = default) => throw new NotSupportedException();

        public async ValueTask<FactorKey?> FindAsync(string keyId, CancellationToken cancellationToken = default)
        {
            await Task.Delay(Timeout.InfiniteTimeSpan, cancellationToken);
            return null;
        }
    }
}
