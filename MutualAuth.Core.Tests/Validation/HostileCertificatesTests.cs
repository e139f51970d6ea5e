using System.Collections;
using System.Collections.Immutable;
using System.Reflection;
using System.Security.Claims;
using Microsoft.Extensions.Time.Testing;
using MutualAuth.Certificates;
using MutualAuth.Evidence;
using MutualAuth.Paths;
using MutualAuth.Pinning;
using MutualAuth.Revocation;
using MutualAuth.Testing;
using MutualAuth.Tests.Support;
using MutualAuth.Validation;
using GeneralName = MutualAuth.Testing.GeneralName;

namespace MutualAuth.Tests.Validation;

/// <summary>Nothing that a certificate can say makes anything throw that is reachable from its peer, whether it was accepted or not.</summary>
public sealed class HostileCertificatesTests
{
    private const int Mutants = 300;

    private static readonly TestAuthority s_authority = new("Hostile", timeProvider: new FakeTimeProvider(TestPeer.Now));

    private static readonly byte[] s_null = [0x05, 0x00];

    private static IEnumerable<TestCaseData> Identifiers()
    {
        // X.660 has no bound; the framework prints 64 arcs and no arc of hundreds of digits.
        yield return new TestCaseData((byte[])[0x2a, .. Enumerable.Repeat((byte)0x7f, 64)]).SetName("Hostile: an identifier of 66 arcs");
        yield return new TestCaseData((byte[])[0x2a, .. Enumerable.Repeat((byte)0x01, 125)]).SetName("Hostile: an identifier of 127 octets");
        yield return new TestCaseData((byte[])[0x2a, .. Enumerable.Repeat((byte)0xff, 100), 0x7f]).SetName("Hostile: an arc of 707 bits");
        yield return new TestCaseData((byte[])[0xff, .. Enumerable.Repeat((byte)0xff, 60), 0x7f]).SetName("Hostile: a first arc of 434 bits");
        yield return new TestCaseData((byte[])[0x2a, .. Enumerable.Repeat((byte)0xff, 400), 0x7f]).SetName("Hostile: an arc of 2,807 bits");
        yield return new TestCaseData((byte[])[0x2a, .. Enumerable.Repeat((byte)0x01, 4000)]).SetName("Hostile: an identifier of 4,001 octets");
    }

    [TestCaseSource(nameof(Identifiers))]
    public void An_identifier_that_nobody_prints_makes_nothing_throw(byte[] identifier)
    {
        var oid = Tlv(0x06, identifier);
        foreach (var spec in new Func<CertificateSpec, CertificateSpec>[]
        {
            spec => spec with { RawSubject = Subject(oid) },
            spec => spec with { RawSubject = Subject(oid), DnsNames = ["client.test"] },
            spec => spec with { DnsNames = ["client.test"], OtherNames = [GeneralName.Raw(8, identifier)] },
            Rewritten(
                Tlv(0x06, [0x55, 0x1d, 0x25]), Tlv(0x30, [.. Tlv(0x06, [0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x03, 0x02]), .. oid]), critical: false),
            Rewritten(oid, s_null, critical: true),
            Rewritten(oid, s_null, critical: false),
            Rewritten(Tlv(0x06, [0x55, 0x1d, 0x20]), Tlv(0x30, Tlv(0x30, oid)), critical: false),
        })
        {
            using var leaf = s_authority.Issue(given => spec(given with { ExtendedKeyUsages = [ExtendedKeyUsage.ClientAuth] }));
            Walk(leaf.RawCertificate, leaf.RawChain);
        }
    }

    [Test]
    public void Mutated_certificates_make_nothing_throw()
    {
        var random = new Random(20261126);
        var accepted = 0;
        for (var mutant = 0; mutant < Mutants; mutant++)
        {
            // Signed after the change: what is accepted is walked as well as what is refused.
            using var leaf = s_authority.Issue(spec => spec with
            {
                Subject = "CN=client,O=Örganisation,1.2.3.4.5=#0c0178",
                DnsNames = ["client.test"],
                Uris = ["spiffe://td.test/a"],
                EmailAddresses = ["a@b.test"],
                OtherNames =
                    [GeneralName.Other(
                        "1.3.6.1.4.1.311.20.2.3", new byte[] { 0x0c, 0x01, 0x61 }), GeneralName.Directory("CN=x"), GeneralName.RegisteredId("1.2.3")],
                ExtendedKeyUsages = [ExtendedKeyUsage.ClientAuth],
                Policies = ["1.2.3.4"],
                CrlDistributionPoints = ["http://crl.test/a"],
                RewriteTbs = tbs => Mutate(tbs, random),
            });
            accepted += Walk(leaf.RawCertificate, leaf.RawChain) ? 1 : 0;
        }

        accepted.Should().BeInRange(1, Mutants - 1);
    }

    /// <summary>Judges, and looks at everything that is within reach of the verdict; says whether the peer was accepted.</summary>
    private static bool Walk(ReadOnlyMemory<byte> leaf, ImmutableArray<ReadOnlyMemory<byte>> chain)
    {
        var evidence = new PeerEvidence(PeerRole.Client, [leaf, .. chain]);
        var read = Certificate.TryParse(leaf, out var certificate, out _);
        var isAccepted = false;
        foreach (var options in Options(read ? certificate : null))
        {
            var log = new EventLog();
            var verdict = new CertificateStage(options with { LoggerFactory = log }).Judge(evidence, TestPeer.Now);
            Reach(verdict);
            isAccepted |= verdict is CertificateVerdict.Accepted;
            if (verdict is CertificateVerdict.Rejected rejected)
            {
                rejected.Rejection.Reason.Should().NotBe(RejectionReason.ValidatorFaulted, rejected.Rejection.ToString());
            }
        }

        if (read)
        {
            Reach(certificate!);
            Reach(new PathValidator().Validate(certificate!, [], s_authority.ToTrustAnchors(), PeerRole.Client, TestPeer.Now));
        }

        return isAccepted;
    }

