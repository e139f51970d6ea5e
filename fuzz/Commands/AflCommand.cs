using SharpFuzz;

namespace MutualAuth.Fuzz.Commands;

/// <summary>One end of afl-fuzz, on an assembly that <c>sharpfuzz</c> has instrumented: fuzz/afl.sh starts it.</summary>
internal static class AflCommand
{
    internal static int Run(Arguments arguments)
    {
        var target = arguments.Target();
        Ceiling.Slack = Instrumented.Slack;
        using var input = new MemoryStream();
        Fuzzer.Run(stream =>
        {
            input.SetLength(0);
            stream.CopyTo(input);
            target.Run(input.ToArray());
        });
        return 0;
    }
}
