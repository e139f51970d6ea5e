using System.Buffers.Text;
using System.Runtime.Versioning;
using System.Security.Cryptography;
using MutualAuth.Credentials;
using MutualAuth.Tests.Support;

namespace MutualAuth.Tests;

/// <summary>users: the tool as a process, on a file and on a database; no password is on its command line.</summary>
public sealed class UsersTests
{
    private string _directory = null!;

    [SetUp]
    public void SetUp() => _directory = Directory.CreateTempSubdirectory("mutualauth-users-").FullName;

    [TearDown]
    public void TearDown() => Directory.Delete(_directory, recursive: true);

    [TestCase("{0}/users")]
    [TestCase("sqlite:{0}/users.db")]
    public async Task Users_are_added_changed_disabled_and_removed(string storeFormat)
    {
        var store = string.Format(storeFormat, _directory);

        (await ToolRun.AsProcess("pencil\n", "users", "add", "alice", "--store", store)).ExitCode.Should().Be(0);

        var again = await ToolRun.AsProcess("pencil\n", "users", "add", "alice", "--store", store);
        (again.ExitCode, again.ErrorCode).Should().Be((2, "user_exists"), again.ToString());
        (await ListAsync(store)).Should().StartWith("""{"user":"alice","state":"enabled","verifiers":["SCRAM-SHA-256/600000"]}""");
        (await ToolRun.Of("users", "disable", "alice", "--store", store)).Output.Should().Be("disabled alice\n");
        (await ListAsync(store)).Should().Contain("disabled");
        (await ToolRun.Of("users", "enable", "alice", "--store", store)).ExitCode.Should().Be(0);
        (await ToolRun.Of("users", "remove", "alice", "--store", store)).ExitCode.Should().Be(0);
        (await ListAsync(store)).Should().BeEmpty();
        var gone = await ToolRun.Of("users", "disable", "alice", "--store", store);
        (gone.ExitCode, gone.ErrorCode).Should().Be((2, "no_such_user"), gone.ToString());
    }

    [Test]
    [UnsupportedOSPlatform("windows")]
    public async Task The_password_is_the_first_line_of_stdin_and_a_change_replaces_it()
    {
        var path = Path.Combine(_directory, "users");
        await ToolRun.AsProcess("first\nsecond\n", "users", "add", "alice", "--store", path);
        var before = await VerifierAsync(path);
        (await ToolRun.AsProcess("second\n", "users", "password", "alice", "--store", path)).ExitCode.Should().Be(0);

        (await VerifierAsync(path)).Should().NotBe(before);
        File.GetUnixFileMode(path).Should().Be(UnixFileMode.UserRead | UnixFileMode.UserWrite);
    }

    [TestCase("{0}/users")]
    [TestCase("sqlite:{0}/users.db")]
    public async Task A_secret_is_stored_encrypted_and_rewritten_with_the_next_key(string storeFormat)
    {
        var (store, keys) = (string.Format(storeFormat, _directory), Path.Combine(_directory, "factor-keys"));
        await ToolRun.AsProcess("pencil\n", "users", "add", "alice", "--store", store);
        (await ToolRun.Of("users", "factor-key", keys)).ExitCode.Should().Be(0);

        var made = await ToolRun.Of("users", "totp", "alice", "--store", store, "--factor-keys", keys, "--issuer", "Bank");
        made.Output.Should().StartWith("otpauth://totp/Bank:alice?secret=", made.ToString());
        var secret = made.Output.Split("secret=")[1].Split('&')[0];
        var held = new DirectoryInfo(_directory).EnumerateFiles().Where(file => file.Name.StartsWith("users", StringComparison.Ordinal));
        foreach (var file in held.Where(file => file.Extension != ".lock"))
        {
            File.ReadAllBytes(file.FullName).AsSpan().IndexOf(System.Text.Encoding.ASCII.GetBytes(secret)).Should().Be(-1, file.Name);
        }

        (await ToolRun.Of("users", "encrypt", "--store", store, "--factor-keys", keys)).Output.Should().Be("encrypted 0, unchanged 1, refused 0\n");
        await ToolRun.Of("users", "factor-key", keys);
        (await ToolRun.Of("users", "encrypt", "--store", store, "--factor-keys", keys)).Output.Should().Be("encrypted 1, unchanged 0, refused 0\n");
        (await ToolRun.Of("users", "totp", "alice", "--store", store, "--id", "tablet")).Errors.Should().Contain("plain text");
        (await ToolRun.Of("users", "encrypt", "--store", store, "--factor-keys", keys)).Output.Should().Be("encrypted 1, unchanged 1, refused 0\n");
    }

