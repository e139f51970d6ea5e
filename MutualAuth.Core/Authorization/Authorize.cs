using System.Net;
using MutualAuth.Authorization;
using MutualAuth.Names;

namespace MutualAuth;

/// <summary>Makes the rules that say which peers are accepted; each reads as a sentence where it is used.</summary>
/// <remarks>
/// The rules check names in the peer's own certificate, which its authority certifies, so a rule is only as strong as the trusted
/// authorities. Combine them with <see cref="AnyOf(IEnumerable{AuthorizationRule})"/> and <see cref="AllOf(IEnumerable{AuthorizationRule})"/>.
/// </remarks>
public static class Authorize
{
    /// <summary>
    /// The server whose name we dialled: a dNSName matches it, wildcards included (<see cref="WildcardPolicy.Default"/>), or for an address an
    /// iPAddress does (RFC 9525 §6).
    /// </summary>
    /// <remarks>For clients only. The subject's common name is never looked at. Without a dialled name every server is rejected.</remarks>
    /// <example><code>var dialled = Authorize.ServerName;</code></example>
    public static AuthorizationRule ServerName { get; } = new ServerNameRule(WildcardPolicy.Default);

    /// <summary>The server whose name we dialled, as <see cref="ServerName"/>, with another policy for wildcards.</summary>
    /// <remarks>For clients only. Where only a wildcard that is refused covers the name, the reason is
    /// <see cref="RejectionReason.WildcardRefused"/>.</remarks>
    /// <param name="wildcards">What a wildcard counts for.</param>
    /// <exception cref="ArgumentNullException"><paramref name="wildcards"/> is null.</exception>
    /// <example><code>var dialledInFull = Authorize.ServerNameBy(WildcardPolicy.Refused);</code></example>
    public static AuthorizationRule ServerNameBy(WildcardPolicy wildcards)
    {
        ArgumentNullException.ThrowIfNull(wildcards);
        return new ServerNameRule(wildcards);
    }

    /// <summary>Every peer with a path to a trust anchor. Right only where the authority certifies no other parties.</summary>
    /// <example><code>var everyPeer = Authorize.AnyTrustedPeer;</code></example>
    public static AuthorizationRule AnyTrustedPeer { get; } = new AnyTrustedPeerRule();

    /// <summary>No peer: every certificate is rejected. For servers whose clients present none and log in instead.</summary>
    /// <example><code>var noPeer = Authorize.Nobody;</code></example>
    public static AuthorizationRule Nobody { get; } = new PredicateRule("no certificate is accepted", static _ => false);

    /// <summary>A peer whose certificate carries exactly this dNSName; a wildcard in the certificate matches nothing.</summary>
    /// <exception cref="FormatException"><paramref name="name"/> is not a host name.</exception>
    /// <example><code>var dns = Authorize.Dns("client.example");</code></example>
    public static AuthorizationRule Dns(string name) => Dns(DnsName.Parse(name));

    /// <inheritdoc cref="Dns(string)"/>
    /// <example><code>var dnsName = Authorize.Dns(DnsName.Parse("client.example"));</code></example>
    public static AuthorizationRule Dns(DnsName name)
    {
        ArgumentNullException.ThrowIfNull(name);
        return NameRule.OfDns(name);
    }

    /// <summary>A peer whose certificate carries this uniformResourceIdentifier, compared character by character.</summary>
    /// <remarks>For a SPIFFE ID use <see cref="SpiffeId(string)"/>, which holds the certificate to the rules of an X.509-SVID as well.</remarks>
    /// <exception cref="FormatException"><paramref name="uri"/> is not an absolute URI in ASCII.</exception>
    /// <example><code>var uri = Authorize.Uri("urn:example:client");</code></example>
    public static AuthorizationRule Uri(string uri) => NameRule.OfUri(uri);

    /// <summary>The workload with this SPIFFE ID, shown in a valid X.509-SVID.</summary>
    /// <exception cref="FormatException"><paramref name="id"/> is not a workload's SPIFFE ID.</exception>
    /// <example><code>var workload = Authorize.SpiffeId("spiffe://prod.example/billing");</code></example>
    public static AuthorizationRule SpiffeId(string id) => SpiffeId(Names.SpiffeId.Parse(id));

