using System.Formats.Asn1;
using MutualAuth.Testing;

namespace MutualAuth.Tests.Support;

/// <summary>Extensions about policies that the test authority does not write by itself.</summary>
internal static class PolicyExtensions
{
    internal static CertificateExtension Mapping(params (string From, string To)[] mappings)
    {
        var writer = new AsnWriter(AsnEncodingRules.DER);
        using (writer.PushSequence())
        {
            foreach (var (from, to) in mappings)
            {
                using (writer.PushSequence())
                {
                    writer.WriteObjectIdentifier(from);
                    writer.WriteObjectIdentifier(to);
                }
            }
        }

        return new CertificateExtension("2.5.29.33", true, writer.Encode());
    }
}
