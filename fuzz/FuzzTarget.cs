namespace MutualAuth.Fuzz;

/// <summary>A reader of what a stranger sends.</summary>
/// <param name="Name">What it is called, and its folder of the corpus.</param>
/// <param name="MaxLength">The longest input, in octets: the bound that the library sets before this reader, or a little more.</param>
/// <param name="Ceiling">What reading may cost.</param>
/// <param name="Read">Reads. It must return: any exception is a finding.</param>
internal sealed record FuzzTarget(string Name, int MaxLength, Ceiling Ceiling, Action<byte[]> Read)
{
    /// <summary>
    /// Reads, and says what it cost. An input above the ceiling is read again, and its cheapest run counts: the machine has other things to do.
    /// </summary>
    /// <exception cref="TooDearException">Every run was above the ceiling.</exception>
    internal Cost Run(byte[] input)
    {
        if (input.Length > MaxLength)
        {
            return default;
        }

        var cost = Cost.Of(Read, input);
        for (var again = 0; again < 8 && !Ceiling.Holds(cost, input.Length); again++)
        {
            cost = Cost.Least(cost, Cost.Of(Read, input));
        }

        return Ceiling.Holds(cost, input.Length)
            ? cost
            : throw new TooDearException($"{input.Length} octets cost {cost}; the ceiling is {Ceiling.For(input.Length)}");
    }
}

/// <summary>An input costs more than its target allows.</summary>
internal sealed class TooDearException(string message) : Exception(message);
