using System.Buffers;
using System.Globalization;
using System.Text;

namespace MutualAuth.Testing.Responders;

/// <summary>Request line and fields of a request, as far as a responder needs them (RFC 9112 §3 and §5).</summary>
internal sealed class HttpRequestHead
{
    private static readonly SearchValues<char> s_token =
        SearchValues.Create("!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ");

    // Names and addresses of RFC 3986 §3.2.2, and the colon before a port; no user.
    private static readonly SearchValues<char> s_host =
        SearchValues.Create("!$%&'()*+,-.:;=[]_~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ");

    // All but the tab (RFC 9110 §5.5).
    private static readonly SearchValues<char> s_controls = SearchValues.Create(
        [.. Enumerable.Range(0, 0x20).Append(0x7F).Where(control => control != '\t').Select(control => (char)control)]);

    private readonly List<string> _lengths = [];
    private readonly List<string> _encodings = [];
    private readonly List<string> _connection = [];
    private readonly bool _is10;
    private int _hosts;

    /// <exception cref="HttpRefusedException">It is no request line of HTTP/1.1 or HTTP/1.0.</exception>
    internal HttpRequestHead(string requestLine)
    {
        var parts = requestLine.Split(' ');
        if (parts.Length != 3)
        {
            throw Malformed($"the request line is not a method, a target and a version with one space between them: {Quote(requestLine)}");
        }

        Method = parts[0];
        if (!IsToken(Method))
        {
            throw Malformed($"the method is no token: {Quote(requestLine)}");
        }

        _is10 = IsVersion10(parts[2]);
        Path = PathIn(parts[1]);
    }

    internal string Method { get; }

    internal string Path { get; }

    /// <summary>How long the body is; 0 where the request has none, or has it in chunks.</summary>
    internal long Length { get; private set; }

    internal bool IsChunked { get; private set; }

    /// <summary>Whether the body comes only after <c>100 Continue</c> (RFC 9110 §10.1.1).</summary>
    internal bool ExpectsContinue { get; private set; }

    /// <summary>Whether another request may follow (RFC 9112 §9.3).</summary>
    internal bool KeepsAlive => !HasConnection("close") && (!_is10 || HasConnection("keep-alive"));

    /// <summary>What the answer says of the connection; null where that goes without saying.</summary>
    internal string? Connection => !KeepsAlive ? "close" : _is10 ? "keep-alive" : null;

    internal static bool IsToken(ReadOnlySpan<char> text) => text.Length > 0 && !text.ContainsAnyExcept(s_token);

    /// <summary>What the other side sent, for a reason: a hundred characters at most, and none that is not plainly printable.</summary>
    internal static string Quote(string text)
    {
        var quoted = new StringBuilder("\"");
        foreach (var character in text.AsSpan(0, Math.Min(text.Length, 100)))
        {
            quoted = character is >= ' ' and <= '~' and not ('"' or '\\')
                ? quoted.Append(character)
                : quoted.Append(CultureInfo.InvariantCulture, $"\\x{(int)character:x2}");
        }

        return quoted.Append(text.Length > 100 ? "\"…" : "\"").ToString();
    }

    /// <exception cref="HttpRefusedException">It is no field.</exception>
    internal static (string Name, string Value) FieldIn(string line)
    {
        if (line[0] is ' ' or '\t')
        {
            throw Malformed($"a field is folded over several lines: {Quote(line)}");
        }

        var colon = line.IndexOf(':', StringComparison.Ordinal);
        if (colon < 0 || !IsToken(line.AsSpan(0, colon)))
        {
            throw Malformed($"a line is no field, which is a token, a colon and a value: {Quote(line)}");
        }

        RefuseControls(line, "a field");
        return (line[..colon], line[(colon + 1)..].Trim(' ', '\t'));
    }

    /// <exception cref="HttpRefusedException">There is a control character in the line.</exception>
    internal static void RefuseControls(string line, string what)
    {
        if (line.AsSpan().ContainsAny(s_controls))
        {
            throw Malformed($"{what} has a control character: {Quote(line)}");
        }
    }

    /// <exception cref="HttpRefusedException">It is no field, or one that is not met here.</exception>
    internal void Add(string line)
    {
        var (name, value) = FieldIn(line);
        switch (name.ToUpperInvariant())
        {
            case "HOST":
                _hosts++;
                if (value.Length > 0 && !IsHost(value))
                {
                    throw Malformed($"the Host is no host, or no host and port: {Quote(line)}");
                }

                break;
            case "CONTENT-LENGTH":
                _lengths.AddRange(ListOf(value));
                break;
            case "TRANSFER-ENCODING":
                _encodings.AddRange(ListOf(value));
                break;
            case "CONNECTION":
                _connection.AddRange(ListOf(value));
                break;
            case "EXPECT" when !_is10:
                ExpectsContinue = value.Equals("100-continue", StringComparison.OrdinalIgnoreCase) ? true
                    : throw Malformed($"no expectation but 100-continue is met here: {Quote(line)}", 417);
                break;
        }
    }

