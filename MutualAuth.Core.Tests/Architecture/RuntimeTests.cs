namespace MutualAuth.Tests.Architecture;

/// <summary>A leg that means to test another runtime says which; the tests would pass unseen on the usual one too.</summary>
public sealed class RuntimeTests
{
    [Test]
    public void The_runtime_is_the_one_that_is_meant()
    {
        var meant = Environment.GetEnvironmentVariable("MUTUALAUTH_RUNTIME");

        Environment.Version.Major.Should().BeGreaterThanOrEqualTo(10);
        Environment.Version.ToString().Should().StartWith(meant ?? string.Empty);
    }
}
