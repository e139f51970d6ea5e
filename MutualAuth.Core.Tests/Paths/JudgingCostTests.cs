using System.Text;
using MutualAuth.Certificates;
using MutualAuth.Evidence;
using MutualAuth.Paths;
using MutualAuth.Testing;
using MutualAuth.Tests.Support;
using MutualAuth.Validation;
using GeneralName = MutualAuth.Testing.GeneralName;

namespace MutualAuth.Tests.Paths;

/// <summary>What judging costs, in units of the budget and in octets of memory: strangers bring no names, constraints or keys to work on.</summary>
public sealed class JudgingCostTests
{
    private const long MostMemory = 4 * 1024 * 1024;

    // So little that one comparison of a name, or one failed check too many, ends the search.
    private static readonly ValidationProfile s_noNames = ValidationProfile.MutualTls with { Budget = new() { NameComparisons = 1 } };

    [Test]
    public void Constraints_that_nobody_trusted_has_signed_are_not_compared()
    {
        using var root = new TestAuthority("Root");
        using var forger = new TestAuthority("Root");
        using var forged = forger.IssueIntermediate("Forged", Excluding(GeneralName.Email("c"), 1000));
        using var genuine = root.IssueIntermediate("Genuine", Excluding(GeneralName.Email("c"), 1000));

        using var stranger = forged.Issue(Named(20));
        TestPaths.Validate(stranger, TestPaths.Trusting(root), s_noNames).Reason().Should().BeOneOf(
            RejectionReason.SignatureInvalid, RejectionReason.UnknownAuthority);

        using var peer = genuine.Issue(Named(20));
        TestPaths.Validate(peer, TestPaths.Trusting(root), s_noNames).Reason().Should().Be(RejectionReason.BudgetExceeded);
        TestPaths.Validate(peer, TestPaths.Trusting(root)).Rejection.Should().BeNull();
    }

    [Test]
    public void Directory_names_of_strangers_cost_no_memory()
    {
        using var root = new TestAuthority("Root");
        using var forger = new TestAuthority("Root");
        using var forged = forger.IssueIntermediate("Forged", Excluding(GeneralName.Directory("CN=c"), 1500));
        using var stranger = forged.Issue(spec => spec with { RawSubject = Long('d', 8000) });
        Certificate[] presented = [.. stranger.RawChain.Select(der => Certificate.Parse(der))];
        var leaf = stranger.Read();
        var validator = new PathValidator();
        var trust = TestPaths.Trusting(root);

        var before = GC.GetAllocatedBytesForCurrentThread();
        var result = validator.Validate(leaf, presented, trust, PeerRole.Client, TimeProvider.System.GetUtcNow());
        var allocated = GC.GetAllocatedBytesForCurrentThread() - before;

        result.Rejection.Should().NotBeNull();
        allocated.Should().BeLessThan(MostMemory);
    }

    [Test]
    public void A_path_that_is_found_at_once_leaves_little_but_itself()
    {
        using var root = new TestAuthority("Root");
        using var issuing = root.IssueIntermediate("Issuing");
        using var peer = issuing.IssueClient("client.test");
        var (leaf, authority, trust) = (peer.Read(), issuing.Read(), TestPaths.Trusting(root));
        var validator = new PathValidator();
        Find(); // it is remembered

        var before = GC.GetAllocatedBytesForCurrentThread();
        var result = Find();
        var allocated = GC.GetAllocatedBytesForCurrentThread() - before;

        result.Path.Should().Equal(leaf, authority, root.Read());
        allocated.Should().BeLessThan(400);

        PathResult Find() => validator.Validate(leaf, [authority], trust, PeerRole.Client, TimeProvider.System.GetUtcNow());
    }

    [Test]
    public void Names_that_a_trusted_authority_constrains_are_charged_by_their_octets()
    {
        using var root = new TestAuthority("Root", Excluding(GeneralName.Uri("c.test"), 1000));
        using var brief = root.Issue(
            spec => spec with
            { Uris = [.. Enumerable.Range(0, 20).Select(i => $"https://a.test/{i}")], ExtendedKeyUsages = [ExtendedKeyUsage.ClientAuth] });
        using var lengthy = root.Issue(
            spec => spec with
            {
                Uris = [.. Enumerable.Range(0, 20).Select(i => $"https://a.test/{new string('x', 1900)}{i}")],
                ExtendedKeyUsages =
                [ExtendedKeyUsage.ClientAuth]
            });

        TestPaths.Validate(brief, TestPaths.Trusting(root)).Rejection.Should().BeNull();
        TestPaths.Validate(lengthy, TestPaths.Trusting(root)).Reason().Should().Be(RejectionReason.BudgetExceeded);
    }

