using System.Globalization;
using Microsoft.Extensions.Configuration;
using MutualAuth.Evidence;
using MutualAuth.Platforms;

namespace MutualAuth.Hosting.Binding;

/// <summary>
/// Reads a section key by key, without reflection. Whatever is there and was not asked for is a problem: a mistyped key must not switch anything off
/// unnoticed.
/// </summary>
internal sealed class SectionReader
{
    private readonly IConfiguration _section;
    private readonly string _path;
    private readonly List<string> _problems;
    private readonly List<string> _known = [];

    private SectionReader(IConfiguration section, string path, List<string> problems) =>
        (_section, _path, _problems) = (section, path, problems);

    /// <summary>The place of a section as problems name it.</summary>
    internal static string PathOf(IConfiguration section, string name) => section is IConfigurationSection { Path: var path } ? path : name;

    internal static void Read(IConfiguration section, MutualTlsSettings settings)
    {
        if (!section.GetChildren().Any())
        {
            settings.BindingProblems.Add($"{settings.Path} is missing in the configuration, or has no keys.");
            return;
        }

        var reader = new SectionReader(section, settings.Path, settings.BindingProblems);
        settings.Bind(reader);
        reader.SayWhatIsUnknown();
    }

    internal void Object(string key, Action<SectionReader> read)
    {
        var section = Child(key);
        if (section.Value is { Length: > 0 } value)
        {
            _problems.Add($"{At(key)} must be an object with keys of its own; it is '{value}'.");
            return;
        }

        var reader = new SectionReader(section, At(key), _problems);
        read(reader);
        reader.SayWhatIsUnknown();
    }

    internal void Text(string key, Action<string> set)
    {
        var section = Child(key);
        if (section.GetChildren().Any())
        {
            _problems.Add($"{At(key)} must be one value; it has keys of its own.");
        }
        else if (section.Value is { } value)
        {
            if (string.IsNullOrWhiteSpace(value))
            {
                _problems.Add($"{At(key)} is empty: give it a value, or leave it out.");
                return;
            }

            set(value);
        }
    }

    /// <summary>A list, or one value in place of it.</summary>
    internal void Texts(string key, IList<string> into)
    {
        var section = Child(key);
        if (section.Value is { Length: > 0 } only)
        {
            into.Add(only);
        }

        foreach (var child in section.GetChildren())
        {
            if (child.GetChildren().Any() || string.IsNullOrWhiteSpace(child.Value))
            {
                _problems.Add($"{At(key)}:{child.Key} must be one value that is not empty.");
            }
            else
            {
                into.Add(child.Value);
            }
        }
    }

    // A bare number is days to the platform, which is never meant.
    internal void Time(string key, Action<TimeSpan> set) => Text(key, text =>
    {
        if (text.Contains(':', StringComparison.Ordinal) && TimeSpan.TryParse(text, CultureInfo.InvariantCulture, out var value))
        {
            set(value);
        }
        else
        {
            _problems.Add($"{At(key)} must be a time as hours:minutes:seconds, such as 00:00:10; it is '{text}'.");
        }
    });

    internal void Number(string key, Action<int> set) => Text(key, text =>
    {
        if (int.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var value))
        {
            set(value);
        }
        else
        {
            _problems.Add($"{At(key)} must be a whole number; it is '{text}'.");
        }
    });

    internal void Flag(string key, Action<bool> set) => Text(key, text =>
    {
        if (bool.TryParse(text, out var value))
        {
            set(value);
        }
        else
        {
            _problems.Add($"{At(key)} must be true or false; it is '{text}'.");
        }
    });

    internal void Choice<TEnum>(string key, Action<TEnum> set)
        where TEnum : struct, Enum => Text(key, text => Choose(At(key), text, set));

    internal void Choices<TEnum>(string key, Action<TEnum> add)
        where TEnum : struct, Enum
    {
        var texts = new List<string>();
        Texts(key, texts);
        texts.ForEach(text => Choose(At(key), text, add));
    }

    internal void KeyExchange(string key, Action<KeyExchangePolicy> set)
    {
        var texts = new List<string>();
        Texts(key, texts);
        switch (texts)
        {
            case []:
                return;
            case [var one] when one.Equals("any", StringComparison.OrdinalIgnoreCase):
                set(KeyExchangePolicy.Any);
                return;
            case [var one] when one.Equals("hybrid", StringComparison.OrdinalIgnoreCase):
                set(KeyExchangePolicy.Hybrid);
                return;
            case [var one] when one.Equals("post-quantum", StringComparison.OrdinalIgnoreCase):
                set(KeyExchangePolicy.PostQuantum);
                return;
        }

        var groups = new List<KeyExchangeGroup>();
        foreach (var text in texts)
        {
            if (KeyExchangeGroups.TryParse(text, out var group))
            {
                groups.Add(group);
            }
            else
            {
                var names = string.Join(", ", Enum.GetValues<KeyExchangeGroup>().Select(known => known.ToText()));
                _problems.Add($"{At(key)} must be any, hybrid, post-quantum or groups of {names}; it has '{text}'.");
            }
        }

        if (groups.Count == texts.Count)
        {
            set(KeyExchangePolicy.Only(groups));
        }
    }

    internal void Platform(string key, Action<PlatformRequirements> set) => Text(key, text =>
    {
        if (PlatformRequirements.Named.FirstOrDefault(known => known.Name.Equals(text, StringComparison.OrdinalIgnoreCase)) is { } requirements)
        {
            set(requirements);
        }
        else
        {
            var names = string.Join(", ", PlatformRequirements.Named.Select(known => known.Name));
            _problems.Add($"{At(key)} must be one of {names}; it is '{text}'.");
        }
    });

    private void Choose<TEnum>(string at, string text, Action<TEnum> set)
        where TEnum : struct, Enum
    {
        var names = Enum.GetNames<TEnum>();
        if (Array.Find(names, name => name.Equals(text, StringComparison.OrdinalIgnoreCase)) is { } known)
        {
            set(Enum.Parse<TEnum>(known));
        }
        else
        {
            _problems.Add($"{at} must be one of {string.Join(", ", names)}; it is '{text}'.");
        }
    }

    private IConfigurationSection Child(string key)
    {
        _known.Add(key);
        return _section.GetSection(key);
    }

    private string At(string key) => $"{_path}:{key}";

    private void SayWhatIsUnknown()
    {
        foreach (var child in _section.GetChildren())
        {
            if (!_known.Contains(child.Key, StringComparer.OrdinalIgnoreCase))
            {
                _problems.Add($"{At(child.Key)} is not known. Known here are {string.Join(", ", _known)}.");
            }
        }
    }
}
