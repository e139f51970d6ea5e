using MutualAuth.Collections;

namespace MutualAuth.Tests.Support;

/// <summary>
/// Runs all tests with the library's caches as they are, with none (<c>MUTUALAUTH_TEST_CACHES=off</c>), or with one entry in each (<c>1</c>):
/// no verdict may depend on them.
/// </summary>
[SetUpFixture]
public sealed class CachesFixture
{
    [OneTimeSetUp]
    public void Set_the_size_of_the_caches() => CacheSize.Limit = Environment.GetEnvironmentVariable("MUTUALAUTH_TEST_CACHES") switch
    {
        null or "" => int.MaxValue,
        "off" => 0,
        "1" => 1,
        var other => throw new InvalidOperationException($"MUTUALAUTH_TEST_CACHES is '{other}'; it may be off or 1."),
    };
}