    private static IEnumerable<TestCaseData> Bounds()
    {
        yield return Bound("a local part", GeneralName.Email("c.test"), length => GeneralName.Email(new string('a', length) + "@a.test"), 64);
        yield return Bound("a mailbox", GeneralName.Email("c.test"), length => GeneralName.Email("a@" + Host(length - 2)), 254);
        yield return Bound("a URI", GeneralName.Uri("c.test"), length => GeneralName.Uri("https://a.test/" + new string('a', length - 15)), 2048);
    }

    /// <summary>RFC 5321 §4.5.3.1.1, RFC 5321 §4.5.3.1.3 less the angle brackets, and the longest SPIFFE ID.</summary>
    [TestCaseSource(nameof(Bounds))]
    public void A_name_of_a_form_that_is_constrained_has_a_longest_length(GeneralName constraint, Func<int, GeneralName> name, int longest)
    {
        using var root = new TestAuthority("Root", Excluding(constraint, 1));
        using var free = new TestAuthority("Free");

        Judge(root, name(longest)).Should().BeNull();
        Judge(root, name(longest + 1)).Should().Be(RejectionReason.NameConstraintViolated);
        Judge(free, name(longest + 1)).Should().BeNull();
    }

    [Test]
    public void A_key_that_nobody_trusted_has_certified_checks_no_signature()
    {
        using var root = new TestAuthority("Root");
        using var forger = new TestAuthority("Root");
        using var first = forger.IssueIntermediate("First");
        using var second = first.IssueIntermediate("Second");
        using var stranger = second.IssueClient("client.test");
        var oneCheck = ValidationProfile.MutualTls with { Budget = new() { SignatureChecks = 1 } };

        // Only the anchor's key is used, once, on the certificate that claims to be of it.
        TestPaths.Validate(stranger, TestPaths.Trusting(root), oneCheck).Reason().Should().BeOneOf(
            RejectionReason.SignatureInvalid, RejectionReason.UnknownAuthority);

        using var genuineFirst = root.IssueIntermediate("First");
        using var genuineSecond = genuineFirst.IssueIntermediate("Second");
        using var peer = genuineSecond.IssueClient("client.test");
        TestPaths.Validate(peer, TestPaths.Trusting(root), oneCheck).Reason().Should().Be(RejectionReason.BudgetExceeded);
        TestPaths.Validate(peer, TestPaths.Trusting(root)).Rejection.Should().BeNull();
    }

    [Test]
    public void A_failed_check_is_charged_by_what_its_key_costs()
    {
        using var cheap = new TestAuthority("Root");
        using var dear = new TestAuthority("Root", spec => spec with { KeyAlgorithm = KeyAlgorithm.EcdsaP384 });
        using var forger = new TestAuthority("Root");
        using var stranger = forger.IssueClient("client.test");
        var four = ValidationProfile.MutualTls with { Budget = new() { SignatureChecks = 4 } };

        TestPaths.Validate(stranger, [], TestPaths.Trusting(cheap), four).Reason().Should().NotBe(RejectionReason.BudgetExceeded);
        TestPaths.Validate(stranger, [], TestPaths.Trusting(dear), four).Reason().Should().Be(RejectionReason.BudgetExceeded);
    }

    [Test]
    public void Forty_anchors_of_one_name_serve_a_peer_that_does_not_say_whose_key_signed_it()
    {
        TestAuthority[] anchors = [.. Enumerable.Range(0, 40).Select(_ => new TestAuthority("Root"))];
        using var stranger = new TestAuthority("Root");
        try
        {
            var trust = TestPaths.Trusting(anchors);
            foreach (var anchor in anchors)
            {
                using var peer = anchor.Issue(
                    spec => spec with
                    { DnsNames = ["client.test"], ExtendedKeyUsages = [ExtendedKeyUsage.ClientAuth], AuthorityKeyIdentifier = KeyIdentifier.Absent });
                TestPaths.Validate(peer, trust).Rejection.Should().BeNull();
            }

            using var other = stranger.Issue(
                spec => spec with
                { DnsNames = ["client.test"], ExtendedKeyUsages = [ExtendedKeyUsage.ClientAuth], AuthorityKeyIdentifier = KeyIdentifier.Absent });
            TestPaths.Validate(other, trust).Rejection.Should().NotBeNull();
        }
        finally
        {
            Array.ForEach(anchors, anchor => anchor.Dispose());
        }
    }

