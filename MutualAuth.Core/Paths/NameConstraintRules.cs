using System.Collections.Immutable;
using System.Text;
using MutualAuth.Asn1;
using MutualAuth.Certificates;
using MutualAuth.Errors;

namespace MutualAuth.Paths;

/// <summary>Checks the names of a certificate against the name constraints of the authorities above it (RFC 5280 §4.2.1.10, RFC 9549 §2).</summary>
/// <remarks>
/// Fails closed: rejected are a malformed constraint, a malformed name of a constrained form, and a constrained form that cannot be
/// compared. Constraints never apply to the common name, which is never used as a name here.
/// </remarks>
internal sealed class NameConstraintRules(bool isLenient)
{
    private const string Rule = "RFC 5280 §4.2.1.10";

    private const int Forms = (int)GeneralNameForm.RegisteredId + 1;

    // RFC 5321 §4.5.3.1.1.
    private const int LongestLocalPart = 64;

    // The amount of work that one unit of the budget covers.
    private const int OctetsOfOne = 64;
    private const int PassedOverByOne = 32;

    // Directory names are folded before they are compared.
    private const int DirectoryCost = 8;

    // A local part of no mailbox that a constraint could name: RFC 9598 §6 has a constraint of a whole mailbox apply to rfc822Names alone.
    private const string BeyondAscii = "beyond-ascii";

    internal Rejection? Examine(
        NameConstraintSet constraints, Certificate authority, PathPosition authorityPosition, Certificate certificate, PathPosition position,
        ref WorkBudget budget)
    {
        var names = NamesOf(certificate);
        var comparisons = CostOf(names, constraints);
        if (!budget.SpendNameComparisons(comparisons))
        {
            return PathRejection.Make(
                RejectionReason.BudgetExceeded,
                certificate,
                position,
                "ValidationBudget",
                "names that can be compared within the budget",
                $"{comparisons} comparisons");
        }

        if (FirstMalformed(constraints) is { } malformed)
        {
            return PathRejection.Make(
                RejectionReason.NameConstraintViolated,
                authority,
                authorityPosition,
                Rule,
                "name constraints in the syntax of their form",
                $"{malformed.Form} {Show(malformed)}",
                "A DNS constraint is a host name without wildcard. A leading dot and underscores are accepted where the profile's form is Tolerant, "
                    + "as in MutualTls.");
        }

        foreach (var name in names)
        {
            if (Objection(constraints, name) is { } objection)
            {
                return PathRejection.Make(
                    RejectionReason.NameConstraintViolated,
                    certificate,
                    position,
                    Rule,
                    $"names that {authority} may certify",
                    $"{name.Form} {Show(name)}, {objection}");
            }
        }

        return null;
    }

    private string? Objection(NameConstraintSet constraints, GeneralName name)
    {
        var form = name.Form;
        var isConstrained = IsConstrained(constraints.Permitted, form);
        if (!isConstrained && !IsConstrained(constraints.Excluded, form))
        {
            return null;
        }

        if (form is GeneralNameForm.Other or GeneralNameForm.X400 or GeneralNameForm.EdiParty or GeneralNameForm.RegisteredId)
        {
            return "of a form that is constrained and cannot be compared";
        }

        if (IsTooLong(name))
        {
            return $"of {name.Value.Length} octets, longer than a name of this form may be under a constraint";
        }

        if (!NameSyntax.IsWellFormed(name, isLenient) || (form == GeneralNameForm.Uri && !NameSubtree.HasConstrainableHost(name, isLenient)))
        {
            return "malformed, or without a host name";
        }

        foreach (var excluded in constraints.Excluded)
        {
            if (excluded.Form == form && !IsOfOneMailbox(excluded, name) && NameSubtree.Touches(name, excluded))
            {
                return $"which is in the excluded subtree {Show(excluded)}";
            }
        }

        return isConstrained && !IsPermitted(constraints.Permitted, name) ? "which is in no permitted subtree" : null;
    }

