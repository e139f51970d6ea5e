using System.Globalization;

namespace MutualAuth.Stress;

/// <summary>What stands on the command line after the command: how long it may take, and how much it is to do.</summary>
internal readonly struct Arguments(string[] options)
{
    /// <summary>The time alone, where there is nothing to count.</summary>
    internal TimeSpan Seconds(double otherwise) =>
        Wish(otherwise, null) is var (time, count) && count is null ? time : throw new ArgumentException("Only a scenario that counts has --count.");

    /// <summary>
    /// With nothing said the whole count of the scenario is done, however long it takes within its time. With a time, as much of it as that gives.
    /// </summary>
    internal (TimeSpan Time, int? Count) Wish(double otherwise, int? whole)
    {
        double? seconds = null;
        int? count = null;
        for (var index = 0; index < options.Length; index += 2)
        {
            var value = index + 1 < options.Length ? options[index + 1] : string.Empty;
            switch (options[index])
            {
                case "--seconds" when double.TryParse(value, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var number)
                    && number > 0:
                    seconds = number;
                    break;
                case "--count" when int.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number > 0:
                    count = number;
                    break;
                default:
                    throw new ArgumentException($"'{string.Join(' ', options)}' is not understood: --seconds N and --count N are.");
            }
        }

        return (TimeSpan.FromSeconds(seconds ?? otherwise), count ?? (seconds is null ? whole : null));
    }
}