    /// <inheritdoc cref="SpiffeId(string)"/>
    /// <example><code>var workloadId = Authorize.SpiffeId(SpiffeId.Parse("spiffe://prod.example/billing"));</code></example>
    public static AuthorizationRule SpiffeId(SpiffeId id)
    {
        ArgumentNullException.ThrowIfNull(id);
        return SvidRule.OfWorkload(id);
    }

    /// <summary>Every workload of this SPIFFE trust domain, shown in a valid X.509-SVID.</summary>
    /// <remarks>
    /// A trust anchor may vouch for any name: where anchors of several trust domains are trusted together, each can issue for all of them, unless
    /// name constraints in the anchors or their intermediates say otherwise.
    /// </remarks>
    /// <exception cref="FormatException"><paramref name="trustDomain"/> is not the name of a trust domain.</exception>
    /// <example><code>var member = Authorize.MemberOf("prod.example");</code></example>
    public static AuthorizationRule MemberOf(string trustDomain) => MemberOf(TrustDomain.Parse(trustDomain));

    /// <inheritdoc cref="MemberOf(string)"/>
    /// <example><code>var domainMember = Authorize.MemberOf(TrustDomain.Parse("prod.example"));</code></example>
    public static AuthorizationRule MemberOf(TrustDomain trustDomain)
    {
        ArgumentNullException.ThrowIfNull(trustDomain);
        return SvidRule.OfMembers(trustDomain);
    }

    /// <summary>A peer for whose whole path this certificate policy is valid (<see cref="AuthenticatedPeer.Policies"/>).</summary>
    /// <remarks>It names no single peer: combine it with a rule that does by <see cref="AllOf(IEnumerable{AuthorizationRule})"/>.</remarks>
    /// <param name="policy">The policy as a dotted object identifier, in the domain of the anchor.</param>
    /// <exception cref="FormatException"><paramref name="policy"/> is not a dotted object identifier.</exception>
    /// <example><code>var ofPolicy = Authorize.AllOf(Authorize.Dns("client.example"), Authorize.Policy("1.3.6.1.4.1.99999.1"));</code></example>
    public static AuthorizationRule Policy(string policy) => new PolicyRule(policy);

    /// <summary>A peer whose certificate carries this rfc822Name; the case of the local part counts (RFC 5280 §7.5).</summary>
    /// <exception cref="FormatException"><paramref name="address"/> is not an e-mail address in ASCII.</exception>
    /// <example><code>var email = Authorize.Email("alice@corp.example");</code></example>
    public static AuthorizationRule Email(string address) => Email(EmailAddress.Parse(address));

    /// <inheritdoc cref="Email(string)"/>
    /// <example><code>var emailAddress = Authorize.Email(EmailAddress.Parse("alice@corp.example"));</code></example>
    public static AuthorizationRule Email(EmailAddress address)
    {
        ArgumentNullException.ThrowIfNull(address);
        return NameRule.OfEmail(address);
    }

    /// <summary>
    /// A peer whose certificate carries this user principal name, the otherName 1.3.6.1.4.1.311.20.2.3 by which directories of Microsoft know a
    /// person.
    /// </summary>
    /// <param name="name">Such as <c>alice@corp.example</c>; compared character by character, while the directory itself does not tell upper from
    /// lower case.</param>
    /// <exception cref="FormatException"><paramref name="name"/> is not <c>user@domain</c> of at most 1,024 characters, all of them
    /// visible.</exception>
    /// <example><code>var principal = Authorize.UserPrincipalName("alice@corp.example");</code></example>
    public static AuthorizationRule UserPrincipalName(string name) => NameRule.OfUserPrincipalName(PeerName.UserPrincipalName(name));

