namespace MutualAuth.Factors;

/// <summary>How a server takes one-time codes.</summary>
public sealed record OneTimeCodeOptions
{
    private const int MaxWindow = 10;

    /// <summary>
    /// How many steps before and after the current one count too, for clocks that differ and for the time that typing takes (RFC 6238 §5.2). Each
    /// further step is one more code that a guess may meet. 0 to 10; default 1.
    /// </summary>
    public int WindowSteps { get; init; } = 1;

    /// <summary>The clock. Default: the system's.</summary>
    public TimeProvider TimeProvider { get; init; } = TimeProvider.System;

    internal IEnumerable<string> Problems()
    {
        if (WindowSteps is < 0 or > MaxWindow)
        {
            yield return $"{nameof(WindowSteps)} must be from 0 to {MaxWindow}; it is {WindowSteps}.";
        }

        if (TimeProvider is null)
        {
            yield return $"{nameof(TimeProvider)} must not be null.";
        }
    }
}
