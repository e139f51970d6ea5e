using System.Collections.Immutable;
using System.Text;

namespace MutualAuth.Trust;

/// <summary>The content of a file of known peers: all lines, comments included, and the peers in them. Immutable.</summary>
internal sealed class KnownPeersText
{
    internal const string Header = """
        # Peers whose keys are known, one in a line: NAME sha256/BASE64 FIRST-SEEN
        # An account that can write this file can act as any of them. To accept a new key of a peer, remove its line:
        # write a changed copy and rename it over this file, so that no reader sees half of it.

        """;

    private static readonly UTF8Encoding s_strict = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    private readonly string _text;

    private KnownPeersText(string text, ImmutableDictionary<string, KnownPeer> peers)
    {
        _text = text;
        Peers = peers;
    }

    internal ImmutableDictionary<string, KnownPeer> Peers { get; }

    /// <summary>Reads a whole file. A malformed line is an error and never skipped: without it, any peer could claim that name.</summary>
    /// <exception cref="MaterialException">The text is not a file of known peers; the message has the line number.</exception>
    internal static KnownPeersText Parse(byte[] content, string path)
    {
        var text = Decode(content, path);
        if (!text.EndsWith('\n'))
        {
            throw new MaterialException(
                $"The file of known peers {path} "
                    + $"{(text.Length == 0 ? "is empty; even without peers it has comments" : "does not end with a line break")}: it may have been "
                    + "cut short. Restore it.");
        }

        var peers = ImmutableDictionary.CreateBuilder<string, KnownPeer>(StringComparer.Ordinal);
        var number = 0;
        var body = text.AsSpan(0, text.Length - 1);
        foreach (var range in body.Split('\n'))
        {
            number++;
            var line = body[range].TrimEnd('\r');
            if (IsComment(line))
            {
                continue;
            }

            if (!KnownPeer.TryParse(line.ToString(), out var peer, out var problem))
            {
                throw new MaterialException(
                    $"Line {number} of the file of known peers {path} cannot be read: {problem}. Correct the line, or remove it.");
            }

            if (!peers.TryAdd(peer.Name, peer))
            {
                throw new MaterialException(
                    $"Line {number} of the file of known peers {path} names {peer.Name}, and so does a line above it. Remove one of the two.");
            }
        }

        return new KnownPeersText(text, peers.ToImmutable());
    }

    internal KnownPeersText With(KnownPeer peer) => new($"{_text}{peer}\n", Peers.Add(peer.Name, peer));

    /// <summary>The same text without the line of the given peer.</summary>
    internal KnownPeersText Without(string name)
    {
        var kept = new StringBuilder(_text.Length);
        var body = _text.AsSpan(0, _text.Length - 1);
        foreach (var range in body.Split('\n'))
        {
            var line = body[range];
            if (IsComment(line) || !KnownPeer.TryParse(line.TrimEnd('\r').ToString(), out var peer, out _) || peer.Name != name)
            {
                kept.Append(line).Append('\n');
            }
        }

        return new KnownPeersText(kept.ToString(), Peers.Remove(name));
    }

    internal byte[] ToBytes() => s_strict.GetBytes(_text);

    private static string Decode(byte[] content, string path)
    {
        try
        {
            return s_strict.GetString(content);
        }
        catch (DecoderFallbackException exception)
        {
            throw new MaterialException(
                $"Line {content.AsSpan(0, exception.Index).Count((byte)'\n') + 1} of the file of known peers {path} is not UTF-8. Restore the file.",
                exception);
        }
    }

    private static bool IsComment(ReadOnlySpan<char> line) => line.Trim() is [] or ['#', ..];
}
