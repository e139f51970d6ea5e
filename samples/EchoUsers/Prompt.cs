using MutualAuth.Credentials;

namespace MutualAuth.Samples;

/// <summary>Asks for a password at the terminal, without showing it.</summary>
internal static class Prompt
{
    private const int MaxLength = 1024;

    /// <exception cref="UsageException">There is no terminal, or the input is not acceptable.</exception>
    internal static Password ForNewPassword(string user)
    {
        if (Console.IsInputRedirected)
        {
            throw new UsageException("There is no terminal to ask at; give --password-file FILE.");
        }

        var first = Ask($"Password for {CommandLine.Token(user)}: ");
        var second = Ask("Once more: ");
        try
        {
            return first.AsSpan().SequenceEqual(second)
                ? Password.From(first)
                : throw new UsageException("The two are not the same; nothing was changed.");
        }
        catch (FormatException exception)
        {
            throw new UsageException(exception.Message);
        }
        finally
        {
            first.AsSpan().Clear();
            second.AsSpan().Clear();
        }
    }

    private static char[] Ask(string question)
    {
        Console.Error.Write(question);
        var typed = new char[MaxLength + 1];
        var length = 0;
        try
        {
            for (ConsoleKeyInfo key; (key = Console.ReadKey(intercept: true)).Key != ConsoleKey.Enter;)
            {
                if (key.Key == ConsoleKey.Backspace)
                {
                    length = Math.Max(0, length - 1);
                }
                else if (key.KeyChar != '\0' && length < typed.Length)
                {
                    typed[length++] = key.KeyChar;
                }
            }

            Console.Error.WriteLine();
            return typed[..length];
        }
        finally
        {
            typed.AsSpan().Clear();
        }
    }
}
