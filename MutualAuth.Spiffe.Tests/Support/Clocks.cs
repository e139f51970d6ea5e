using Microsoft.Extensions.Time.Testing;

namespace MutualAuth.Tests.Support;

internal static class Clocks
{
    /// <summary>A clock that stands until it is turned. It begins now, because the platform looks at dates by its own clock.</summary>
    internal static FakeTimeProvider Standing() => new(TimeProvider.System.GetUtcNow());
}