    private static IEnumerable<CertificateStageOptions> Options(Certificate? certificate)
    {
        using var other = new TestAuthority("Somebody else", timeProvider: new FakeTimeProvider(TestPeer.Now));
        var options = new CertificateStageOptions { Trust = s_authority.ToTrustAnchors(), Authorization = Authorize.AnyTrustedPeer };
        yield return options;
        yield return options with { Trust = other.ToTrustAnchors() };
        yield return options with
        { Authorization = Authorize.AnyOf(Authorize.Subject("CN=nobody"), Authorize.Dns("nobody.test"), Authorize.Issuer("CN=nobody")) };
        yield return options with { Profile = ValidationProfile.WebPki };
        yield return options with { Profile = ValidationProfile.MutualTls with { RequiredPolicies = ["1.2.3"] } };
        if (certificate is not null)
        {
            yield return options with { DenyList = DenyList.Parse($"serial {certificate.SerialNumber}") };
            yield return options with { Pins = PinSet.DangerouslyWithoutBackup(SpkiPin(other)) };
        }
    }

    private static MutualAuth.Names.SpkiPin SpkiPin(TestAuthority authority) =>
        MutualAuth.Names.SpkiPin.OfSubjectPublicKeyInfo(authority.AsCertificate.Read().SubjectPublicKeyInfo.Span);

    /// <summary>Asks every public property, every text and every principal for itself.</summary>
    private static void Reach(object root)
    {
        var seen = new HashSet<object>(ReferenceEqualityComparer.Instance);
        var pending = new Stack<object>([root]);
        while (pending.TryPop(out var found))
        {
            if (!found.GetType().IsValueType && !seen.Add(found))
            {
                continue;
            }

            _ = found.ToString();
            _ = found.GetHashCode();
            if (found is IEnumerable many and not string)
            {
                foreach (var one in many.Cast<object?>().Where(one => one is not null && IsOurs(one.GetType())))
                {
                    pending.Push(one!);
                }
            }

            if (!IsOurs(found.GetType()))
            {
                continue;
            }

            foreach (var property in found.GetType().GetProperties(
                BindingFlags.Public | BindingFlags.Instance).Where(property => property.GetIndexParameters().Length == 0))
            {
                if (property.GetValue(found) is { } value)
                {
                    pending.Push(value);
                }
            }

            if (found is AuthenticatedPeer peer)
            {
                peer.ToClaimsPrincipal().Claims.Should().Contain(claim => claim.Type == ClaimTypes.Name);
            }

            if (found is Certificate certificate)
            {
                Reach(PathRejection.Describe(certificate, PathPosition.Leaf));
            }
        }
    }

    private static bool IsOurs(Type type) => type.Namespace?.StartsWith("MutualAuth", StringComparison.Ordinal) == true && !type.IsEnum;

    private static byte[] Mutate(byte[] tbs, Random random)
    {
        var mutant = tbs.ToArray();
        for (var change = random.Next(1, 4); change > 0; change--)
        {
            var at = random.Next(mutant.Length);
            mutant[at] = random.Next(3) switch
            {
                0 => (byte)random.Next(256),
                1 => (byte)(mutant[at] ^ (1 << random.Next(8))),
                _ => (byte)(mutant[at] | 0x80),
            };
        }

        return mutant;
    }

    private static byte[] Subject(byte[] oid) => Tlv(0x30, Tlv(0x31, Tlv(0x30, [.. oid, 0x0c, 0x01, (byte)'x'])));

    /// <summary>An extension more, which the builder could not write, in place of one that it can.</summary>
    private static Func<CertificateSpec, CertificateSpec> Rewritten(byte[] oid, byte[] value, bool critical) => spec => spec with
    {
        Subject = "CN=client",
        DnsNames = ["client.test"],
        ExtendedKeyUsages = [],
        RewriteTbs = tbs => DerEdit.Sequence(tbs, parts =>
        {
            var last = parts[^1];
            var list = DerEdit.Sequence(
                Content(last),
                extensions => extensions.Add(Tlv(0x30, [.. oid, .. critical ? [0x01, 0x01, 0xff] : Array.Empty<byte>(), .. Tlv(0x04, value)])));
            parts[^1] = Tlv(0xa3, list);
        }),
    };

    private static byte[] Content(byte[] element)
    {
        System.Formats.Asn1.AsnDecoder.ReadEncodedValue(element, System.Formats.Asn1.AsnEncodingRules.BER, out var offset, out var length, out _);
        return element[offset..(offset + length)];
    }

    private static byte[] Tlv(byte tag, byte[] content) => content.Length switch
    {
        < 0x80 => [tag, (byte)content.Length, .. content],
        < 0x100 => [tag, 0x81, (byte)content.Length, .. content],
        _ => [tag, 0x82, (byte)(content.Length >> 8), (byte)content.Length, .. content],
    };
}
