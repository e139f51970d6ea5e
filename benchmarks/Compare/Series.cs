namespace MutualAuth.Benchmarks.Compare;

/// <summary>Measurements of one candidate, one for each round.</summary>
internal sealed class Series
{
    private readonly List<double> _values = [];

    internal double Median => At(_values, 0.5);

    internal int Count => _values.Count;

    internal void Add(double value) => _values.Add(value);

    /// <summary>Median, lower and upper quartile of the ratios round by round, in which what disturbed a round as a whole cancels.</summary>
    internal (double Median, double Low, double High) To(Series other)
    {
        var ratios = _values.Zip(other._values, (mine, theirs) => mine / theirs).ToList();
        return (At(ratios, 0.5), At(ratios, 0.25), At(ratios, 0.75));
    }

    private static double At(List<double> values, double share)
    {
        var sorted = values.Order().ToList();
        var place = share * (sorted.Count - 1);
        var below = (int)place;
        return below + 1 < sorted.Count ? sorted[below] + ((place - below) * (sorted[below + 1] - sorted[below])) : sorted[below];
    }
}
