using System.Text;
using MutualAuth.Certificates;

namespace MutualAuth.Paths;

/// <summary>Whether a name is within the subtree of a name constraint (RFC 5280 §4.2.1.10). Names and bases must be well formed.</summary>
internal static class NameSubtree
{
    /// <summary>Whether the base is valid for its form. An empty DNS, e-mail or URI base covers all names of the form.</summary>
    /// <param name="subtree">The base.</param>
    /// <param name="isLenient">Whether spellings of private authorities are accepted: a DNS base with a leading dot, and underscores.</param>
    internal static bool IsWellFormed(GeneralName subtree, bool isLenient)
    {
        var value = subtree.Value.Span;
        return subtree.Form switch
        {
            GeneralNameForm.Dns => value.IsEmpty || NameSyntax.IsDnsName(isLenient ? WithoutDot(value) : value, isLenient),
            GeneralNameForm.Email when value.Contains((byte)'@') =>
                NameSyntax.TrySplitMailbox(value, out _, out var host) && NameSyntax.IsDnsName(host, isLenient),
            GeneralNameForm.Email or GeneralNameForm.Uri => value.IsEmpty || NameSyntax.IsDnsName(WithoutDot(value), isLenient),
            GeneralNameForm.IPAddress => IsContiguous(value[(value.Length / 2)..]),
            _ => true,
        };
    }

    /// <summary>A URI without a host name is in no subtree, and cannot be shown to be outside one.</summary>
    internal static bool HasConstrainableHost(GeneralName uri, bool isLenient) =>
        NameSyntax.TryGetHost(uri.Value.Span, out var host)
            && NameSyntax.IsDnsName(host, isLenient)
            && !System.Net.IPAddress.TryParse(Encoding.ASCII.GetString(host), out _);

    /// <summary>Whether every name that this one covers is in the subtree: for permitted subtrees.</summary>
    internal static bool Contains(GeneralName name, GeneralName subtree) => name.Form == GeneralNameForm.Dns
        ? LiesIn(name.Value.Span, subtree.Value.Span)
        : Match(name, subtree, strictly: true);

    /// <summary>Whether any name that this one covers may be in the subtree: for excluded subtrees.</summary>
    internal static bool Touches(GeneralName name, GeneralName subtree)
    {
        if (name.Form != GeneralNameForm.Dns)
        {
            return Match(name, subtree, strictly: false);
        }

        var value = name.Value.Span;
        var below = NameSyntax.WithoutWildcard(value);
        var root = WithoutDot(subtree.Value.Span);
        if (IsAtOrBelow(below, root))
        {
            return true;
        }

        // A wildcard covers one label, so it reaches the subtrees whose base is one label longer.
        var dot = root.IndexOf((byte)'.');
        return below.Length != value.Length && Ascii.EqualsIgnoreCase(root[(dot + 1)..], below);
    }

    /// <summary>
    /// A permitted DNS base with a leading dot covers the names below it, and not the domain itself: the narrower of the two readings in
    /// use.
    /// </summary>
    private static bool LiesIn(ReadOnlySpan<byte> name, ReadOnlySpan<byte> root)
    {
        var below = NameSyntax.WithoutWildcard(name);
        return root is not [(byte)'.', .. var domain] ? IsAtOrBelow(below, root)
            : IsAtOrBelow(below, domain) && (below.Length > domain.Length || name.Length > below.Length);
    }

    private static ReadOnlySpan<byte> WithoutDot(ReadOnlySpan<byte> root) => root is [(byte)'.', .. var domain] ? domain : root;

    private static bool Match(GeneralName name, GeneralName subtree, bool strictly)
    {
        switch (name.Form)
        {
            case GeneralNameForm.IPAddress:
                return MatchesAddress(name.Value.Span, subtree.Value.Span);
            case GeneralNameForm.Email:
                return MatchesMailbox(name.Value.Span, subtree.Value.Span);
            case GeneralNameForm.Uri:
                return NameSyntax.TryGetHost(name.Value.Span, out var host) && MatchesHost(host, subtree.Value.Span);
            case GeneralNameForm.Directory:
                return strictly ? name.Directory!.IsWithin(subtree.Directory!) : name.Directory!.MayBeWithin(subtree.Directory!);
            default:
                return !strictly;
        }
    }

    private static bool IsAtOrBelow(ReadOnlySpan<byte> name, ReadOnlySpan<byte> root) =>
        root.IsEmpty
        || Ascii.EqualsIgnoreCase(name, root)
        || (name.Length > root.Length && name[name.Length - root.Length - 1] == '.' && Ascii.EqualsIgnoreCase(name[^root.Length..], root));

    /// <summary>A host covers only itself, and a host with a leading dot everything below it.</summary>
    private static bool MatchesHost(ReadOnlySpan<byte> host, ReadOnlySpan<byte> root) =>
        root.IsEmpty
        || (root[0] == '.' ? host.Length > root.Length && Ascii.EqualsIgnoreCase(host[^root.Length..], root) : Ascii.EqualsIgnoreCase(host, root));

    private static bool MatchesMailbox(ReadOnlySpan<byte> mailbox, ReadOnlySpan<byte> root)
    {
        if (!NameSyntax.TrySplitMailbox(mailbox, out var local, out var host))
        {
            return false;
        }

        // RFC 5280 §7.5: the local part is compared exactly, the host without regard to case.
        return NameSyntax.TrySplitMailbox(root, out var rootLocal, out var rootHost)
            ? local.SequenceEqual(rootLocal) && Ascii.EqualsIgnoreCase(host, rootHost)
            : MatchesHost(host, root);
    }

    private static bool MatchesAddress(ReadOnlySpan<byte> address, ReadOnlySpan<byte> network)
    {
        if (network.Length != 2 * address.Length)
        {
            return false;
        }

        for (var i = 0; i < address.Length; i++)
        {
            if (((address[i] ^ network[i]) & network[address.Length + i]) != 0)
            {
                return false;
            }
        }

        return true;
    }

    /// <summary>RFC 4632: one bits followed by zero bits.</summary>
    private static bool IsContiguous(ReadOnlySpan<byte> mask)
    {
        var ended = false;
        foreach (var octet in mask)
        {
            var inverted = (byte)~octet;
            if ((inverted & (inverted + 1)) != 0 || (ended && octet != 0))
            {
                return false;
            }

            ended |= octet != 0xff;
        }

        return true;
    }
}
