using MutualAuth.Validation;

namespace MutualAuth.Tests.Support;

/// <summary>Does something when a connection ends.</summary>
internal sealed class EndListener(Action act) : IEndListener
{
    public void HasEnded() => act();
}
