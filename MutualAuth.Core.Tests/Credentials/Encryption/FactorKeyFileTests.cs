using Microsoft.Extensions.Time.Testing;
using MutualAuth.Credentials;
using MutualAuth.Tests.Support;

namespace MutualAuth.Tests.Credentials;

/// <summary>Keys in a file: private, followed, the first one writes.</summary>
public sealed class FactorKeyFileTests
{
    private const UnixFileMode Private = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    private readonly StoredFactor _plain = new("phone", "totp", "1;secret");
    private TemporaryFolder _folder = null!;
    private string _path = null!;

    [SetUp]
    public void SetUp()
    {
        _folder = new TemporaryFolder();
        _path = _folder["factor-keys"];
    }

    [TearDown]
    public void TearDown() => _folder.Dispose();

    [Test]
    public async Task A_file_that_is_made_is_its_owners_alone_and_the_newest_key_writes()
    {
        FactorKeyFile.AddKey(_path, "k1");
        using var before = Open();
        var old = await FactorEncryption.EncryptAsync(before, "alice", _plain);
        FactorKeyFile.AddKey(_path, "k2");
        FactorKeyFile.AddKey(_path, "k3", isCurrent: false);
        using var after = Open();

        if (!OperatingSystem.IsWindows())
        {
            File.GetUnixFileMode(_path).Should().Be(Private);
        }

        (await after.FindCurrentAsync()).Id.Should().Be("k2");
        (await after.FindAsync("k3"))!.Id.Should().Be("k3");
        (await after.FindAsync("k4")).Should().BeNull();
        (await FactorEncryption.OpenAsync(after, "alice", old, true)).Factor.Should().Be(_plain);
    }

    [Test]
    public void Two_keys_do_not_have_one_name()
    {
        FactorKeyFile.AddKey(_path, "k1");
        var content = File.ReadAllText(_path);

        FluentActions.Invoking(() => FactorKeyFile.AddKey(_path, "k1")).Should().Throw<MaterialException>();
        File.ReadAllText(_path).Should().Be(content);
    }

    [TestCase(Private, null)]
    [TestCase(UnixFileMode.UserRead, null)]
    [TestCase(Private | UnixFileMode.GroupRead, MaterialProblem.ReadableByOthers)]
    [TestCase(Private | UnixFileMode.OtherRead, MaterialProblem.ReadableByOthers)]
    [TestCase(Private | UnixFileMode.OtherWrite, MaterialProblem.WritableByOthers)]
    [Platform(Exclude = "Win")]
    [System.Runtime.Versioning.UnsupportedOSPlatform("windows")]
    public void A_file_that_others_can_read_or_write_is_refused(UnixFileMode mode, MaterialProblem? problem)
    {
        FactorKeyFile.AddKey(_path, "k1");
        File.SetUnixFileMode(_path, mode);

        MaterialProblem? found = null;
        try
        {
            Open().Dispose();
        }
        catch (MaterialException exception)
        {
            found = exception.Problem;
        }

        found.Should().Be(problem);
    }

    [TestCase("")]
    [TestCase("# k1\n")]
    [TestCase("k1:c2hvcnQ=\n")]
    [TestCase("k1 AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n")]
    [TestCase("k1:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\n")]
    [TestCase("k1:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=:x\n")]
    [TestCase("k 1:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n")]
    [TestCase("k1:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\nk1:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n")]
    public void What_is_no_file_of_keys_is_refused_and_not_repeated(string content)
    {
        Write(content);

        FluentActions.Invoking(Open).Should().Throw<MaterialException>().Which.ToString().Should().NotContain("AAAA").And.NotContain("c2hv");
    }

    [Test]
    public async Task A_key_that_another_process_has_begun_to_write_with_is_read_at_once_and_a_name_that_nobody_has_is_looked_for_once_a_second()
    {
        var time = new FakeTimeProvider();
        FactorKeyFile.AddKey(_path, "k1");
        using var keys = Open(time);
        FactorKeyFile.AddKey(_path, "k2");

        (await keys.FindAsync("k2"))!.Id.Should().Be("k2");
        (await keys.FindCurrentAsync()).Id.Should().Be("k2");

        FactorKeyFile.AddKey(_path, "k3");
        (await keys.FindAsync("k3")).Should().BeNull("it has been looked for less than a second ago");
        time.Advance(TimeSpan.FromSeconds(1));
        (await keys.FindAsync("k3"))!.Id.Should().Be("k3");
    }

    [Test]
    public async Task A_file_that_is_ruined_leaves_the_last_good_keys_in_force()
    {
        FactorKeyFile.AddKey(_path, "k1");
        using var keys = Open();
        var stored = await FactorEncryption.EncryptAsync(keys, "alice", _plain);

        Write("nothing of that kind");
        keys.Reload().Should().BeFalse();

        keys.LastFailure.Should().NotBeNull();
        (await FactorEncryption.OpenAsync(keys, "alice", stored, true)).Factor.Should().Be(_plain);
    }

    private FactorKeyFile Open() => Open(new FakeTimeProvider());

    private FactorKeyFile Open(TimeProvider time) => new(_path, new WatchOptions { TimeProvider = time });

    private void Write(string content)
    {
        File.WriteAllText(_path, content);
        if (!OperatingSystem.IsWindows())
        {
            File.SetUnixFileMode(_path, Private);
        }
    }
}