    [Test]
    public void Thousands_of_anchors_of_one_name_cost_an_accepted_peer_no_memory()
    {
        using var root = new TestAuthority("Root");
        using var template = new TestAuthority("Root");
        using var peer = root.IssueClient("client.test");
        using var stranger = template.IssueClient("client.test");
        var many = Enumerable.Range(0, 2000).Select(i => WithSerial(template.AsCertificate.RawCertificate, i));
        var trust = TrustAnchors.FromDer(many.Append(root.AsCertificate.RawCertificate).Select(der => der));
        var leaf = peer.Read();

        Allocated(leaf, trust).Should().BeLessThan(16 * 1024);
        TestPaths.Validate(peer, [], trust).Path[^1].Should().Be(root.Read());
        TestPaths.Validate(stranger, [], trust).Rejection.Should().BeNull("any of the certificates of its authority will do");
    }

    [Test]
    public void What_a_rule_of_thousands_says_of_a_stranger_does_not_grow_with_it()
    {
        using var root = new TestAuthority("Root");
        using var peer = root.Issue(
            spec => spec with
            { DnsNames = [.. Enumerable.Range(0, 400).Select(i => $"n{i}.test")], ExtendedKeyUsages = [ExtendedKeyUsage.ClientAuth] });
        var few = Stage(root, Enumerable.Range(0, 40));
        var many = Stage(root, Enumerable.Range(0, 4000));
        var evidence = new PeerEvidence(PeerRole.Client, [peer.RawCertificate]);
        few.Judge(evidence, TimeProvider.System.GetUtcNow());
        many.Judge(evidence, TimeProvider.System.GetUtcNow());

        var cheap = Allocated(() => few.Judge(evidence, TimeProvider.System.GetUtcNow()));
        var dear = Allocated(() => many.Judge(evidence, TimeProvider.System.GetUtcNow()));

        dear.Should().BeLessThan(2 * cheap);
        few.Judge(evidence, TimeProvider.System.GetUtcNow()).Should().BeOfType<CertificateVerdict.Rejected>().Which.Rejection.Reason.Should().Be(
            RejectionReason.NotAuthorized);
        Stage(root, Enumerable.Range(0, 4000), "n399.test")
            .Judge(evidence, TimeProvider.System.GetUtcNow())
            .Should().BeOfType<CertificateVerdict.Accepted>();
    }

    private static IEnumerable<TestCaseData> Lists() =>
    [
        Short("DNS names of no letters", "2.5.29.17", _ => "8200"),
        Short("names of a directory without attributes", "2.5.29.17", _ => "a4023000"),
        Short("names of a directory of one attribute", "2.5.29.17", _ => "a40b3009310730050601050c00"),
        Short("names of a directory of one set", "2.5.29.17", _ => "a4" + "12" + "3010310e30050601050c00" + "30050601060c00"),
        Short("user principal names that are none", "2.5.29.17", _ => "a010060a2b060104018237140203a0020500"),
        Short("names of the issuer", "2.5.29.18", _ => "8200"),
        Short("directory names of the issuer", "2.5.29.18", _ => "a4023000"),
        Short("purposes", "2.5.29.37", _ => "060105"),
        Short("policies", "2.5.29.32", i => $"3005" + "0603" + $"{0x81 + (i >> 14):x2}{0x80 | ((i >> 7) & 0x7f):x2}{i & 0x7f:x2}"),
        Short("mappings", "2.5.29.33", _ => "3006060105060106"),
        Short("excluded names", "2.5.29.30", _ => "30028200", "a1"),
        Short("distribution points", "2.5.29.31", _ => "3000"),
        Short("places of information", "1.3.6.1.5.5.7.1.1", _ => "30050601058200"),
    ];

    /// <summary>
    /// What strangers send at its shortest, and as often as a list of a hundred thousand octets has room for it: fixed costs of each item count
    /// most.
    /// </summary>
    [TestCaseSource(nameof(Lists))]
    public void A_list_as_long_as_tls_carries_costs_no_more_than_four_mebibytes(string extension, Func<int, string> item, string inner)
    {
        using var root = new TestAuthority("Root");
        using var forger = new TestAuthority("Root");
        var stage = Stage(root, [1]);
        ReadOnlyMemory<byte>[] certificates = [.. Enumerable.Range(0, 4)
            .Select(i => Filled(forger, extension, item, inner, 24_500, i).RawCertificate)];
        var evidence = new PeerEvidence(PeerRole.Client, [.. certificates]);
        certificates.Select(der => Certificate.TryParse(der, out _, out var problem) ? "read" : problem.Presented)
            .Should().OnlyContain(said => said == "read");
        stage.Judge(evidence, TimeProvider.System.GetUtcNow());

        var allocated = Allocated(() => stage.Judge(evidence, TimeProvider.System.GetUtcNow()).Should().BeOfType<CertificateVerdict.Rejected>());

        allocated.Should().BeLessThan(MostMemory);
    }