    /// <summary>Looks at the fields together, once all are there.</summary>
    /// <exception cref="HttpRefusedException">They contradict each other, or ask for too much.</exception>
    internal void Complete(int maxBody)
    {
        if (_hosts > 1 || (_hosts == 0 && !_is10))
        {
            throw Malformed(_hosts == 0 ? "there is no Host, which HTTP/1.1 must have" : "there is more than one Host");
        }

        // Two ways to say where a body ends are how requests are smuggled (RFC 9112 §11.2).
        if (_encodings.Count > 0 && (_is10 || _lengths.Count > 0))
        {
            throw Malformed(_is10 ? "HTTP/1.0 has no Transfer-Encoding" : "there are both a Content-Length and a Transfer-Encoding");
        }

        IsChunked = _encodings.Count > 0 && _encodings[^1].Equals("chunked", StringComparison.OrdinalIgnoreCase);
        if (_encodings.Count > 0 && !IsChunked)
        {
            throw Malformed($"the last Transfer-Encoding is not chunked: {Quote(string.Join(", ", _encodings))}");
        }

        if (_encodings.Count > 1)
        {
            throw Malformed($"no Transfer-Encoding but chunked is known here: {Quote(string.Join(", ", _encodings))}", 501);
        }

        if (_lengths.Count == 0)
        {
            return;
        }

        if (_lengths.Any(length => length != _lengths[0]) || _lengths[0].Length == 0 || _lengths[0].AsSpan().ContainsAnyExceptInRange('0', '9'))
        {
            throw Malformed($"the Content-Length is not one number: {Quote(string.Join(", ", _lengths))}");
        }

        Length = long.TryParse(_lengths[0], CultureInfo.InvariantCulture, out var octets) && octets <= maxBody ? octets
            : throw new HttpRefusedException(HttpRefusal.TooLarge($"the body has {_lengths[0]} octets, and {maxBody} are the most"));
    }

    private static HttpRefusedException Malformed(string reason, int status = 400) => new(HttpRefusal.Malformed(reason, status));

    private bool HasConnection(string option) => _connection.Contains(option, StringComparer.OrdinalIgnoreCase);

    private static bool IsHost(ReadOnlySpan<char> authority)
    {
        var afterBracket = authority.LastIndexOf(']') + 1;
        var rest = authority[afterBracket..];
        var colon = rest.IndexOf(':');
        var nameEndsAt = colon < 0 ? rest.Length : colon;
        var hasName = afterBracket == 0 ? nameEndsAt > 0 && !authority.Contains('[') : nameEndsAt == 0 && authority[0] == '[';
        return hasName && !authority.ContainsAnyExcept(s_host) && (colon < 0 || !rest[(colon + 1)..].ContainsAnyExceptInRange('0', '9'));
    }

    private static string[] ListOf(string value) => value.Split(',', StringSplitOptions.TrimEntries);

    private static bool IsVersion10(string version)
    {
        if (version is not ['H', 'T', 'T', 'P', '/', >= '0' and <= '9' and var major, '.', >= '0' and <= '9' and var minor])
        {
            throw Malformed($"the version is none of HTTP: {Quote(version)}");
        }

        return major == '1' ? minor == '0' : throw Malformed($"only HTTP/1.1 and HTTP/1.0 are spoken here, not {version}", 505);
    }

    // The four forms of RFC 9112 §3.2: /path, http://host/path, * of OPTIONS and host:port of CONNECT.
    private string PathIn(string target)
    {
        if (target.Length == 0 || target.AsSpan().ContainsAnyExceptInRange('!', '~') || target.Contains('#', StringComparison.Ordinal))
        {
            throw Malformed($"the target has characters that no target has: {Quote(target)}");
        }

        if (target[0] == '/' || (target == "*" && Method == "OPTIONS") || Method == "CONNECT")
        {
            return target;
        }

        var authority = target.StartsWith("http://", StringComparison.OrdinalIgnoreCase) ? target.AsSpan("http://".Length)
            : throw Malformed($"the target is neither a path nor a URI of http: {Quote(target)}");
        var end = authority.IndexOfAny('/', '?');
        var host = end < 0 ? authority : authority[..end];
        if (host.Length == 0 || !IsHost(host))
        {
            throw Malformed($"the target has no host: {Quote(target)}");
        }

        return end < 0 ? "/" : authority[end] == '/' ? authority[end..].ToString() : "/" + authority[end..].ToString();
    }
}
