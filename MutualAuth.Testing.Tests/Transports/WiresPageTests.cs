using MutualAuth.Testing.Tests.Support;

namespace MutualAuth.Testing.Tests.Transports;

/// <summary>docs/reference/wires.md says what a wire in memory does and what a socket does; each row is played on both.</summary>
[CancelAfter(20000)]
[Platform(Include = "Linux")] // the page has the error codes of Linux
public sealed class WiresPageTests
{
    private const string Page = "docs/reference/wires.md";

    private static IEnumerable<TestCaseData> Scenes() => WireScenes.All.Keys.Select(scene => new TestCaseData(scene).SetArgDisplayNames(scene));

    [TestCaseSource(nameof(Scenes))]
    public async Task A_scene_is_as_its_row_says_on_a_socket_and_on_a_wire_in_memory(string scene, CancellationToken token)
    {
        var onSocket = await PlayAsync(scene, () => new SocketWire()).WaitAsync(token);
        var inMemory = await PlayAsync(scene, () => new MemoryWire(scene.Contains("capacity of 1") ? 1 : 256 * 1024)).WaitAsync(token);

        var row = Rows().SingleOrDefault(cells => cells[0] == scene);
        if (row is null || row[1] != onSocket || row[2] != (inMemory == onSocket ? "the same" : inMemory))
        {
            Assert.Fail($"The row of {Page} must read:\n| {scene} | {onSocket} | {(inMemory == onSocket ? "the same" : inMemory)} |");
        }
    }

    [Test]
    public void Every_row_is_played() => Rows().Select(cells => cells[0]).Should().BeEquivalentTo(WireScenes.All.Keys);

    [Test]
    public void What_differs_stands_apart_with_its_reason() => Rows().Should().OnlyContain(cells => (cells[2] == "the same") == (cells.Length == 3));

    private static IEnumerable<string[]> Rows() => SourceTree.Read(Page).Split('\n')
        .Where(line => line.StartsWith('|') && !line.StartsWith("|-") && !line.StartsWith("| Scene |"))
        .Select(line => line.Trim().Trim('|').Split('|', StringSplitOptions.TrimEntries));

    private static async Task<string> PlayAsync(string scene, Func<IWire> connect)
    {
        for (var times = 0; times < 1000; times++)
        {
            using var wire = connect();
            if (await WireScenes.All[scene](wire) is { } told)
            {
                return told;
            }
        }

        return "came too late each time";
    }
}
