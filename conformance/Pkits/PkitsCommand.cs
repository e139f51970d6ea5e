using MutualAuth.Certificates;
using MutualAuth.Evidence;
using MutualAuth.Names;
using MutualAuth.Paths;
using MutualAuth.Revocation;
using MutualAuth.Validation;

namespace MutualAuth.Conformance.Pkits;

/// <summary>What came of a test.</summary>
/// <param name="Test">The test.</param>
/// <param name="IsAccepted">Whether the peer was accepted.</param>
/// <param name="Reason">The whole rejection, or that there is none.</param>
public sealed record PkitsResult(PkitsTest Test, bool IsAccepted, string Reason)
{
    /// <summary>Whether the document and we agree.</summary>
    public bool IsRight => IsAccepted == Test.IsValid;
}

/// <summary>
/// Runs NIST's suite, of the edition with RSA 2048 and SHA-256 ("Test Certificates 2011"), through the library's own certificate stage.
/// </summary>
public static class PkitsCommand
{
    private const string Policy = "2.16.840.1.101.3.2.1.48.";

    // The suite's certificates are valid from 2010 to 2030.
    private static readonly DateTimeOffset s_at = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);

    internal static int Run(string directory)
    {
        if (!Directory.Exists(Path.Combine(directory, "certs")))
        {
            Console.WriteLine($"skipped: there is no PKITS in {directory}; Debian's package python3-cryptography-vectors has it.");
            return 0;
        }

        var results = RunAll(directory);
        foreach (var result in results.Where(result => !result.IsRight))
        {
            Console.WriteLine(
                $"{result.Test.Target} [{result.Test.Inputs}] expected {(result.Test.IsValid ? "valid" : "invalid")}, got "
                    + $"{result.Reason}");
            Console.WriteLine(result.Test.Deviation is { } why ? $"    on purpose: {why}" : "    ! not explained");
        }

        var right = results.Count(result => result.IsRight);
        var explained = results.Count(result => result is { IsRight: false, Test.Deviation: not null });
        Console.WriteLine($"total pass {right} deviate {explained} fail {results.Count - right - explained}");
        return right + explained == results.Count ? 0 : 1;
    }

    /// <summary>Runs every test of a directory of the suite.</summary>
    public static IReadOnlyList<PkitsResult> RunAll(string directory)
    {
        var suite = new Suite(directory);
        return [.. PkitsTable.Of(directory).Select(test => Run(suite, test))];
    }

    private static PkitsResult Run(Suite suite, PkitsTest test)
    {
        try
        {
            var target = File.ReadAllBytes(Path.Combine(suite.Directory, "certs", $"{test.Target}.crt"));
            var (others, lists) = suite.LedToBy(target);
            var stage = new CertificateStage(new CertificateStageOptions
            {
                Trust = TrustAnchors.FromDer(suite.Anchor).WithConstraints(new AnchorConstraints
                {
                    RequiredPolicies = [.. test.Inputs.Policies.Select(policy => $"{Policy}{policy}")],
                    RequireExplicitPolicy = test.Inputs.IsExplicit,
                    InhibitPolicyMapping = test.Inputs.InhibitsMapping,
                    InhibitAnyPolicy = test.Inputs.InhibitsAnyPolicy,
                }),
                Authorization = Authorize.AnyTrustedPeer,
                Revocation = new RevocationPolicy { Lists = lists.Count == 0 ? RevocationLists.Empty : RevocationLists.FromDer(lists) },
                CertificateLimits = new CertificateLimits { MaxCertificates = 100 },
                Profile = ValidationProfile.MutualTls with
                {
                    Purpose = PurposeRule.UnlessContradicted,
                    Leaf = LeafRule.AnyCertificate,
                    LeafKeyUsage = System.Security.Cryptography.X509Certificates.X509KeyUsageFlags.None,
                },
            });
            return stage.Judge(new PeerEvidence(PeerRole.Client, [target, .. others]), s_at) is CertificateVerdict.Rejected rejected
                ? new PkitsResult(test, false, rejected.Rejection.ToString())
                : new PkitsResult(test, true, "accepted");
        }
        catch (Exception exception)
        {
            return new PkitsResult(test, !test.IsValid, $"{exception.GetType().Name}: {exception.Message}");
        }
    }

    /// <summary>The files of the suite. A test's path and lists are those to which the names in its certificates lead.</summary>
    private sealed class Suite
    {
        private readonly ILookup<DistinguishedName, (ReadOnlyMemory<byte> Der, DistinguishedName Issuer)> _authorities;
        private readonly List<(ReadOnlyMemory<byte> Der, DistinguishedName Issuer)> _lists;

        internal Suite(string directory)
        {
            Directory = directory;
            Anchor = File.ReadAllBytes(Path.Combine(directory, "certs", "TrustAnchorRootCertificate.crt"));
            _authorities = System.IO.Directory.EnumerateFiles(Path.Combine(directory, "certs"), "*Cert.crt").Order(StringComparer.Ordinal)
                .Select(file => (ReadOnlyMemory<byte>)File.ReadAllBytes(file))
                .Select(der => (Der: der, Read: Read(der)))
                .Where(each => each.Read is not null)
                .ToLookup(each => each.Read!.Subject, each => (each.Der, each.Read!.Issuer));
            _lists = [.. System.IO.Directory.EnumerateFiles(Path.Combine(directory, "crls"), "*.crl").Order(StringComparer.Ordinal)
                .Select(file => (ReadOnlyMemory<byte>)File.ReadAllBytes(file))
                .Select(der => (der, IssuerOf(der)))
                .Where(each => each.Item2 is not null)
                .Select(each => (each.der, each.Item2!))];
        }

        internal string Directory { get; }

        internal ReadOnlyMemory<byte> Anchor { get; }

        internal (IReadOnlyList<ReadOnlyMemory<byte>> Others, IReadOnlyList<ReadOnlyMemory<byte>> Lists) LedToBy(ReadOnlyMemory<byte> target)
        {
            var others = new List<ReadOnlyMemory<byte>>();
            var names = new HashSet<DistinguishedName>();
            var pending = new Queue<DistinguishedName>(Read(target) is { } leaf ? [leaf.Issuer] : []);
            while (pending.TryDequeue(out var name))
            {
                if (!names.Add(name))
                {
                    continue;
                }

                foreach (var (der, issuer) in _authorities[name])
                {
                    if (!der.Span.SequenceEqual(Anchor.Span))
                    {
                        others.Add(der);
                    }

                    pending.Enqueue(issuer);
                }
            }

            return (others, [.. _lists.Where(list => names.Contains(list.Issuer)).Select(list => list.Der)]);
        }

        private static Certificate? Read(ReadOnlyMemory<byte> der) => Certificate.TryParse(der, out var certificate, out _) ? certificate : null;

        private static DistinguishedName? IssuerOf(ReadOnlyMemory<byte> der)
        {
            try
            {
                return RevocationLists.FromDer(der).Lists[0].Issuer;
            }
            catch (MaterialException)
            {
                return null;
            }
        }
    }
}