    [Test]
    public async Task Recovery_codes_of_an_earlier_version_are_rewritten_and_a_set_that_cannot_be_read_is_named()
    {
        var path = Path.Combine(_directory, "users");
        await ToolRun.AsProcess("pencil\n", "users", "add", "alice", "--store", path);
        await ToolRun.AsProcess("pencil\n", "users", "add", "bob", "--store", path);
        var salt = new byte[16];
        var hash = Base64Url.EncodeToString(SHA256.HashData([.. salt, .. "0123456789ABCDEF"u8]));
        var earlier = new StoredFactor("recovery", "recovery", $"1;{Base64Url.EncodeToString(salt)};{hash}");
        using var store = FileCredentialStore.Open(path);
        await store.SetFactorAsync("alice", earlier);

        (await ToolRun.Of("users", "rehash", "--store", path)).Output.Should().Be("rewritten 1, unchanged 0, refused 0\n");
        (await File.ReadAllTextAsync(path)).Should().NotContain(hash).And.Contain($"2;{ScramHash.Sha512.DefaultIterations};");
        (await ToolRun.Of("users", "rehash", "--store", path)).Output.Should().Be("rewritten 0, unchanged 1, refused 0\n");

        await store.SetFactorAsync("bob", new StoredFactor("recovery", "recovery", "2;1;AAAA;AAAA"));
        var run = await ToolRun.Of("users", "rehash", "--store", path);

        (run.ExitCode, run.ErrorCode, run.Output).Should().Be((2, "not_read", "rewritten 0, unchanged 1, refused 1\n"), run.ToString());
        run.Errors.Should().Contain("bob: the recovery codes cannot be read");
    }

    [Test]
    public async Task Without_its_key_a_secret_is_named_and_stays_and_an_open_file_of_keys_is_refused()
    {
        var (store, keys, others) = (Path.Combine(_directory, "users"), Path.Combine(_directory, "keys"), Path.Combine(_directory, "others"));
        await ToolRun.AsProcess("pencil\n", "users", "add", "alice", "--store", store);
        await ToolRun.Of("users", "factor-key", keys);
        await ToolRun.Of("users", "factor-key", others);
        await ToolRun.Of("users", "totp", "alice", "--store", store, "--factor-keys", keys);
        var before = await File.ReadAllTextAsync(store);

        var run = await ToolRun.Of("users", "encrypt", "--store", store, "--factor-keys", others);

        (run.ExitCode, run.ErrorCode, run.Output).Should().Be((2, "not_opened", "encrypted 0, unchanged 0, refused 1\n"), run.ToString());
        run.Errors.Should().Contain("alice phone: second_factor_key_unavailable");
        (await File.ReadAllTextAsync(store)).Should().Be(before);
        (await ToolRun.Of("users", "totp", "bob", "--store", store, "--factor-keys", keys)).ErrorCode.Should().Be("no_such_user");
        if (!OperatingSystem.IsWindows())
        {
            File.SetUnixFileMode(keys, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.OtherRead);
            (await ToolRun.Of("users", "encrypt", "--store", store, "--factor-keys", keys)).ExitCode.Should().Be(2);
        }
    }

    [Test]
    public async Task Without_a_password_nothing_is_added()
    {
        var run = await ToolRun.AsProcess(string.Empty, "users", "add", "alice", "--store", Path.Combine(_directory, "users"));

        (run.ExitCode, run.ErrorCode).Should().Be((2, "usage"), run.ToString());
    }

    [TestCase("users")]
    [TestCase("sqlite:users.db")]
    [TestCase("postgres:connection")]
    public async Task A_store_that_is_not_there_is_a_failure(string store)
    {
        var run = await ToolRun.Of("users", "list", "--store", store.Replace("users", $"{_directory}/no").Replace("connection", $"{_directory}/no"));

        run.ExitCode.Should().Be(2, run.ToString());
    }

    [Test]
    public async Task A_database_that_does_not_answer_is_a_failure()
    {
        var path = Path.Combine(_directory, "connection");
        await File.WriteAllTextAsync(path, $"Host=127.0.0.1;Port={FreePorts.Next()};Username=u;Password=secret;Database=d;Timeout=2\n");

        var run = await ToolRun.Of("users", "list", "--store", $"postgres:{path}");

        (run.ExitCode, run.ErrorCode).Should().Be((2, "material"), run.ToString());
        run.Errors.Should().NotContain("secret");
    }

    private static async Task<string> ListAsync(string store) => (await ToolRun.Of("users", "list", "--store", store, "--json")).Output;

    private static async Task<string> VerifierAsync(string path)
    {
        using var store = FileCredentialStore.Open(path);
        return (await store.FindAsync("alice", default))!.Verifiers.Single().ToString();
    }
}
