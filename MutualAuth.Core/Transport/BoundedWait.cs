namespace MutualAuth.Transport;

/// <summary>Waits, in calls that are synchronous, for what a stream of the application's may never end.</summary>
internal static class BoundedWait
{
    /// <returns>True when the work succeeded in time.</returns>
    internal static bool Wait(Task work, TimeSpan patience)
    {
        try
        {
            return work.Wait(patience);
        }
        catch (AggregateException)
        {
            return false;
        }
    }
}
