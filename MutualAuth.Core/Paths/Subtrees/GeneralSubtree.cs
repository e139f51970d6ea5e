using System.Net;
using System.Net.Sockets;
using System.Text;
using MutualAuth.Certificates;
using MutualAuth.Errors;
using MutualAuth.Names;

namespace MutualAuth.Paths;

/// <summary>A part of the space of names, for the constraints of a trust anchor (GeneralSubtree, RFC 5280 §4.2.1.10).</summary>
/// <remarks>
/// It speaks of names of its own form only: a certificate without a DNS name meets every constraint on DNS names. Immutable and safe to share.
/// </remarks>
/// <example>
/// <code>
/// var ours = GeneralSubtree.Parse("dns corp.example");
/// </code>
/// </example>
public sealed class GeneralSubtree : IEquatable<GeneralSubtree>
{
    private readonly string _text;

    private GeneralSubtree(string text, GeneralName name) => (_text, Name) = (text, name);

    /// <summary>The base in the form of a certificate.</summary>
    internal GeneralName Name { get; }

    /// <summary>A domain and every name below it; an empty text for every DNS name.</summary>
    /// <exception cref="ArgumentNullException"><paramref name="domain"/> is null.</exception>
    /// <exception cref="FormatException"><paramref name="domain"/> is not a host name.</exception>
    public static GeneralSubtree Dns(string domain) =>
        OfText("dns", GeneralNameForm.Dns, domain, "a host name such as corp.example, without a wildcard and a leading dot");

    /// <summary>One mailbox, every mailbox of a host, or, with a leading dot, of the hosts below a domain; an empty text for every mailbox.</summary>
    /// <exception cref="ArgumentNullException"><paramref name="mailboxes"/> is null.</exception>
    /// <exception cref="FormatException"><paramref name="mailboxes"/> is none of these.</exception>
    public static GeneralSubtree Email(string mailboxes) =>
        OfText("email", GeneralNameForm.Email, mailboxes, "alice@corp.example, corp.example or .corp.example");

    /// <summary>
    /// The URIs of one host, SPIFFE IDs of a trust domain included, or, with a leading dot, of the hosts below a domain; an empty text for every URI.
    /// </summary>
    /// <exception cref="ArgumentNullException"><paramref name="host"/> is null.</exception>
    /// <exception cref="FormatException"><paramref name="host"/> is neither.</exception>
    public static GeneralSubtree Uri(string host) => OfText("uri", GeneralNameForm.Uri, host, "a host such as corp.example, or .corp.example");

    /// <summary>The addresses of a network. IPv4 and IPv6 are one form: a constraint on either permits no address of the other.</summary>
    public static GeneralSubtree IPAddress(IPNetwork network)
    {
        var length = network.BaseAddress.AddressFamily == AddressFamily.InterNetwork ? 4 : 16;
        var value = new byte[2 * length];
        network.BaseAddress.GetAddressBytes().CopyTo(value, 0);
        for (var bit = 0; bit < network.PrefixLength; bit++)
        {
            value[length + (bit / 8)] |= (byte)(0x80 >> (bit % 8));
        }

        return new GeneralSubtree($"ip {network}", new GeneralName(GeneralNameForm.IPAddress, value));
    }

    /// <summary>The subjects that begin with these attributes.</summary>
    /// <exception cref="ArgumentNullException"><paramref name="name"/> is null.</exception>
    public static GeneralSubtree Directory(DistinguishedName name)
    {
        ArgumentNullException.ThrowIfNull(name);
        return new GeneralSubtree($"directory {name}", new GeneralName(GeneralNameForm.Directory, name.RawData, name));
    }

    /// <summary>
    /// Reads <c>dns DOMAIN</c>, <c>email MAILBOX-OR-HOST</c>, <c>uri HOST</c>, <c>ip NETWORK</c> or <c>directory DN</c>.
    /// </summary>
    /// <exception cref="ArgumentNullException"><paramref name="text"/> is null.</exception>
    /// <exception cref="FormatException"><paramref name="text"/> is none of these.</exception>
    public static GeneralSubtree Parse(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        return text.Split(' ', 2, StringSplitOptions.TrimEntries) switch
        {
            ["dns", var domain] => Dns(domain),
            ["email", var mailboxes] => Email(mailboxes),
            ["uri", var host] => Uri(host),
            ["ip", var network] => IPAddress(IPNetwork.Parse(network)),
            ["directory", var name] => Directory(DistinguishedName.Parse(name)),
            _ => throw new FormatException(
                $"Not a subtree of names: {SafeText.Quote(text)}. Write dns DOMAIN, email MAILBOX, uri HOST, ip NETWORK or directory DN."),
        };
    }

    /// <summary>Compares form and base, as they are encoded.</summary>
    public bool Equals(GeneralSubtree? other) =>
        other is not null && Name.Form == other.Name.Form && Name.Value.Span.SequenceEqual(other.Name.Value.Span);

    /// <inheritdoc/>
    public override bool Equals(object? obj) => Equals(obj as GeneralSubtree);

    /// <inheritdoc/>
    public override int GetHashCode()
    {
        var hash = default(HashCode);
        hash.Add(Name.Form);
        hash.AddBytes(Name.Value.Span);
        return hash.ToHashCode();
    }

    /// <summary>The form that <see cref="Parse"/> reads.</summary>
    public override string ToString() => _text;

    private static GeneralSubtree OfText(string form, GeneralNameForm kind, string value, string expected)
    {
        ArgumentNullException.ThrowIfNull(value);
        var name = new GeneralName(kind, Encoding.UTF8.GetBytes(kind == GeneralNameForm.Email ? value : value.ToLowerInvariant()));
        return NameSubtree.IsWellFormed(name, isLenient: false)
            ? new GeneralSubtree($"{form} {name.Text}", name)
            : throw new FormatException($"Expected {expected}, got {SafeText.Quote(value)}.");
    }
}
