namespace MutualAuth.Tokens;

/// <summary>
/// Where the keys of trust domains come from. A source that follows something also implements <see cref="Reloading.IReloadable"/>: the tokens of
/// open connections are then examined again when it is replaced.
/// </summary>
/// <remarks>Called from many threads at once, for every token: it returns what it has, and fetches nothing.</remarks>
public interface IJwtBundleSource
{
    /// <summary>The bundles in force; never null.</summary>
    JwtBundles Current { get; }
}
