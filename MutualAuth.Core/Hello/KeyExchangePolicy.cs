using System.Collections.Immutable;
using System.Security.Cryptography;
using MutualAuth.Collections;
using MutualAuth.Evidence;

namespace MutualAuth;

/// <summary>Which key exchanges are allowed: <c>KeyExchange = KeyExchangePolicy.Hybrid</c>.</summary>
/// <remarks>
/// It only judges: which groups a hello offers, and which of them is taken, the platform decides (OpenSSL's configuration, <c>Groups</c>). A key
/// exchange that is not allowed ends the handshake before a certificate, a verdict or a credential of ours goes out; a server decides at the hello
/// where that shows it. Immutable; compared by what it allows.
/// </remarks>
public sealed record KeyExchangePolicy
{
    private readonly EquatableArray<KeyExchangeGroup> _allowed;

    private KeyExchangePolicy(ImmutableArray<KeyExchangeGroup> allowed) => _allowed = new(allowed);

    /// <summary>Every key exchange that the platform agrees on. The default.</summary>
    public static KeyExchangePolicy Any { get; } = new([]);

    /// <summary>A hybrid of an elliptic curve and ML-KEM. TLS 1.3 only; needs OpenSSL 3.5 or its like on both sides.</summary>
    public static KeyExchangePolicy Hybrid { get; } = new([.. Enum.GetValues<KeyExchangeGroup>().Where(group => group.IsHybrid())]);

    /// <summary>ML-KEM, alone or in a hybrid. TLS 1.3 only; needs OpenSSL 3.5 or its like on both sides.</summary>
    public static KeyExchangePolicy PostQuantum { get; } = new([.. Enum.GetValues<KeyExchangeGroup>().Where(group => group.IsPostQuantum())]);

    /// <summary>The groups that are allowed; empty for any.</summary>
    public ImmutableArray<KeyExchangeGroup> Allowed => _allowed.Items;

    /// <summary>These groups and no other.</summary>
    /// <exception cref="ArgumentNullException"><paramref name="groups"/> is null.</exception>
    /// <exception cref="ArgumentException">There is none, or one that <see cref="KeyExchangeGroup"/> does not name.</exception>
    /// <example><code>var cnsa1 = KeyExchangePolicy.Only(KeyExchangeGroup.Secp384r1);</code></example>
    public static KeyExchangePolicy Only(params IEnumerable<KeyExchangeGroup> groups)
    {
        ArgumentNullException.ThrowIfNull(groups);
        ImmutableArray<KeyExchangeGroup> all = [.. groups.Distinct().Order()];
        return all.IsEmpty || !all.All(Enum.IsDefined)
            ? throw new ArgumentException("Expected groups that have a name, one at least.", nameof(groups))
            : new KeyExchangePolicy(all);
    }

    /// <summary>What is allowed, fit for a log.</summary>
    public override string ToString() =>
        Allowed.IsEmpty ? "any key exchange" : $"a key exchange by {string.Join(", ", Allowed.Select(group => group.ToText()))}";

    /// <summary>Why this platform cannot satisfy it; null when it may.</summary>
    internal string? ExamineHere(TlsVersion highest)
    {
        if (Allowed.IsEmpty || !Allowed.All(group => group.IsPostQuantum()))
        {
            return null;
        }

#pragma warning disable SYSLIB5006 // only whether the platform has it is asked
        return highest < TlsVersion.Tls13
            ? "demands ML-KEM, which TLS 1.2 does not have: allow TLS 1.3."
            : !MLKem.IsSupported
            ? "demands ML-KEM, which this platform does not have. Run on OpenSSL 3.5 or later (Debian 13), or allow classical groups as well."
            : null;
#pragma warning restore SYSLIB5006
    }

    /// <summary>Judges what was agreed on; null for a key exchange without a group.</summary>
    internal Rejection? Examine(KeyExchangeGroup? agreed) => Allowed.IsEmpty || (agreed is { } group && Allowed.Contains(group))
        ? null
        : Refuse(agreed?.ToText() ?? "a key exchange without a named group");

    /// <summary>Judges what a client offers, before anything is computed for it.</summary>
    internal Rejection? Examine(ClientHello hello)
    {
        if (Allowed.IsEmpty)
        {
            return null;
        }

        var usable = hello.Versions.Contains(ClientHello.Tls13)
            ? hello.KeyExchangeGroups
            : [.. hello.KeyExchangeGroups.Where(group => !group.IsPostQuantum())];
        return usable.Any(Allowed.Contains)
            ? null
            : Refuse(usable.IsEmpty ? "no group" : $"an offer of {string.Join(", ", usable.Take(8).Select(group => group.ToText()))}");
    }

    private Rejection Refuse(string presented) => new(RejectionReason.KeyExchangeNotAllowed, ToString(), presented)
    {
        Hint = Allowed.All(group => group.IsPostQuantum())
            ? "Give the peer OpenSSL 3.5 or its like, and a configuration that offers hybrid groups."
            : "Compare the groups that both sides are configured for (OpenSSL: Groups).",
    };
}
