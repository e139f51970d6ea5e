namespace MutualAuth.Fuzz.Commands;

/// <summary>Every input that is kept, once.</summary>
internal static class ReplayCommand
{
    internal static int Run(Arguments arguments)
    {
        foreach (var target in arguments.Targets())
        {
            var corpus = Corpus.Load(target);
            if (corpus.Exists(input => Finding.Of(target, input) is not null))
            {
                return 1;
            }

            Console.WriteLine($"{target.Name}: {corpus.Count} inputs, each returned and cost no more than it may");
        }

        return 0;
    }
}
