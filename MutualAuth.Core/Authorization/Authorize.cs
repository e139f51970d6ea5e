using System.Collections.Immutable;
using System.Net;
using MutualAuth.Authorization;
using MutualAuth.Certificates;
using MutualAuth.Evidence;
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

    /// <summary>
    /// A known peer whose key people have compared over another channel (<see cref="Trust.KnownPeerStore.VerifyAsync"/>). Every other peer is
    /// rejected,
    /// one that an authority vouches for included.
    /// </summary>
    /// <remarks>
    /// In the options it accepts no peer for the first time, since a key that was not met cannot have been compared: enter and verify peers
    /// beforehand.
    /// With trust on first use, ask it about single acts of a peer that is connected: <c>Examine(connection.Peer, now)</c>.
    /// </remarks>
    /// <example><code>var compared = Authorize.VerifiedKey;</code></example>
    public static AuthorizationRule VerifiedKey { get; } = new VerifiedKeyRule();

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

    /// <summary>
    /// A peer whose certificate carries this e-mail address: in an rfc822Name, or where its local part is beyond ASCII in a SmtpUTF8Mailbox (RFC
    /// 9598). The local part counts character by character, case included (RFC 5280 §7.5); the domain counts without case.
    /// </summary>
    /// <exception cref="FormatException"><paramref name="address"/> is not an e-mail address.</exception>
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

    /// <summary>
    /// A peer whose certificate carries this service of this domain (SRVName, RFC 4985): a client demands it of the server to which an SRV record of
    /// the domain led it.
    /// </summary>
    /// <remarks>
    /// Service and domain must both be there, in one name and without a wildcard; case has no meaning (RFC 9525 §6.5). A dNSName of the domain does
    /// not count, and neither does the host that the record named, unless you ask for it with <see cref="AllOf(IEnumerable{AuthorizationRule})"/>.
    /// </remarks>
    /// <param name="name">Such as <c>_imaps.example.org</c>.</param>
    /// <exception cref="FormatException"><paramref name="name"/> is not the name of a service.</exception>
    /// <example><code>var mailService = Authorize.Service("_imaps.example.org");</code></example>
    public static AuthorizationRule Service(string name) => Service(ServiceName.Parse(name));

    /// <inheritdoc cref="Service(string)"/>
    /// <example><code>var service = Authorize.Service(ServiceName.Of("imaps", DnsName.Parse("example.org")));</code></example>
    public static AuthorizationRule Service(ServiceName name)
    {
        ArgumentNullException.ThrowIfNull(name);
        return NameRule.OfService(name);
    }

    /// <summary>A peer whose subject has this registered number as its one organizationIdentifier, compared character by character.</summary>
    /// <param name="identifier">Such as <c>PSDGB-FCA-123456</c>, <c>VATDE-123456789</c> or <c>NTRGB-01234567</c>.</param>
    /// <exception cref="FormatException"><paramref name="identifier"/> is not an organization identifier.</exception>
    /// <example><code>var organization = Authorize.OrganizationIdentifier("PSDGB-FCA-123456");</code></example>
    public static AuthorizationRule OrganizationIdentifier(string identifier) =>
        OrganizationIdentifier(Names.OrganizationIdentifier.Parse(identifier));

    /// <inheritdoc cref="OrganizationIdentifier(string)"/>
    /// <example><code>var register = Authorize.OrganizationIdentifier(OrganizationIdentifier.Parse("NTRGB-01234567"));</code></example>
    public static AuthorizationRule OrganizationIdentifier(OrganizationIdentifier identifier)
    {
        ArgumentNullException.ThrowIfNull(identifier);
        return NameRule.OfOrganization(identifier);
    }

    /// <summary>A peer whose certificate states that it is qualified and of this type (ETSI EN 319 412-5).</summary>
    /// <remarks>The statements are those of the issuer: trust only authorities that are qualified trust service providers.</remarks>
    /// <param name="type">What it must be for; a TLS peer has <see cref="QcType.Website"/> (a QWAC).</param>
    /// <param name="keyInQualifiedDevice">Whether it must also state that its key is in a qualified device.</param>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="type"/> does not exist.</exception>
    /// <example><code>var qualified = Authorize.Qualified(QcType.Website);</code></example>
    public static AuthorizationRule Qualified(QcType type, bool keyInQualifiedDevice = false) => Enum.IsDefined(type)
        ? new QualifiedRule(type, keyInQualifiedDevice)
        : throw new ArgumentOutOfRangeException(nameof(type), type, $"A {nameof(QcType)} that exists.");

    /// <summary>
    /// A payment service provider with this role, by a qualified certificate for web sites (a QWAC, ETSI TS 119 495) whose subject has one
    /// organizationIdentifier. Where that is of the scheme <c>PSD</c>, it names the competent authority of the statements.
    /// </summary>
    /// <remarks>
    /// The role is what the competent authority had granted when the certificate was issued. Whether it still has it is in its register, which an
    /// asynchronous validator may ask. Trust only authorities that are qualified trust service providers.
    /// </remarks>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="role"/> does not exist.</exception>
    /// <example><code>var accountInformation = Authorize.Psd2Role(Psd2Role.AccountInformation);</code></example>
    public static AuthorizationRule Psd2Role(Psd2Role role) => Enum.IsDefined(role)
        ? new QualifiedRule(QcType.Website, keyInDevice: false, role)
        : throw new ArgumentOutOfRangeException(nameof(role), role, $"A {nameof(Certificates.Psd2Role)} that exists.");

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

    /// <summary>
    /// A peer of which a validator says this (<see cref="Validation.IPeerFactValidator"/>). It says nothing of the peer's name: combine it with a
    /// rule
    /// that does, by <see cref="AllOf(IEnumerable{AuthorizationRule})"/>.
    /// </summary>
    /// <remarks>
    /// Facts are known once the certificate stage has accepted the peer and its validators have been asked; the rule is asked then, and again
    /// whenever the facts change while the connection is open. A peer that has no certificate is not asked about, as by every rule.
    /// </remarks>
    /// <param name="source">The name of the validator.</param>
    /// <param name="name">The name of the fact.</param>
    /// <param name="values">The values of which one must be there, compared character by character; at least one.</param>
    /// <exception cref="ArgumentNullException">A parameter is null.</exception>
    /// <exception cref="ArgumentException">
    /// <paramref name="source"/> or <paramref name="name"/> is no name (<see cref="PeerFact"/>), or <paramref name="values"/> is empty or holds a
    /// null.
    /// </exception>
    /// <example><code>var compliant = Authorize.Fact("posture", "compliant", "true");</code></example>
    public static AuthorizationRule Fact(string source, string name, params IEnumerable<string> values)
    {
        PeerFact.Checked(source, nameof(source));
        PeerFact.Checked(name, nameof(name));
        ArgumentNullException.ThrowIfNull(values);
        HashSet<string> wanted = new(values, StringComparer.Ordinal);
        if (wanted.Count == 0 || wanted.Contains(null!))
        {
            throw new ArgumentException("Expected at least one value, and no null among them.", nameof(values));
        }

        var listed = string.Join(" or ", wanted.Order(StringComparer.Ordinal).Take(8).Select(value => Errors.SafeText.Quote(value)));
        return new FactRule(
            source,
            $"{source} says {name} = {listed}",
            facts => facts.Any(fact => fact.Source == source && fact.Name == name && wanted.Contains(fact.Value)));
    }

    /// <summary>A peer for whose facts <paramref name="predicate"/> is true; see <see cref="Fact"/> for when it is asked.</summary>
    /// <param name="description">Completes the sentence "the peer is accepted when", for logs and rejections.</param>
    /// <param name="predicate">
    /// Pure and quick; called from many threads at once, with all facts that hold now. When it throws, the peer is rejected.
    /// </param>
    /// <exception cref="ArgumentNullException"><paramref name="predicate"/> is null.</exception>
    /// <exception cref="ArgumentException"><paramref name="description"/> is empty or white space.</exception>
    /// <example>
    /// <code>
    /// var patched = Authorize.WhereFacts(
    ///     "its system is of this year",
    ///     facts =&gt; facts.Any(fact =&gt; fact.Source == "posture" &amp;&amp; fact.Name == "os-year" &amp;&amp; fact.Value == "2026"));
    /// </code>
    /// </example>
    public static AuthorizationRule WhereFacts(string description, Func<ImmutableArray<PeerFact>, bool> predicate)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(description);
        ArgumentNullException.ThrowIfNull(predicate);
        return new FactRule(null, description, predicate);
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
    /// Such as <c>dns client.example</c>, <c>subject CN=client,O=Example</c> or <c>dns client.example &amp;&amp; policy 1.3.6.1.4.1.99999.1</c>.
    /// Empty lines and those that begin with # are passed over.
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
