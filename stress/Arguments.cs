using System.Globalization;

namespace MutualAuth.Stress;

/// <summary>What stands on the command line after the command: how long it may take.</summary>
internal readonly struct Arguments(string[] options)
{
    internal TimeSpan Seconds(double otherwise) => options switch
    {
        [] => TimeSpan.FromSeconds(otherwise),
        ["--seconds", var text] when double.TryParse(text, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var seconds) && seconds > 0 => TimeSpan.FromSeconds(seconds),
        _ => throw new ArgumentException($"'{string.Join(' ', options)}' is not understood: --seconds N is."),
    };
}