    /// <summary>
    /// A peer whose certificate carries this name of a type of its own: an otherName (RFC 5280 §4.2.1.6), such as a Jabber address, the serial number
    /// of a device or a card, or a permanent identifier.
    /// </summary>
    /// <param name="type">The type, as a dotted object identifier: <c>1.3.6.1.5.5.7.8.5</c> is a Jabber address.</param>
    /// <param name="text">
    /// The value, compared character by character with <see cref="Certificates.OtherName.Text"/>: the text of a character string,
    /// <c>TYPE:SERIAL</c> of a hardware module, or <c>#</c> and the DER encoding in lower-case hex.
    /// </param>
    /// <exception cref="ArgumentNullException"><paramref name="type"/> or <paramref name="text"/> is null.</exception>
    /// <exception cref="FormatException"><paramref name="type"/> or <paramref name="text"/> is malformed; see
    /// <see cref="PeerName.OtherName"/>.</exception>
    /// <example><code>var jabber = Authorize.OtherName("1.3.6.1.5.5.7.8.5", "juliet@im.example");</code></example>
    public static AuthorizationRule OtherName(string type, string text) => NameRule.OfOtherName(PeerName.OtherName(type, text));

    /// <summary>A peer whose certificate carries this iPAddress, whatever address it connects from.</summary>
    /// <exception cref="FormatException"><paramref name="address"/> is not an IP address.</exception>
    /// <example><code>var address = Authorize.IPAddress("192.0.2.7");</code></example>
    public static AuthorizationRule IPAddress(string address)
    {
        var name = MutualAuth.ServerName.Parse(address);
        return NameRule.OfAddress(
            name.Address
                ?? throw new FormatException(
                    $"Not an IP address: expected one, got the host name {name}. Use {nameof(Authorize)}.{nameof(Dns)} for it."));
    }

    /// <inheritdoc cref="IPAddress(string)"/>
    /// <exception cref="ArgumentException"><paramref name="address"/> has an IPv6 zone.</exception>
    /// <example><code>var loopback = Authorize.IPAddress(IPAddress.Loopback);</code></example>
    public static AuthorizationRule IPAddress(IPAddress address) => NameRule.OfAddress(MutualAuth.ServerName.FromAddress(address).Address!);

    /// <summary>A peer whose certificate has this subject, equal by RFC 5280 §7.1: same order, same attributes.</summary>
    /// <exception cref="FormatException"><paramref name="rfc4514"/> is not a distinguished name (RFC 4514).</exception>
    /// <exception cref="ArgumentException">The name is empty: it would be that of every certificate without a subject.</exception>
    /// <example><code>var subject = Authorize.Subject("CN=client,O=Example");</code></example>
    public static AuthorizationRule Subject(string rfc4514) => Subject(DistinguishedName.Parse(rfc4514));

    /// <inheritdoc cref="Subject(string)"/>
    /// <example><code>var subjectName = Authorize.Subject(DistinguishedName.Parse("CN=client,O=Example"));</code></example>
    public static AuthorizationRule Subject(DistinguishedName name) => NameRule.OfSubject(NotEmpty(name));

    /// <summary>A peer whose own certificate was issued by this authority, equal by RFC 5280 §7.1.</summary>
    /// <exception cref="FormatException"><paramref name="rfc4514"/> is not a distinguished name (RFC 4514).</exception>
    /// <exception cref="ArgumentException">The name is empty.</exception>
    /// <example><code>var issuer = Authorize.Issuer("CN=Clients CA,O=Example");</code></example>
    public static AuthorizationRule Issuer(string rfc4514) => Issuer(DistinguishedName.Parse(rfc4514));

    /// <inheritdoc cref="Issuer(string)"/>
    /// <example><code>var issuerName = Authorize.Issuer(DistinguishedName.Parse("CN=Clients CA,O=Example"));</code></example>
    public static AuthorizationRule Issuer(DistinguishedName name) => NameRule.OfIssuer(NotEmpty(name));

