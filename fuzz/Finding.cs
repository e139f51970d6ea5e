namespace MutualAuth.Fuzz;

/// <summary>An input that is not simply read.</summary>
internal static class Finding
{
    /// <summary>Null when it is read within its ceiling; else what is wrong, which has been told.</summary>
    internal static Exception? Of(FuzzTarget target, byte[] input) => Of(target, input, out _);

    internal static Exception? Of(FuzzTarget target, byte[] input, out Cost cost)
    {
        try
        {
            cost = target.Run(input);
            return null;
        }
        catch (Exception exception)
        {
            cost = default;
            Console.Error.WriteLine($"{target.Name}: {exception}");
            Console.Error.WriteLine($"input: {Convert.ToHexString(input)}");
            return exception;
        }
    }
}
