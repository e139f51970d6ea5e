using MutualAuth.Testing;
using MutualAuth.Tests.Support;

namespace MutualAuth.Tests.Scenarios;

/// <summary>A server whose certificate and key are replaced while it runs, in every way in which files are: what the next client sees.</summary>
[CancelAfter(120000)]
public sealed class ReloadTests
{
    private World _world = null!;
    private TemporaryFolder _cabinet = null!;
    private TestCertificate _old = null!;
    private TestCertificate _new = null!;

    [SetUp]
    public void SetUp()
    {
        _world = new World();
        _cabinet = new TemporaryFolder();
        _old = _world.Authority.IssueServer("server.test");
        _new = _world.Authority.IssueServer("server.test");
    }

    [TearDown]
    public void TearDown()
    {
        _old.Dispose();
        _new.Dispose();
        _cabinet.Dispose();
        _world.Dispose();
    }

    [Test]
    public async Task Files_that_others_are_renamed_over_are_taken_up()
    {
        using var files = Follow();

        _cabinet.Rename("tls.crt", _new.ChainPem);
        _cabinet.Rename("tls.key", _new.PrivateKeyPem);
        _cabinet.Settle();

        await ClientSeesAsync(_new, files);
    }

    [Test]
    public async Task Files_that_are_rewritten_in_place_are_taken_up()
    {
        using var files = Follow();

        _cabinet.Write(_new);
        _cabinet.Settle();

        await ClientSeesAsync(_new, files);
    }

    [Test]
    public async Task A_link_that_is_swapped_as_Kubernetes_does_it_is_taken_up()
    {
        _cabinet.Write(_old, "..2026_01");
        _cabinet.Write(_new, "..2026_02");
        _cabinet.Swap("..data", "..2026_01");
        File.CreateSymbolicLink(_cabinet["tls.crt"], "..data/tls.crt");
        File.CreateSymbolicLink(_cabinet["tls.key"], "..data/tls.key");
        using var files = IdentityFiles.FromPem(_cabinet["tls.crt"], _cabinet["tls.key"], options: _cabinet.Options);
        await ClientSeesAsync(_old, files);

        _cabinet.Swap("..data", "..2026_02");
        Directory.Delete(_cabinet["..2026_01"], recursive: true);
        _cabinet.Settle();

        await ClientSeesAsync(_new, files);
    }

    [Test]
    public async Task A_link_to_the_directory_itself_that_is_swapped_is_taken_up()
    {
        _cabinet.Write(_old, "one");
        _cabinet.Write(_new, "two");
        _cabinet.Swap("current", "one");
        using var files = IdentityFiles.FromPem(_cabinet["current/tls.crt"], _cabinet["current/tls.key"], options: _cabinet.Options);

        _cabinet.Swap("current", "two");
        _cabinet.Settle();

        await ClientSeesAsync(_new, files);
    }

    [Test]
    public async Task Files_that_are_deleted_leave_the_last_good_pair_and_are_taken_up_when_they_are_made_anew()
    {
        using var files = Follow();
        var heard = new Heard(files);

        File.Delete(_cabinet["tls.crt"]);
        File.Delete(_cabinet["tls.key"]);
        _cabinet.Settle();

        heard.Refused.Should().ContainSingle().Which.Problem.Should().Be(MaterialProblem.Unreadable);
        await ClientSeesAsync(_old, files);

        _cabinet.Write(_new);
        _cabinet.Settle();

        files.LastFailure.Should().BeNull();
        await ClientSeesAsync(_new, files);
    }