    /// <summary>A peer for which <paramref name="predicate"/> is true.</summary>
    /// <param name="description">Completes the sentence "the peer is accepted when", for logs and rejections.</param>
    /// <param name="predicate">Pure and quick; called from many threads at once. When it throws, the peer is rejected.</param>
    /// <exception cref="ArgumentNullException"><paramref name="predicate"/> is null.</exception>
    /// <exception cref="ArgumentException"><paramref name="description"/> is empty or white space.</exception>
    /// <example>
    /// <code>
    /// var department = Authorize.Where(
    ///     "it has a name of the laboratory",
    ///     context =&gt; context.Certificate.DnsNames.Any(name =&gt; name.EndsWith(".lab.example", StringComparison.Ordinal)));
    /// </code>
    /// </example>
    public static AuthorizationRule Where(string description, Func<CertificateContext, bool> predicate)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(description);
        ArgumentNullException.ThrowIfNull(predicate);
        return new PredicateRule(description, predicate);
    }

    /// <summary>A peer that at least one of the rules accepts. They are evaluated in order, up to the first that accepts.</summary>
    /// <exception cref="ArgumentException"><paramref name="rules"/> is empty, or holds a null.</exception>
    /// <example><code>var either = Authorize.AnyOf(Authorize.Dns("a.example"), Authorize.Dns("b.example"));</code></example>
    public static AuthorizationRule AnyOf(params IEnumerable<AuthorizationRule> rules) => new AnyOfRule(NotEmpty(rules));

    /// <summary>A peer that every one of the rules accepts.</summary>
    /// <exception cref="ArgumentException"><paramref name="rules"/> is empty, or holds a null.</exception>
    /// <example>
    /// <code>
    /// var both = Authorize.AllOf(Authorize.Issuer("CN=Clients CA,O=Example"), Authorize.Dns("client.example"));
    /// </code>
    /// </example>
    public static AuthorizationRule AllOf(params IEnumerable<AuthorizationRule> rules) => new AllOfRule(NotEmpty(rules));

    /// <summary>A peer that one of these lines names, in the grammar of an <see cref="AuthorizationFile"/>: for rules in a configuration.</summary>
    /// <param name="lines">
    /// Such as <c>dns client.example</c> or <c>subject CN=client,O=Example</c>. Empty lines and those that begin with # are passed over.
    /// </param>
    /// <exception cref="ArgumentNullException"><paramref name="lines"/> is null.</exception>
    /// <exception cref="FormatException">A line is not a rule, there is no rule, or <c>nobody</c> is not alone; the message says which
    /// line, from 1.</exception>
    /// <example><code>var configured = Authorize.Parse(["dns client.example", "upn alice@corp.example"]);</code></example>
    public static AuthorizationRule Parse(params IEnumerable<string> lines)
    {
        ArgumentNullException.ThrowIfNull(lines);
        var rules = new List<AuthorizationRule>();
        var number = 0;
        foreach (var line in lines)
        {
            number++;
            if (string.IsNullOrWhiteSpace(line) || line.TrimStart().StartsWith('#'))
            {
                continue;
            }

            try
            {
                rules.Add(RuleLines.Read(line.Trim()));
            }
            catch (Exception exception) when (exception is FormatException or ArgumentException)
            {
                throw new FormatException($"Line {number}: {exception.Message}", exception);
            }
        }

        return RuleLines.Combine(rules, out var problem) ?? throw new FormatException($"The rules cannot be used: {problem}");
    }

    /// <summary>A peer that the source's current rule accepts.</summary>
    /// <exception cref="ArgumentNullException"><paramref name="source"/> is null.</exception>
    /// <example><code>var following = Authorize.From(new AuthorizationFile("clients.txt"));</code></example>
    public static AuthorizationRule From(IAuthorizationSource source)
    {
        ArgumentNullException.ThrowIfNull(source);
        return new SourcedRule(source);
    }

    private static DistinguishedName NotEmpty(DistinguishedName name)
    {
        ArgumentNullException.ThrowIfNull(name);
        return name.IsEmpty
            ? throw new ArgumentException(
                "Expected a distinguished name with at least one attribute, got an empty one, which identifies no one.", nameof(name))
            : name;
    }

    private static AuthorizationRule[] NotEmpty(IEnumerable<AuthorizationRule> rules)
    {
        ArgumentNullException.ThrowIfNull(rules);
        AuthorizationRule[] all = [.. rules];
        if (all.Length == 0)
        {
            throw new ArgumentException(
                "Expected at least one rule, got none. Say which peers are accepted; AnyTrustedPeer is the rule for every peer with a trusted path.",
                nameof(rules));
        }

        return all.Contains(null) ? throw new ArgumentException("Expected rules, got a null among them.", nameof(rules)) : all;
    }
}
