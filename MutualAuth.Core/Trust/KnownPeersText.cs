using System.Globalization;
using System.Text;

namespace MutualAuth.Trust;

/// <summary>The content of a file of known peers: all lines, comments included, and the peers in them. Immutable.</summary>
internal sealed class KnownPeersText
{
    internal const string Header = """
        # Keys of known peers, one in a line: NAME sha256/BASE64 FIRST-SEEN [verified=TIME] [device=LABEL]
        # The next line counts the changes. Keep it, so that an older copy of the file is noticed.
        # revision 0
        # An account that can write this file can act as any of them. To accept a new key of a peer, remove its line:
        # write a changed copy and rename it over this file, so that no reader sees half of it.

        """;

    private static readonly UTF8Encoding s_strict = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    private const string RevisionLine = "# revision ";

    private readonly string _text;

    private readonly long? _revision;

    private KnownPeersText(string text, KnownPeerSet keys, long? revision)
    {
        _text = text;
        Keys = keys;
        _revision = revision;
    }

    internal KnownPeerSet Keys { get; }

    /// <summary>How often the file was changed by a store; 0 where it does not say.</summary>
    internal long Revision => _revision ?? 0;

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

        var keys = KnownPeerSet.Empty;
        long? revision = null;
        var number = 0;
        var body = text.AsSpan(0, text.Length - 1);
        foreach (var range in body.Split('\n'))
        {
            number++;
            var line = body[range].TrimEnd('\r');
            if (IsComment(line))
            {
                revision = !TryRevision(line, out var read) ? revision : revision is null ? read : throw new MaterialException(
                    $"Line {number} of the file of known peers {path} has a revision, and so has a line above it. Remove the lower one.");
                continue;
            }

            if (!KnownPeer.TryParse(line.ToString(), out var peer, out var problem))
            {
                throw new MaterialException(
                    $"Line {number} of the file of known peers {path} cannot be read: {problem}. Correct the line, or remove it.");
            }

            keys = keys.With(peer) ?? throw new MaterialException(
                $"Line {number} of the file of known peers {path} names {peer.Name}, and so does a line above it. Remove one of the two; "
                    + "or, if it is another device with another key, give it a label of its own: device=LABEL");
        }

        return new KnownPeersText(text, keys, revision);
    }

    /// <summary>The same text with these keys, one revision later. Lines that say the same stay as they are, comments too.</summary>
    /// <param name="keys">The keys.</param>
    /// <param name="counts">Whether changes are counted from now on, where the text does not yet count them.</param>
    internal KnownPeersText With(KnownPeerSet keys, bool counts)
    {
        var revision = _revision is not null || counts ? Revision + 1 : (long?)null;
        var lines = new List<string>();
        var hasRevision = false;
        foreach (var line in _text[..^1].Split('\n'))
        {
            if (TryRevision(line.AsSpan().TrimEnd('\r'), out _))
            {
                hasRevision = true;
                lines.Add(LineOf(revision));
            }
            else if (IsComment(line) || !KnownPeer.TryParse(line.TrimEnd('\r'), out var peer, out _))
            {
                lines.Add(line);
            }
            else if (keys.Find(peer.Name, peer.Key) is { } now)
            {
                lines.Add(now == peer ? line : now.ToString());
            }
        }

        lines.AddRange(keys.All.Where(peer => Keys.Find(peer.Name, peer.Key) is null).Select(peer => peer.ToString()));
        if (revision is not null && !hasRevision)
        {
            lines.Insert(0, LineOf(revision));
        }

        return new KnownPeersText(string.Join('\n', lines) + '\n', keys, revision);
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

    private static string LineOf(long? revision) => string.Create(CultureInfo.InvariantCulture, $"{RevisionLine}{revision}");

    private static bool TryRevision(ReadOnlySpan<char> line, out long revision)
    {
        revision = 0;
        return line.StartsWith(RevisionLine)
            && long.TryParse(line[RevisionLine.Length..], NumberStyles.None, CultureInfo.InvariantCulture, out revision) && revision < long.MaxValue;
    }

    private static bool IsComment(ReadOnlySpan<char> line) => line.Trim() is [] or ['#', ..];
}
