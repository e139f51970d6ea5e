using System.Runtime.InteropServices;
using MutualAuth.Platforms;
using MutualAuth.Tests.Support;

namespace MutualAuth.Tests;

/// <summary>Who writes down keys is seen by what is written, not only by the framework's switch.</summary>
public sealed class KeyLogTests
{
    private static readonly byte[] s_hello = [22, 3, 1, 0, 200, 1, 0, 0, 196, 3, 3, .. Enumerable.Range(1, 32).Select(value => (byte)(7 * value)), 0];

    private static readonly string s_random = Convert.ToHexStringLower(s_hello.AsSpan(11, 32));

    private readonly TemporaryFolder _folder = new();

    [OneTimeTearDown]
    public void TearDown() => _folder.Dispose();

    [Test]
    public void A_file_with_our_handshake_in_it_is_one_of_our_keys() =>
        Look($"CLIENT_TRAFFIC_SECRET_0 {s_random} 00\n").Should().Be(PlatformAnswer.Yes);

    [Test]
    public void Case_does_not_matter() => Look($"CLIENT_RANDOM {s_random.ToUpperInvariant()} 00\n").Should().Be(PlatformAnswer.Yes);

    [Test]
    public void One_that_holds_the_handshakes_of_others_is_not_ours() =>
        Look($"CLIENT_TRAFFIC_SECRET_0 {new string(s_random.Reverse().ToArray())} 00\n").Should().Be(PlatformAnswer.No);

    [Test]
    public void Only_the_end_of_a_long_file_is_read()
    {
        var filler = new string('x', 3 << 20);

        Look($"{filler}{s_random}\n").Should().Be(PlatformAnswer.Yes);
        Look($"{s_random}{filler}\n").Should().Be(PlatformAnswer.No);
    }

    [Test]
    public void Without_a_handshake_nothing_can_be_told() =>
        KeyLog.Look(_folder.Write("other", "CLIENT_RANDOM\n"), []).Should().Be(PlatformAnswer.Unknown);

    [Test]
    public void A_file_that_is_not_there_holds_nothing_where_a_handshake_would_have_made_it()
    {
        KeyLog.Look(_folder["missing"], [s_hello]).Should().Be(PlatformAnswer.No);
        KeyLog.Look(_folder["missing"], []).Should().Be(PlatformAnswer.Unknown);
    }

    [Test]
    public void An_empty_file_and_a_name_that_is_none_cannot_be_told()
    {
        Look(string.Empty).Should().Be(PlatformAnswer.Unknown);
        KeyLog.Look("a\0b", [s_hello]).Should().Be(PlatformAnswer.Unknown);
    }

    /// <summary>Opening a pipe would wait for its other end, without end.</summary>
    [Test]
    [CancelAfter(20000)]
    public async Task A_pipe_is_not_opened()
    {
        Assume.That(OperatingSystem.IsLinux());
        var pipe = _folder["pipe"];
        MakePipe(pipe, 0x180).Should().Be(0);

        (await Task.Run(() => KeyLog.Look(pipe, [s_hello])).WaitAsync(ConnectedPair.Deadline)).Should().Be(PlatformAnswer.Unknown);
    }

    private PlatformAnswer Look(string text) => KeyLog.Look(_folder.Write("keys", text), [s_hello]);

    [DllImport("libc", EntryPoint = "mkfifo", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int MakePipe(string path, uint mode);
}