    private static TestCertificate Filled(TestAuthority authority, string extension, Func<int, string> item, string inner, int octets, int number)
    {
        var items = new StringBuilder();
        for (var i = 0; items.Length < 2 * octets; i++)
        {
            items.Append(item(i));
        }

        byte[] content = Convert.FromHexString(items.ToString());
        content = inner.Length == 0 ? content : Long(Convert.FromHexString(inner)[0], content);
        return authority.Issue(spec => spec with
        {
            SerialNumber = number + 1,
            DnsNames = [],
            ExtendedKeyUsages = extension == "2.5.29.37" ? [] : [ExtendedKeyUsage.ClientAuth],
            Extensions = [new CertificateExtension(extension, false, Long(0x30, content))],
        });
    }

    /// <summary>An element whose length takes two octets.</summary>
    private static byte[] Long(byte tag, byte[] content) => [tag, 0x82, (byte)(content.Length >> 8), (byte)content.Length, .. content];

    private static TestCaseData Short(string what, string extension, Func<int, string> item, string inner = "") =>
        new TestCaseData(extension, item, inner).SetArgDisplayNames(what);

    private static CertificateStage Stage(TestAuthority root, IEnumerable<int> listed, params string[] further) => new(new CertificateStageOptions
    {
        Trust = TestPaths.Trusting(root),
        Authorization = Authorize.AnyOf(listed.Select(i => Authorize.Dns($"m{i}.test")).Concat(further.Select(Authorize.Dns))),
    });

    private static long Allocated(Certificate leaf, TrustAnchors trust)
    {
        var validator = new PathValidator();
        validator.Validate(leaf, [], trust, PeerRole.Client, TimeProvider.System.GetUtcNow());
        return Allocated(() => validator.Validate(leaf, [], trust, PeerRole.Client, TimeProvider.System.GetUtcNow()));
    }

    private static long Allocated(Action act)
    {
        var before = GC.GetAllocatedBytesForCurrentThread();
        act();
        return GC.GetAllocatedBytesForCurrentThread() - before;
    }

    /// <summary>The same certificate with another serial number; the signature of an anchor is not looked at.</summary>
    private static ReadOnlyMemory<byte> WithSerial(ReadOnlyMemory<byte> certificate, int number) => DerEdit.Sequence(certificate.ToArray(), parts =>
        parts[0] = DerEdit.Sequence(parts[0], fields => fields[1] = [0x02, 0x04, 0x01, (byte)(number >> 16), (byte)(number >> 8), (byte)number]));

    private static RejectionReason? Judge(TestAuthority root, GeneralName name)
    {
        using var leaf = root.Issue(spec => spec with { OtherNames = [name], ExtendedKeyUsages = [ExtendedKeyUsage.ClientAuth] });
        return TestPaths.Validate(leaf, TestPaths.Trusting(root)).Reason();
    }

    private static Func<CertificateSpec, CertificateSpec> Excluding(GeneralName subtree, int times) =>
        spec => spec with { NameConstraints = new() { Excluded = [.. Enumerable.Repeat(subtree, times)] } };

    private static Func<CertificateSpec, CertificateSpec> Named(int count) => spec => spec with
    {
        EmailAddresses = [.. Enumerable.Range(0, count).Select(i => $"a{i}@a.test")],
        ExtendedKeyUsages = [ExtendedKeyUsage.ClientAuth],
    };

    private static TestCaseData Bound(string what, GeneralName constraint, Func<int, GeneralName> name, int longest) =>
        new TestCaseData(constraint, name, longest).SetName($"Cost: {what} under a constraint has at most {longest} octets");

    /// <summary>A common name of so many letters, which the builder does not write.</summary>
    private static byte[] Long(char letter, int length) => DerEdit.Encode(writer =>
    {
        using (writer.PushSequence())
        using (writer.PushSetOf())
        using (writer.PushSequence())
        {
            writer.WriteObjectIdentifier("2.5.4.3");
            writer.WriteCharacterString(System.Formats.Asn1.UniversalTagNumber.UTF8String, new string(letter, length));
        }
    });

    private static string Host(int length)
    {
        var host = new StringBuilder("test");
        while (length - host.Length > 1)
        {
            host.Insert(0, new string('a', Math.Min(60, length - host.Length - 1)) + ".");
        }

        return host.ToString();
    }
}
