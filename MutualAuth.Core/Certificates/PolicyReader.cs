using System.Collections.Immutable;
using System.Formats.Asn1;
using MutualAuth.Asn1;

namespace MutualAuth.Certificates;

/// <summary>Reads the four policy extensions (RFC 5280 §4.2.1.4, .5, .11, .14).</summary>
internal static class PolicyReader
{
    internal static void Read(CertificateExtensions extensions, KnownExtension known, ref DerReader reader)
    {
        var policies = extensions.Policies;
        switch (known)
        {
            case KnownExtension.CertificatePolicies:
                extensions.Policies = policies with { Policies = ReadPolicies(reader.ReadSequence()) };
                break;
            case KnownExtension.PolicyMappings:
                extensions.Policies = policies with { Mappings = ReadMappings(reader.ReadSequence()) };
                break;
            case KnownExtension.PolicyConstraints:
                var constraints = reader.ReadSequence();
                if (constraints.IsEmpty)
                {
                    throw new AsnContentException("the policy constraints constrain nothing");
                }

                extensions.Policies = policies with
                {
                    RequireExplicitPolicy = ReadOptionalCount(ref constraints, DerReader.Context(0)),
                    InhibitPolicyMapping = ReadOptionalCount(ref constraints, DerReader.Context(1)),
                };
                constraints.End();
                break;
            case KnownExtension.InhibitAnyPolicy:
                extensions.Policies = policies with { InhibitAnyPolicy = reader.ReadCount() };
                break;
            default:
                throw new AsnContentException("an extension is known and not read");
        }
    }

    private static int? ReadOptionalCount(ref DerReader reader, byte tag) => reader.NextIs(tag) ? reader.ReadCount(tag) : null;

    private static ImmutableArray<string> ReadPolicies(DerReader sequence)
    {
        // Real certificates have a few; comparing each with each costs less than a table.
        const int ComparedEachWithEach = 8;
        var count = sequence.Count();
        var policies = ImmutableArray.CreateBuilder<string>(count);
        var seen = count > ComparedEachWithEach ? new HashSet<string>(count, StringComparer.Ordinal) : null;
        do
        {
            var information = sequence.ReadSequence();
            var policy = Convert.ToHexString(information.ReadOid().Span);
            if (!information.IsEmpty)
            {
                ReadQualifiers(information.ReadSequence());
            }

            information.End();
            if (seen is null ? policies.Contains(policy) : !seen.Add(policy))
            {
                throw new AsnContentException("a certificate policy stands in it twice");
            }

            policies.Add(policy);
        }
        while (!sequence.IsEmpty);
        return policies.DrainToImmutable();
    }

    private static void ReadQualifiers(DerReader sequence)
    {
        if (sequence.IsEmpty)
        {
            sequence.Slip("a list is empty");
        }

        while (!sequence.IsEmpty)
        {
            var qualifier = sequence.ReadSequence();
            qualifier.ReadOid();
            qualifier.ReadElement();
            qualifier.End();
        }
    }

    private static ImmutableArray<(string IssuerDomain, string SubjectDomain)> ReadMappings(DerReader sequence)
    {
        var mappings = ImmutableArray.CreateBuilder<(string, string)>(sequence.Count());
        do
        {
            var mapping = sequence.ReadSequence();
            mappings.Add((Convert.ToHexString(mapping.ReadOid().Span), Convert.ToHexString(mapping.ReadOid().Span)));
            mapping.End();
        }
        while (!sequence.IsEmpty);
        return mappings.DrainToImmutable();
    }
}
