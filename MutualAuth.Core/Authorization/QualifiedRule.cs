using MutualAuth.Certificates;
using MutualAuth.Errors;
using MutualAuth.Reloading;

namespace MutualAuth.Authorization;

/// <summary>Accepts the holders of qualified certificates that state what is demanded (ETSI EN 319 412-5, ETSI TS 119 495).</summary>
internal sealed class QualifiedRule : AuthorizationRule
{
    private const string Payments = "ETSI TS 119 495 §5.2";

    private readonly QcType _type;
    private readonly bool _keyInDevice;
    private readonly Psd2Role? _role;

    internal QualifiedRule(QcType type, bool keyInDevice, Psd2Role? role = null) => (_type, _keyInDevice, _role) = (type, keyInDevice, role);

    public override string ToString() => $"a certificate with {Expected}";

    internal override IEnumerable<IReloadable> Reloadables() => [];

    private string Expected =>
        $"the statements of a qualified certificate for {Name(_type)}{(_keyInDevice ? " whose key is in a qualified device" : string.Empty)}"
        + (_role is { } role ? $", and the role {role.ToAbbreviation()}" : string.Empty);

    internal override Rejection? Examine(CertificateContext context, out PeerName? name)
    {
        name = null;
        var certificate = context.Certificate;
        if (!certificate.TryReadQcStatements(out var statements, out var malformed))
        {
            return malformed is null ? Missing("no statements of a qualified certificate") : malformed with { Expected = $"{Expected}, in DER" };
        }

        if (!statements.IsCompliant || !statements.Types.Contains(_type) || (_keyInDevice && !statements.KeyIsInQualifiedDevice))
        {
            return Missing(Describe(statements));
        }

        return _role is { } role ? ExamineRole(certificate, statements.Psd2, role, out name) : null;
    }

    private Rejection? ExamineRole(Certificate certificate, Psd2Statement? payments, Psd2Role role, out PeerName? name)
    {
        name = null;
        if (payments is null || !payments.Roles.Contains(role))
        {
            return Missing(payments is null ? "no statement about a payment service provider" : payments.ToString()) with { Rule = Payments };
        }

        if (certificate.Subject.OrganizationIdentifier is not { } organization)
        {
            return Mismatch("one well-formed organizationIdentifier in the subject", $"subject {PresentedNames.Subject(certificate)}");
        }

        // A provider without a number of the competent authority has one of another register, which says nothing about the authority.
        if (organization.CompetentAuthority is { } authority && !authority.Equals(payments.Authority))
        {
            return Mismatch($"the competent authority of the statements, {payments.Authority}", SafeText.Quote(organization.ToString()));
        }

        name = PeerName.OrganizationIdentifier(organization);
        return null;
    }

    private static string Describe(QcStatements statements)
    {
        var types = statements.Types.IsEmpty ? "no type" : string.Join(", ", statements.Types.Select(Name));
        return $"statements of {(statements.IsCompliant ? "a qualified" : "no qualified")} certificate, for {types}"
            + (statements.KeyIsInQualifiedDevice ? ", its key in a qualified device" : ", its key anywhere");
    }

    private static string Name(QcType type) => type switch
    {
        QcType.Website => "web sites",
        QcType.ElectronicSeal => "seals",
        _ => "signatures",
    };

    private Rejection Missing(string presented) =>
        new(RejectionReason.QcStatementMissing, Expected, presented) { Element = "leaf certificate", Rule = "ETSI EN 319 412-5 §4" };

    private static Rejection Mismatch(string expected, string presented) =>
        new(RejectionReason.CompetentAuthorityMismatch, expected, presented) { Element = "leaf certificate", Rule = Payments };
}