    [Test]
    public async Task A_file_that_is_written_slowly_is_taken_up_when_it_is_whole_and_not_before()
    {
        using var files = Follow();
        var heard = new Heard(files);
        var text = _new.ChainPem;

        using (var writer = new StreamWriter(new FileStream(_cabinet["tls.crt"], FileMode.Create, FileAccess.Write, FileShare.ReadWrite))
        { AutoFlush = true })
        {
            for (var at = 0; at < text.Length; at += 100)
            {
                writer.Write(text.AsSpan(at, Math.Min(100, text.Length - at)));
                _cabinet.Clock.Advance(TimeSpan.FromMilliseconds(50));
            }
        }

        _cabinet.Write("tls.key", _new.PrivateKeyPem);
        heard.Replaced.Should().Be(0);
        heard.Refused.Should().BeEmpty("the files have not stood still");
        _cabinet.Settle();

        heard.Replaced.Should().Be(1);
        await ClientSeesAsync(_new, files);
    }

    [Test]
    public async Task A_write_that_breaks_off_leaves_the_last_good_pair()
    {
        using var files = Follow();
        var heard = new Heard(files);

        _cabinet.Write("tls.crt", _new.ChainPem[..(_new.ChainPem.Length / 2)]);
        _cabinet.Write("tls.key", _new.PrivateKeyPem);
        _cabinet.Settle();

        heard.Refused.Should().ContainSingle().Which.Problem.Should().Be(MaterialProblem.NoCertificate);
        await ClientSeesAsync(_old, files);
    }

    [Test]
    public async Task A_key_that_is_written_long_after_its_certificate_is_taken_up_together_with_it()
    {
        using var files = Follow();
        var heard = new Heard(files);

        _cabinet.Rename("tls.crt", _new.ChainPem);
        _cabinet.Settle();

        heard.Refused.Should().ContainSingle().Which.Problem.Should().Be(MaterialProblem.KeyMismatch);
        await ClientSeesAsync(_old, files);

        _cabinet.Rename("tls.key", _new.PrivateKeyPem);
        _cabinet.Settle();

        (heard.Replaced, files.LastFailure).Should().Be((1, null));
        await ClientSeesAsync(_new, files);
    }

    [Test]
    public async Task A_file_of_the_same_length_and_the_same_times_is_taken_up()
    {
        using var files = Follow();
        var (first, second) = (_cabinet["tls.crt"], _cabinet["tls.key"]);
        var time = File.GetLastWriteTimeUtc(first);

        _cabinet.Write(_new);
        File.SetLastWriteTimeUtc(first, time);
        File.SetLastWriteTimeUtc(second, time);
        _cabinet.Settle();

        await ClientSeesAsync(_new, files);
    }

    [Test]
    public async Task Files_that_are_put_back_as_they_were_are_no_reload_and_no_failure()
    {
        using var files = Follow();
        var heard = new Heard(files);

        _cabinet.Write("tls.crt", "half");
        _cabinet.Settle();
        _cabinet.Write(_old);
        _cabinet.Settle();

        (heard.Replaced, heard.Refused.Count, files.LastFailure).Should().Be((0, 1, null));
        await ClientSeesAsync(_old, files);
    }

    [Test]
    public async Task A_reload_that_is_asked_for_does_not_wait()
    {
        using var files = Follow();
        _cabinet.Write(_new);

        files.Reload().Should().BeTrue();
        files.Reload().Should().BeFalse("nothing is new");

        await ClientSeesAsync(_new, files);
    }

    [Test]
    public void What_is_disposed_of_follows_no_more()
    {
        var files = Follow();
        files.Dispose();

        _cabinet.Write(_new);
        _cabinet.Settle();

        files.Current.Certificate.Should().Be(_old.Read());
    }

    private IdentityFiles Follow()
    {
        var (chain, key) = _cabinet.Write(_old);
        return IdentityFiles.FromPem(chain, key, options: _cabinet.Options);
    }

    private async Task ClientSeesAsync(TestCertificate expected, IdentityFiles files)
    {
        await using var ends = await ConnectedPair.ShakeAsync(_world.ClientOptions, _world.ServerOptions with { Identity = files });
        ends.Client.Accepted.Peer.Certificate.Should().Be(expected.Read());
    }
}
