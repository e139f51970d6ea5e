using System.Collections.Concurrent;
using System.Globalization;

namespace MutualAuth.Stress.Roles;

/// <summary>A role's side of the conversation with the scenario: a line is asked, a line that begins with the same word is the answer.</summary>
internal static class Lines
{
    internal static async Task AnswerAsync(string ready, Func<string[], Task<string>> answerAsync)
    {
        Console.WriteLine($"ready {ready}".TrimEnd());
        while (await Console.In.ReadLineAsync() is { } line)
        {
            var words = line.Split(' ');
            Console.WriteLine($"{words[0]} {await answerAsync(words)}".TrimEnd());
        }
    }

    /// <summary>All that has gathered, as the words of an answer.</summary>
    internal static string TakeAll(ConcurrentQueue<string> news)
    {
        var words = new List<string>();
        while (news.TryDequeue(out var word))
        {
            words.Add(word);
        }

        return string.Join(' ', words);
    }

    internal static int Number(string word) => int.Parse(word, CultureInfo.InvariantCulture);

    internal static double Seconds(string word) => double.Parse(word, CultureInfo.InvariantCulture);

    internal static string Text(double number) => number.ToString("F3", CultureInfo.InvariantCulture);
}
