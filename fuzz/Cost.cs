using System.Globalization;

namespace MutualAuth.Fuzz;

/// <summary>What reading one input took.</summary>
/// <param name="Time">Of the processor, by this thread: what else the machine does is not counted.</param>
/// <param name="Allocated">Octets of managed memory.</param>
internal readonly record struct Cost(TimeSpan Time, long Allocated)
{
    internal static Cost Of(Action<byte[]> read, byte[] input)
    {
        var (microseconds, allocated) = ProcessorTime.Of(() => read(input));
        return new Cost(TimeSpan.FromMicroseconds(microseconds), allocated);
    }

    internal static Cost Least(Cost one, Cost other) =>
        new(one.Time < other.Time ? one.Time : other.Time, Math.Min(one.Allocated, other.Allocated));

    public override string ToString() =>
        string.Create(CultureInfo.InvariantCulture, $"{Time.TotalMicroseconds:0.0} µs and {Allocated} octets of memory");
}

/// <summary>
/// What reading may cost: so much for any input, and so much more for each octet of it. What grows faster than its input is a finding.
/// </summary>
internal sealed record Ceiling(TimeSpan Time, TimeSpan TimePerOctet, long Allocated, long AllocatedPerOctet)
{
    /// <summary>By how much instrumented code may be slower.</summary>
    internal static int Slack { get; set; } = 1;

    internal Cost For(int length) => new((Time + (TimePerOctet * length)) * Slack, Allocated + (AllocatedPerOctet * length));

    internal bool Holds(Cost cost, int length)
    {
        var most = For(length);
        return cost.Time <= most.Time && cost.Allocated <= most.Allocated;
    }
}
