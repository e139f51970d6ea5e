using System.Buffers;
using System.CommandLine;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace MutualAuth.Tool;

/// <summary>How a line is meant; on a terminal it has a colour.</summary>
internal enum Mood
{
    Plain,
    Good,
    Bad,
    Doubtful,
}

/// <summary>What a command prints: lines for people, or with <c>--json</c> one object a line.</summary>
internal sealed class Report
{
    private static readonly JsonWriterOptions s_json = new() { Encoder = JavaScriptEncoder.Default };

    private readonly bool _isJson;
    private readonly bool _hasColours;
    private readonly TextWriter _output;

    private Report(ParseResult arguments, TextWriter output, bool isRedirected)
    {
        _output = output;
        _isJson = arguments.GetValue(Json);
        _hasColours = !_isJson && !isRedirected && !arguments.GetValue(NoColor)
            && string.IsNullOrEmpty(Environment.GetEnvironmentVariable("NO_COLOR"));
    }

    internal static Option<bool> Json { get; } = new("--json") { Recursive = true, Description = "Print one JSON object a line." };

    internal static Option<bool> NoColor { get; } = new("--no-color")
    { Recursive = true, Description = "Print no colours. There are none either where the output is no terminal, or NO_COLOR is set." };

    internal bool IsJson => _isJson;

    internal static Report ToOutput(ParseResult arguments) => new(arguments, Console.Out, Console.IsOutputRedirected);

    /// <summary>For commands whose stdout carries data.</summary>
    internal static Report ToErrors(ParseResult arguments) => new(arguments, Console.Error, Console.IsErrorRedirected);

    /// <summary>A step of several, with its name in the first column.</summary>
    internal void Step(string step, Mood mood, string text, params ReadOnlySpan<(string Name, object? Value)> facts)
    {
        if (_isJson)
        {
            Write([("step", step.TrimEnd("0123456789 ".ToCharArray()).Replace(' ', '_')), .. facts, ("text", text)]);
            return;
        }

        _output.WriteLine($"{Coloured($"{step,-15}", mood)} {Safe(text)}");
    }

    /// <summary>A line of text, and the same as facts.</summary>
    internal void Line(string text, params ReadOnlySpan<(string Name, object? Value)> facts)
    {
        if (_isJson)
        {
            Write(facts);
            return;
        }

        _output.WriteLine(Safe(text));
    }

    /// <summary>One object, in any case.</summary>
    private void Write(params ReadOnlySpan<(string Name, object? Value)> facts)
    {
        var buffer = new ArrayBufferWriter<byte>();
        using (var writer = new Utf8JsonWriter(buffer, s_json))
        {
            writer.WriteStartObject();
            foreach (var (name, value) in facts)
            {
                writer.WritePropertyName(name);
                Write(writer, value);
            }

            writer.WriteEndObject();
        }

        _output.WriteLine(Encoding.UTF8.GetString(buffer.WrittenSpan));
    }

    private static void Write(Utf8JsonWriter writer, object? value)
    {
        switch (value)
        {
            case null:
                writer.WriteNullValue();
                break;
            case bool flag:
                writer.WriteBooleanValue(flag);
                break;
            case int number:
                writer.WriteNumberValue(number);
                break;
            case long number:
                writer.WriteNumberValue(number);
                break;
            case DateTimeOffset time:
                writer.WriteStringValue(time.UtcDateTime);
                break;
            case IEnumerable<string> texts:
                writer.WriteStartArray();
                foreach (var text in texts)
                {
                    writer.WriteStringValue(text);
                }

                writer.WriteEndArray();
                break;
            default:
                writer.WriteStringValue(value.ToString());
                break;
        }
    }

    /// <summary>Peers choose some of the text: what would control a terminal is left out.</summary>
    private static string Safe(string text) =>
        text.AsSpan().ContainsAnyInRange('\0', '\u001f') || text.AsSpan().ContainsAnyInRange('\u007f', '\u009f')
            ? string.Concat(text.Select(character => char.IsControl(character) && character != '\n' ? '?' : character))
            : text;

    private string Coloured(string text, Mood mood) => (_hasColours, mood) switch
    {
        (true, Mood.Good) => $"\e[32m{text}\e[0m",
        (true, Mood.Bad) => $"\e[31m{text}\e[0m",
        (true, Mood.Doubtful) => $"\e[33m{text}\e[0m",
        _ => text,
    };
}