    private static bool IsPermitted(ImmutableArray<GeneralName> permitted, GeneralName name)
    {
        foreach (var subtree in permitted)
        {
            if (subtree.Form == name.Form && !IsOfOneMailbox(subtree, name) && NameSubtree.Contains(name, subtree))
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>
    /// Each constraint is read once, and each name is compared with each constraint of its form, which costs the octets of both. The cost
    /// is computed per form, so that computing it is cheaper than comparing.
    /// </summary>
    private static long CostOf(List<GeneralName> names, NameConstraintSet constraints)
    {
        Span<long> counts = stackalloc long[Forms];
        Span<long> octets = stackalloc long[Forms];
        counts.Clear();
        octets.Clear();
        foreach (var subtree in constraints.Permitted)
        {
            counts[(int)subtree.Form]++;
            octets[(int)subtree.Form] += subtree.Value.Length;
        }

        foreach (var subtree in constraints.Excluded)
        {
            counts[(int)subtree.Form]++;
            octets[(int)subtree.Form] += subtree.Value.Length;
        }

        var all = constraints.Permitted.Length + constraints.Excluded.Length;
        var cost = (long)all;
        foreach (var name in names)
        {
            // Names of another form are skipped, and names that are too long are not compared.
            var form = (int)name.Form;
            var length = Math.Min(name.Value.Length, LongestOf(name.Form));
            var compared = counts[form] + (((counts[form] * length) + octets[form]) / OctetsOfOne);
            cost += (all / PassedOverByOne) + (compared * (name.Form == GeneralNameForm.Directory ? DirectoryCost : 1));
        }

        return cost;
    }

    /// <summary>
    /// RFC 5321 §4.5.3.1.3 for a mailbox, and the limit of a SPIFFE ID for a URI; longer names are not compared, and are rejected where
    /// their form is constrained.
    /// </summary>
    private static int LongestOf(GeneralNameForm form) => form switch
    {
        GeneralNameForm.Email => 254,
        GeneralNameForm.Uri => 2048,
        GeneralNameForm.Dns => 255,
        _ => int.MaxValue,
    };

    private static bool IsTooLong(GeneralName name) =>
        name.Value.Length > LongestOf(name.Form) || (name.Form == GeneralNameForm.Email && name.Value.Span.LastIndexOf((byte)'@') > LongestLocalPart);

    private static bool IsConstrained(ImmutableArray<GeneralName> subtrees, GeneralNameForm form)
    {
        foreach (var subtree in subtrees)
        {
            if (subtree.Form == form)
            {
                return true;
            }
        }

        return false;
    }

    private GeneralName? FirstMalformed(NameConstraintSet constraints)
    {
        foreach (var subtree in constraints.Permitted.Concat(constraints.Excluded))
        {
            if (!NameSubtree.IsWellFormed(subtree, isLenient))
            {
                return subtree;
            }
        }

        return null;
    }

    /// <summary>The alternative names, the subject, and, if there are no alternative names, the e-mail addresses in the subject.</summary>
    private static List<GeneralName> NamesOf(Certificate certificate)
    {
        var names = new List<GeneralName>(certificate.Extensions.SubjectNames.Length + 1);
        names.AddRange(certificate.Extensions.SubjectNames);
        names.AddRange(certificate.Extensions.SubjectNames.Select(InPlainForm).OfType<GeneralName>());
        if (certificate.Subject.IsEmpty)
        {
            return names;
        }

        names.Add(new GeneralName(GeneralNameForm.Directory, certificate.Subject.RawData, certificate.Subject));
        if (certificate.Extensions.SubjectNames.IsEmpty)
        {
            foreach (var rdn in certificate.Subject.Rdns)
            {
                foreach (var attribute in rdn.Attributes)
                {
                    if (attribute.Type.Span.SequenceEqual(Oids.EmailAddress))
                    {
                        names.Add(new GeneralName(GeneralNameForm.Email, attribute.Value));
                    }
                }
            }
        }

        return names;
    }

    /// <summary>
    /// The domain of a mailbox beyond ASCII (RFC 9598 §6) as a mailbox, and that of a service as a DNS name: an authority that may certify the names
    /// of some domains may certify their mailboxes and services, and no others. What is malformed becomes a malformed name. Null for other names.
    /// </summary>
    /// <remarks>
    /// RFC 4985 §4 has services constrained by services alone; an authority that is bound to a domain is bound to it here in every form.
    /// </remarks>
    private static GeneralName? InPlainForm(GeneralName name) =>
        name.IsOther(Oids.SmtpUtf8Mailbox)
            ? Plain(GeneralNameForm.Email, name.Mailbox is { } mailbox ? $"{BeyondAscii}@{mailbox.Domain}" : string.Empty)
        : name.IsOther(Oids.ServiceName) ? Plain(GeneralNameForm.Dns, DomainOf(name.Other!.Text))
        : null;

    private static string DomainOf(string service) =>
        service.StartsWith('_') && service.IndexOf('.') is > 0 and var dot ? service[(dot + 1)..] : string.Empty;

    private static GeneralName Plain(GeneralNameForm form, string text) => new(form, Encoding.UTF8.GetBytes(text));

    private static bool IsOfOneMailbox(GeneralName subtree, GeneralName name) =>
        subtree.Form == GeneralNameForm.Email && subtree.Value.Span.Contains((byte)'@') && name.Value.Span.StartsWith("beyond-ascii@"u8);

    private static string Show(GeneralName name) => name.Form switch
    {
        GeneralNameForm.Dns or GeneralNameForm.Email or GeneralNameForm.Uri => SafeText.Quote(name.Text),
        GeneralNameForm.Directory => SafeText.Quote(name.Directory?.ToString()),
        _ => Convert.ToHexString(name.Value.Span[..Math.Min(name.Value.Length, 32)]),
    };
}
