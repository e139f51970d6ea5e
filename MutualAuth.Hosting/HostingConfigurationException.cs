using System.Collections.Immutable;

namespace MutualAuth.Hosting;

/// <summary>The host cannot start: settings of listeners or clients cannot be used. It tells every problem at once.</summary>
/// <remarks>Immutable. It names keys of the configuration and files, and never what a key or a password file holds.</remarks>
public sealed class HostingConfigurationException : Exception
{
    internal HostingConfigurationException(IEnumerable<string> problems)
        : this([.. problems])
    {
    }

    private HostingConfigurationException(ImmutableArray<string> problems)
        : base("Mutual TLS cannot be set up:" + string.Concat(problems.Select(problem => $"{Environment.NewLine}  {problem}"))) =>
        Problems = problems;

    /// <summary>The problems, each with its place in the configuration and what to do.</summary>
    public ImmutableArray<string> Problems { get; }
}
