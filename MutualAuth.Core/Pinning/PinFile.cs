using System.Globalization;
using MutualAuth.Names;
using MutualAuth.Reloading;

namespace MutualAuth.Pinning;

/// <summary>Pins, read from a file and following it: one <c>sha256/BASE64</c> in a line; lines that begin with # say nothing.</summary>
/// <remarks>
/// Two more kinds of line: <c>expires 2030-01-31T00:00:00Z</c> ends the set (<see cref="PinSet.ExpiringAt"/>), and <c>dangerously-without-backup</c>
/// allows a single pin. A file without pins is refused: it would say that no key is demanded.
/// </remarks>
public sealed class PinFile : WatchedFiles<PinSet>, IPinSource
{
    // A million pins.
    private const int MaxFileBytes = 64 * 1024 * 1024;

    /// <summary>Follows a file of pins.</summary>
    /// <param name="path">A file in UTF-8; at most 64 MiB.</param>
    /// <param name="options">How the file is followed.</param>
    /// <exception cref="ArgumentException"><paramref name="options"/> contradict themselves.</exception>
    /// <exception cref="MaterialException">The file cannot be read, a line is none of these, or there are fewer than two pins.</exception>
    public PinFile(string path, WatchOptions? options = null)
        : base("pins", FileUse.Pins, [path], MaxFileBytes, files => Read(files[0].Text, files[0].Path), pins => pins.ToString(), options)
    {
    }

    private static PinSet Read(string text, string source)
    {
        var pins = new List<SpkiPin>();
        DateTimeOffset? end = null;
        var mayBeAlone = false;
        TextLines.Read(text, source, line =>
        {
            switch (line.Split(' ', 2, StringSplitOptions.TrimEntries))
            {
                case ["expires", var time]:
                    end = DateTimeOffset.ParseExact(time, "yyyy-MM-dd'T'HH:mm:ssK", CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal);
                    break;
                case ["dangerously-without-backup"]:
                    mayBeAlone = true;
                    break;
                default:
                    pins.Add(SpkiPin.Parse(line));
                    break;
            }
        });
        try
        {
            var set = mayBeAlone && pins.Distinct().Count() == 1 ? PinSet.DangerouslyWithoutBackup(pins[0]) : PinSet.Of(pins);
            return end is { } time ? set.ExpiringAt(time) : set;
        }
        catch (ArgumentException exception)
        {
            throw new MaterialException($"{source}: {exception.Message} In a file, the line dangerously-without-backup says the same.", exception);
        }
    }
}
