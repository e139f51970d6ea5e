using Org.BouncyCastle.Asn1;

namespace MutualAuth.Testing;

/// <summary>The statements of a qualified certificate (RFC 3739 §3.2.6), right or wrong: nothing is checked.</summary>
/// <remarks>Immutable. <see cref="ToExtension"/> gives what <see cref="CertificateSpec.Extensions"/> takes.</remarks>
public sealed record QualifiedStatements
{
    private const string Etsi = "0.4.0.1862.1.";
    private const string Psd2 = "0.4.0.19495.";

    /// <summary>Whether it says that it is qualified, <c>QcCompliance</c>. Default: it does.</summary>
    public bool IsCompliant { get; init; } = true;

    /// <summary>Whether it says that its key is in a qualified device, <c>QcSSCD</c>. Default: it does not.</summary>
    public bool KeyIsInQualifiedDevice { get; init; }

    /// <summary>
    /// What it is for, as the last arcs of the identifiers (1 esign, 2 eseal, 3 web). Default: web; empty leaves the statement out.
    /// </summary>
    public IReadOnlyList<int> Types { get; init; } = [3];

    /// <summary>The countries by whose law it is qualified. Default: empty, which leaves the statement out.</summary>
    public IReadOnlyList<string> Legislation { get; init; } = [];

    /// <summary>
    /// The roles of a payment service provider: the last arc of each identifier (1 PSP_AS, 2 PSP_PI, 3 PSP_AI, 4 PSP_IC), and its name. Default:
    /// empty, which leaves the statement out.
    /// </summary>
    public IReadOnlyList<(int Arc, string Name)> Roles { get; init; } = [];

    /// <summary>The name of the competent authority. Default: <c>Financial Conduct Authority</c>.</summary>
    public string AuthorityName { get; init; } = "Financial Conduct Authority";

    /// <summary>The identifier of the competent authority. Default: <c>GB-FCA</c>.</summary>
    public string AuthorityId { get; init; } = "GB-FCA";

    /// <summary>Statements of your own in DER, each a whole QCStatement, after the others.</summary>
    public IReadOnlyList<ReadOnlyMemory<byte>> Others { get; init; } = [];

    /// <summary>Whether the extension is critical, which ETSI EN 319 412-5 forbids. Default: it is not.</summary>
    public bool Critical { get; init; }

    /// <summary>A qualified certificate for web sites (QWAC) of a payment service provider with the two roles of third parties.</summary>
    public static QualifiedStatements ThirdPartyProvider { get; } = new() { Roles = [(2, "PSP_PI"), (3, "PSP_AI")] };

    /// <summary>The extension qcStatements.</summary>
    public CertificateExtension ToExtension()
    {
        var statements = new Asn1EncodableVector();
        Add(statements, IsCompliant, Etsi + "1", null);
        Add(statements, KeyIsInQualifiedDevice, Etsi + "4", null);
        Add(statements, Types.Count > 0, Etsi + "6", Sequence(Types.Select(type => new DerObjectIdentifier($"{Etsi}6.{type}"))));
        Add(statements, Legislation.Count > 0, Etsi + "7", Sequence(Legislation.Select(country => new DerPrintableString(country))));
        Add(statements, Roles.Count > 0, Psd2 + "2", new DerSequence(
            Sequence(Roles.Select(role => new DerSequence(new DerObjectIdentifier($"{Psd2}1.{role.Arc}"), new DerUtf8String(role.Name)))),
            new DerUtf8String(AuthorityName),
            new DerUtf8String(AuthorityId)));
        foreach (var other in Others)
        {
            statements.Add(Asn1Object.FromByteArray(other.ToArray()));
        }

        return new CertificateExtension("1.3.6.1.5.5.7.1.3", Critical, new DerSequence(statements).GetDerEncoded());
    }

    private static void Add(Asn1EncodableVector statements, bool isThere, string type, Asn1Encodable? content)
    {
        if (isThere)
        {
            var id = new DerObjectIdentifier(type);
            statements.Add(content is null ? new DerSequence(id) : new DerSequence(id, content));
        }
    }

    private static DerSequence Sequence(IEnumerable<Asn1Encodable> values) => new(values.ToArray());
}
