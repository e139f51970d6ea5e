namespace MutualAuth.Mutation.Build;

/// <summary>What is compiled into the mutated assembly: which mutant is active, and, where somebody asks, which were reached.</summary>
internal static class MutantSwitchSource
{
    internal const string TypeName = "MutualAuth.MutantSwitch";

    internal const string Text = """
        namespace MutualAuth;

        internal static class MutantSwitch
        {
            internal static volatile int Active;
            internal static volatile bool[]? Reached;

            internal static bool Is(int mutant)
            {
                if (Reached is { } reached)
                {
                    reached[mutant] = true;
                }

                return Active == mutant;
            }
        }
        """;
}
