using MutualAuth.Certificates;
using MutualAuth.Paths;
using MutualAuth.Testing;
using MutualAuth.Tests.Support;
using GeneralName = MutualAuth.Testing.GeneralName;

namespace MutualAuth.Tests.Paths;

/// <summary>How far a search goes, at each bound and one step beyond, and which of several objections it reports.</summary>
public sealed class PathSearchTests
{
    private TestAuthority _root = null!;

    [OneTimeSetUp]
    public void Make_the_root() => _root = new TestAuthority("Root");

    [OneTimeTearDown]
    public void Dispose_of_the_root() => _root.Dispose();

    [TestCase(2, null)]
    [TestCase(1, RejectionReason.BudgetExceeded)]
    public void A_search_spends_a_candidate_on_each_issuer_and_a_check_on_each_signature(int budget, RejectionReason? expected)
    {
        using var intermediate = _root.IssueIntermediate("Intermediate");
        using var leaf = intermediate.IssueClient("client.test");

        TestPaths.Validate(leaf, TestPaths.Trusting(_root), ValidationProfile.MutualTls with { Budget = new() { Candidates = budget } }).Reason()
            .Should().Be(expected);
        TestPaths.Validate(leaf, TestPaths.Trusting(_root), ValidationProfile.MutualTls with { Budget = new() { SignatureChecks = budget } }).Reason()
            .Should().Be(expected);
    }

    [Test]
    public void The_octets_of_what_was_sent_count_with_those_of_the_leaf()
    {
        using var intermediate = _root.IssueIntermediate("Intermediate");
        using var leaf = intermediate.IssueClient("client.test");
        var size = leaf.RawCertificate.Length + leaf.RawChain[0].Length;

        TestPaths.Validate(leaf, TestPaths.Trusting(_root), ValidationProfile.MutualTls with { Budget = new() { Bytes = size } }).Rejection
            .Should().BeNull();
        TestPaths.Validate(leaf, TestPaths.Trusting(_root), ValidationProfile.MutualTls with { Budget = new() { Bytes = size - 1 } }).Reason()
            .Should().Be(RejectionReason.BudgetExceeded);
    }

    private static IEnumerable<TestCaseData> Comparisons()
    {
        var dns = GeneralName.Dns("test");
        yield return Case("one name and one constraint", [dns], [], Dns("a.test"), 2);
        yield return Case("two names", [dns], [], Dns("a.test", "b.test"), 3);
        yield return Case("a second constraint", [dns, dns], [], Dns("a.test"), 4);
        yield return Case("an excluded constraint beside it", [dns], [GeneralName.Dns("org")], Dns("a.test"), 4);
        yield return Case("a constraint of another form", [dns, GeneralName.Email("test")], [], Dns("a.test"), 3);
        yield return Case("64 octets of name and constraint together", [dns], [], Dns(Long(60)), 3);
        yield return Case("63 octets", [dns], [], Dns(Long(59)), 2);
        yield return Case("a second constraint, to which the name's octets count again", [dns, dns], [], Dns(Long(60)), 6);
        yield return Case("a directory name", [GeneralName.Directory("CN=a")], [], spec => spec with { Subject = "CN=a" }, 9);
        yield return Case(
            "31 constraints that are passed over", [.. Enumerable.Repeat(GeneralName.Email("test"), 31)], [], Dns("a.test"), 31);
        yield return Case(
            "32 constraints that are passed over, by two names", [.. Enumerable.Repeat(GeneralName.Email("test"), 32)], [], Dns("a.test"), 34);

        static string Long(int octets) => new string('b', octets % 2) + string.Concat(Enumerable.Repeat("a.", (octets - 4) / 2)) + "test";
        static Func<CertificateSpec, CertificateSpec> Dns(params string[] names) => spec => spec with { DnsNames = names };
        static TestCaseData Case(
            string name, GeneralName[] permitted, GeneralName[] excluded, Func<CertificateSpec, CertificateSpec> leaf, int cost) =>
            new TestCaseData(new NameConstraints { Permitted = permitted, Excluded = excluded }, leaf, cost).SetArgDisplayNames(name);
    }

    [TestCaseSource(nameof(Comparisons))]
    public void A_comparison_of_names_costs_what_the_budget_says(
        NameConstraints constraints, Func<CertificateSpec, CertificateSpec> change, int cost)
    {
        using var root = new TestAuthority("Root", spec => spec with { NameConstraints = constraints });
        using var leaf = root.Issue(change);

        TestPaths.Validate(leaf, TestPaths.Trusting(root), ValidationProfile.MutualTls with { Budget = new() { NameComparisons = cost } }).Rejection
            .Should().BeNull();
        TestPaths.Validate(leaf, TestPaths.Trusting(root), ValidationProfile.MutualTls with { Budget = new() { NameComparisons = cost - 1 } })
            .Reason().Should().Be(RejectionReason.BudgetExceeded);
    }

    private static IEnumerable<TestCaseData> LongNames()
    {
        yield return Case("a local part of 64 octets", GeneralName.Email(""), GeneralName.Email($"{A(64)}@b.test"), isAllowed: true);
        yield return Case("a local part of 65 octets", GeneralName.Email(""), GeneralName.Email($"{A(65)}@b.test"), isAllowed: false);
        yield return Case("a mailbox of 254 octets", GeneralName.Email(""), GeneralName.Email($"{A(64)}@{Host(189)}"), isAllowed: true);
        yield return Case("a mailbox of 255 octets", GeneralName.Email(""), GeneralName.Email($"{A(64)}@{Host(190)}"), isAllowed: false);
        yield return Case("a URI of 2,048 octets", GeneralName.Uri("b.test"), GeneralName.Uri($"s://b.test/{A(2037)}"), isAllowed: true);
        yield return Case("a URI of 2,049 octets", GeneralName.Uri("b.test"), GeneralName.Uri($"s://b.test/{A(2038)}"), isAllowed: false);
        yield return Case(
            "a URI with an at sign far behind", GeneralName.Uri("b.test"), GeneralName.Uri($"s://b.test/{A(100)}@c"), isAllowed: true);

        static string A(int count) => new('a', count);
        static string Host(int octets) => string.Concat(Enumerable.Repeat($"{A(63)}.", 3))[..(octets - 5)] + ".test";
        static TestCaseData Case(string name, GeneralName permitted, GeneralName presented, bool isAllowed) =>
            new TestCaseData(permitted, presented, isAllowed).SetArgDisplayNames(name);
    }

    [TestCaseSource(nameof(LongNames))]
    public void A_name_that_is_longer_than_its_form_can_be_is_refused_where_the_form_is_constrained(
        GeneralName permitted, GeneralName presented, bool isAllowed)
    {
        using var root = new TestAuthority("Root", spec => spec with { NameConstraints = new() { Permitted = [permitted] } });
        using var leaf = root.Issue(spec => spec with { OtherNames = [presented] });

        TestPaths.Validate(leaf, TestPaths.Trusting(root)).Reason().Should().Be(isAllowed ? null : RejectionReason.NameConstraintViolated);
    }

    [Test]
    public void A_mailbox_in_the_subject_does_not_count_beside_alternative_names()
    {
        using var root = new TestAuthority("Root", spec => spec with { NameConstraints = new() { Permitted = [GeneralName.Email("ours.test")] } });
        using var leaf = root.Issue(spec => spec with { Subject = "E=a@theirs.test", DnsNames = ["a.test"] });
        using var other = root.Issue(spec => spec with { Subject = "CN=a@theirs.test" });

        TestPaths.Validate(leaf, TestPaths.Trusting(root)).Rejection.Should().BeNull();
        TestPaths.Validate(other, TestPaths.Trusting(root)).Rejection.Should().BeNull("a common name is no mailbox");
    }

    [Test]
    public void A_malformed_constraint_is_told_with_the_authority_that_has_it()
    {
        static CertificateSpec Malformed(CertificateSpec spec) => spec with { NameConstraints = new() { Excluded = [GeneralName.Dns("*.a")] } };
        using var root = new TestAuthority("Root", Malformed);
        using var leaf = root.IssueClient("192.0.2.1");
        using var intermediate = _root.IssueIntermediate("Malformed", Malformed);
        using var below = intermediate.IssueClient("192.0.2.1");

        Rejection(leaf, root).Should().Be((RejectionReason.NameConstraintViolated, "trust anchor"));
        Rejection(below, _root).Should().Be((RejectionReason.NameConstraintViolated, "intermediate"));

        static (RejectionReason, string) Rejection(TestCertificate peer, TestAuthority anchor)
        {
            var rejection = TestPaths.Validate(peer, TestPaths.Trusting(anchor)).Rejection!;
            return (rejection.Reason, rejection.Element!.StartsWith("trust anchor", StringComparison.Ordinal) ? "trust anchor" : "intermediate");
        }
    }

    [Test]
    public void Constraints_bind_every_certificate_below_but_authorities_that_have_issued_themselves()
    {
        using var root = new TestAuthority("Root", spec => spec with
        {
            NameConstraints = new() { Permitted = [GeneralName.Directory("O=Ours")] },
        });
        using var rolled = root.IssueIntermediate("Root");
        using var foreign = root.IssueIntermediate("Foreign");

        Judge(rolled, "CN=a,O=Ours").Should().BeNull("a root that has changed its key goes by its old name");
        Judge(rolled, "CN=a,O=Theirs").Should().Be(RejectionReason.NameConstraintViolated);
        Judge(rolled, "CN=Root").Should().Be(RejectionReason.NameConstraintViolated, "a peer is bound even if it has the authority's name");
        Judge(foreign, "CN=a,O=Ours").Should().Be(RejectionReason.NameConstraintViolated, "the authority between is bound");

        RejectionReason? Judge(TestAuthority authority, string subject)
        {
            using var leaf = authority.Issue(spec => spec with { Subject = subject });
            return TestPaths.Validate(leaf, TestPaths.Trusting(root)).Reason();
        }
    }

    [Test]
    public void Authorities_that_have_issued_themselves_do_not_count_as_deep_and_are_bounded_all_the_same()
    {
        using var root = new TestAuthority("Root", spec => spec with { BasicConstraints = new(true, 0) });
        using var second = root.IssueIntermediate("Root");
        using var third = second.IssueIntermediate("Root");
        using var near = second.IssueClient("client.test");
        using var far = third.IssueClient("client.test");
        var shallow = ValidationProfile.MutualTls with { MaxIntermediates = 0 };

        TestPaths.Validate(near, TestPaths.Trusting(root), shallow).Path.Should().Equal(near.Read(), second.Read(), root.Read());
        TestPaths.Validate(far, TestPaths.Trusting(root)).Path.Should().HaveCount(4);
        TestPaths.Validate(far, TestPaths.Trusting(root), shallow).Reason().Should().Be(RejectionReason.PathTooLong);
    }

    [Test]
    public void The_path_length_of_an_authority_counts_those_below_it_and_not_those_above()
    {
        using var first = _root.IssueIntermediate("First", spec => spec with { BasicConstraints = new(true, 1) });
        using var second = first.IssueIntermediate("Second");
        using var third = second.IssueIntermediate("Third");
        using var near = second.IssueClient("client.test");
        using var far = third.IssueClient("client.test");

        TestPaths.Validate(near, TestPaths.Trusting(_root)).Rejection.Should().BeNull();
        TestPaths.Validate(far, TestPaths.Trusting(_root)).Reason().Should().Be(RejectionReason.PathTooLong);
    }

    [Test]
    public void A_chain_that_is_too_long_is_told_so_wherever_it_leads()
    {
        using var stranger = new TestAuthority("Stranger");
        using var first = stranger.IssueIntermediate("First");
        using var second = first.IssueIntermediate("Second");
        using var leaf = second.IssueClient("client.test");

        TestPaths.Validate(leaf, TestPaths.Trusting(_root), ValidationProfile.MutualTls with { MaxIntermediates = 1 }).Reason().Should().Be(
            RejectionReason.PathTooLong);
        TestPaths.Validate(leaf, TestPaths.Trusting(_root), ValidationProfile.MutualTls with { MaxIntermediates = 2 }).Reason().Should().Be(
            RejectionReason.UnknownAuthority);
    }

    [Test]
    public void A_policy_that_is_asked_for_is_not_in_the_certificate_of_an_anchor()
    {
        using var peer = SelfSigned.Issue("a.test", spec => spec with { Policies = ["1.2.3.4"] });
        var trust = TrustAnchors.FromDer(peer.RawCertificate);

        TestPaths.Validate(peer, [], trust).Rejection.Should().BeNull();
        TestPaths.Validate(peer, [], trust, ValidationProfile.MutualTls with { RequiredPolicies = ["1.2.3.4"] }).Reason().Should().Be(
            RejectionReason.PolicyRequired, "no authority has certified it");
    }

    [Test]
    public void One_key_under_two_names_is_no_circle()
    {
        using var other = _root.IssueIntermediate("Other Name", spec => spec with { Key = _root.AsCertificate.Key });
        using var leaf = other.IssueClient("client.test");

        TestPaths.Validate(leaf, TestPaths.Trusting(_root)).Path.Should().Equal(leaf.Read(), other.Read(), _root.Read());
    }

    [Test]
    public void An_authority_that_was_sent_and_is_known_in_advance_is_tried_once()
    {
        using var intermediate = _root.IssueIntermediate("Intermediate");
        using var leaf = intermediate.IssueClient("client.test");
        var trust = TestPaths.Trusting(_root).WithIntermediates(intermediate.Certificate);
        using var unknown = intermediate.Issue(spec => spec with { CorruptSignature = true });

        TestPaths.Validate(leaf, [intermediate.Read(), leaf.Read(), _root.Read()], trust, Candidates(2)).Rejection.Should().BeNull();
        TestPaths.Validate(unknown, [intermediate.Read(), intermediate.Read()], trust, Candidates(2)).Reason().Should().Be(
            RejectionReason.SignatureInvalid, "and not that more issuers were to be tried than there may be");

        static ValidationProfile Candidates(int count) => ValidationProfile.MutualTls with { Budget = new() { Candidates = count } };
    }

    [Test]
    public void What_is_wrong_below_is_not_tried_again_under_a_second_anchor_of_the_same_key()
    {
        using var renewed = new TestAuthority("Root", spec => spec with { Key = _root.AsCertificate.Key });
        using var intermediate = _root.IssueIntermediate(
            "Intermediate", spec => spec with { NameConstraints = new() { Permitted = [GeneralName.Dns("ours.test")] } });
        using var forged = intermediate.Issue(spec => spec with { CorruptSignature = true });
        using var foreign = intermediate.IssueClient("theirs.test");
        var two = ValidationProfile.MutualTls with { Budget = new() { Candidates = 2 } };

        TestPaths.Validate(forged, TestPaths.Trusting(_root, renewed), two).Reason().Should().Be(RejectionReason.SignatureInvalid);
        TestPaths.Validate(foreign, TestPaths.Trusting(_root, renewed), two).Reason().Should().Be(RejectionReason.NameConstraintViolated);
    }

    [Test]
    public void The_issuer_whose_key_identifier_is_named_is_tried_before_others_of_its_name()
    {
        using var named = _root.IssueIntermediate("Issuing");
        using var leaf = named.IssueClient("client.test");
        using var longer = _root.IssueIntermediate("Issuing", spec => spec with { NotAfter = spec.NotAfter.AddDays(9) });
        using var nameless = _root.IssueIntermediate("Issuing", spec => spec with { SubjectKeyIdentifier = KeyIdentifier.Absent });
        Certificate[] all = [longer.Read(), nameless.Read(), named.Read()];
        var one = ValidationProfile.MutualTls with { Budget = new() { Candidates = 1 } };
        var two = ValidationProfile.MutualTls with { Budget = new() { Candidates = 2 } };

        TestPaths.Validate(leaf, all, TestPaths.Trusting(_root), two).Rejection.Should().BeNull();
        TestPaths.Validate(leaf, [], TestPaths.Trusting(_root).WithHelpers(all), two).Rejection.Should().BeNull();
        TestPaths.Validate(leaf, [], TestPaths.Trusting(longer, nameless, named), one).Rejection.Should().BeNull();
    }

    [Test]
    public void Of_two_issuers_alike_the_one_that_is_valid_longer_is_tried_first_and_one_without_identifier_before_a_wrong_one()
    {
        using var shorter = _root.IssueIntermediate("Issuing", spec => spec with { SubjectKeyIdentifier = KeyIdentifier.Absent });
        using var longer = _root.CrossSign(
            shorter, spec => spec with { SubjectKeyIdentifier = KeyIdentifier.Absent, NotAfter = spec.NotAfter.AddDays(1) });
        using var wrong = _root.IssueIntermediate("Issuing", spec => spec with { NotAfter = spec.NotAfter.AddDays(2) });
        using var leaf = shorter.Issue(spec => spec with { AuthorityKeyIdentifier = KeyIdentifier.Of(new byte[] { 9 }) });
        using var silent = shorter.IssueClient("client.test");

        TestPaths.Validate(leaf, [wrong.Read(), shorter.Read(), longer.Read()], TestPaths.Trusting(_root)).Path[1].Should().Be(longer.Read());
        TestPaths.Validate(silent, [shorter.Read(), longer.Read()], TestPaths.Trusting(_root)).Path[1].Should().Be(longer.Read());
        TestPaths.Validate(leaf, [wrong.Read(), longer.Read()], TestPaths.Trusting(_root), ValidationProfile.MutualTls with
        {
            Budget = new() { Candidates = 2 },
        }).Rejection.Should().BeNull();
    }

    [Test]
    public void An_unfit_peer_of_an_unknown_authority_is_unknown_first_of_all()
    {
        using var stranger = new TestAuthority("Stranger");
        using var expired = stranger.Issue(spec => spec with { NotAfter = spec.NotBefore.AddHours(1) });
        using var intermediate = _root.IssueIntermediate("Intermediate");
        using var known = intermediate.Issue(spec => spec with { NotAfter = spec.NotBefore.AddHours(1) });
        using var itself = SelfSigned.Issue("a.test", spec => spec with { NotAfter = spec.NotBefore.AddHours(1) });

        TestPaths.Validate(expired, [stranger.Read()], TestPaths.Trusting(_root)).Reason().Should().Be(RejectionReason.UnknownAuthority);
        TestPaths.Validate(known, [], TestPaths.Trusting(_root)).Reason().Should().Be(RejectionReason.UnknownAuthority);
        TestPaths.Validate(known, TestPaths.Trusting(_root)).Reason().Should().Be(RejectionReason.CertificateExpired);
        TestPaths.Validate(known, [], TestPaths.Trusting(_root).WithIntermediates(intermediate.Certificate)).Reason().Should().Be(
            RejectionReason.CertificateExpired);
        TestPaths.Validate(itself, [], TrustAnchors.FromDer(itself.RawCertificate)).Reason().Should().Be(RejectionReason.CertificateExpired);
    }

    private static IEnumerable<TestCaseData> Objections()
    {
        // What is reported, where one bridge fails in the first way and another in the second.
        yield return Case("a name before an expiry", RejectionReason.NameConstraintViolated, Narrow, Late);
        yield return Case("a usage before an expiry", RejectionReason.WrongUsage, ForServers, Late);
        yield return Case("an expiry before a signature", RejectionReason.CertificateExpired, Late, Forged);
        yield return Case("a name before a signature", RejectionReason.NameConstraintViolated, Narrow, Forged);
        yield return Case("what reached an anchor before what did not", RejectionReason.NameConstraintViolated, Narrow, ForServers);

        static CertificateSpec Narrow(CertificateSpec spec) => spec with { NameConstraints = new() { Excluded = [GeneralName.Dns("test")] } };
        static CertificateSpec Late(CertificateSpec spec) => spec with { NotAfter = spec.NotBefore.AddHours(1) };
        static CertificateSpec ForServers(CertificateSpec spec) => spec with { ExtendedKeyUsages = [ExtendedKeyUsage.ServerAuth] };
        static CertificateSpec Forged(CertificateSpec spec) => spec with { CorruptSignature = true };
        static TestCaseData Case(
            string name, RejectionReason expected, Func<CertificateSpec, CertificateSpec> one, Func<CertificateSpec, CertificateSpec> other) =>
            new TestCaseData(expected, one, other).SetArgDisplayNames(name);
    }

    [TestCaseSource(nameof(Objections))]
    public void Of_two_objections_the_one_that_helps_is_reported(
        RejectionReason expected, Func<CertificateSpec, CertificateSpec> one, Func<CertificateSpec, CertificateSpec> other)
    {
        using var issuing = _root.IssueIntermediate("Issuing");
        using var leaf = issuing.IssueClient("client.test");
        using var first = _root.CrossSign(issuing, one);
        using var second = _root.CrossSign(issuing, other);
        using var stranger = new TestAuthority("Stranger");
        using var nowhere = stranger.CrossSign(issuing);

        TestPaths.Validate(leaf, [first.Read(), second.Read(), nowhere.Read()], TestPaths.Trusting(_root)).Reason().Should().Be(expected);
        TestPaths.Validate(leaf, [nowhere.Read(), second.Read(), first.Read()], TestPaths.Trusting(_root)).Reason().Should().Be(expected);
    }

    [Test]
    public void A_wrong_signature_is_told_with_the_certificate_that_bears_it()
    {
        using var forged = _root.IssueIntermediate("Forged", spec => spec with { CorruptSignature = true });
        using var below = forged.IssueClient("client.test");
        using var leaf = _root.Issue(spec => spec with { CorruptSignature = true });

        TestPaths.Validate(below, TestPaths.Trusting(_root)).Rejection!.Element.Should().StartWith("intermediate");
        TestPaths.Validate(leaf, TestPaths.Trusting(_root)).Rejection!.Element.Should().StartWith("leaf");
    }

    [Test]
    public void Another_key_of_the_same_name_is_told_by_its_identifier_alone()
    {
        using var impostor = new TestAuthority("Root");
        using var silent = new TestAuthority("Root", spec => spec with { SubjectKeyIdentifier = KeyIdentifier.Absent });
        using var named = impostor.IssueClient("client.test");
        using var nameless = impostor.Issue(spec => spec with { AuthorityKeyIdentifier = KeyIdentifier.Absent });

        TestPaths.Validate(named, TestPaths.Trusting(_root)).Reason().Should().Be(RejectionReason.UnknownAuthority);
        TestPaths.Validate(nameless, TestPaths.Trusting(_root)).Reason().Should().Be(RejectionReason.SignatureInvalid);
        TestPaths.Validate(named, TestPaths.Trusting(silent)).Reason().Should().Be(RejectionReason.SignatureInvalid);
    }

    [Test]
    public void A_profile_takes_its_values_at_their_bounds()
    {
        Func<ValidationProfile>[] sound =
        [
            () => ValidationProfile.MutualTls with { MinimumRsaBits = 2048 },
            () => ValidationProfile.MutualTls with { MinimumRsaBits = 8192 },
            () => ValidationProfile.MutualTls with { MaxIntermediates = 0 },
            () => ValidationProfile.MutualTls with { MaxIntermediates = 32 },
            () => ValidationProfile.MutualTls with { MinimumCurveBits = 256 },
            () => ValidationProfile.MutualTls with { MinimumHashBits = 256 },
        ];
        Func<ValidationProfile>[] beyond =
        [
            () => ValidationProfile.MutualTls with { MinimumRsaBits = 2047 },
            () => ValidationProfile.MutualTls with { MinimumRsaBits = 8193 },
            () => ValidationProfile.MutualTls with { RequiredPolicies = default },
            () => ValidationProfile.MutualTls with { Form = 0 },
            () => ValidationProfile.MutualTls with { Purpose = (PurposeRule)9 },
            () => ValidationProfile.MutualTls with { Leaf = (LeafRule)9 },
            () => ValidationProfile.MutualTls with { RequiredPolicies = ["1.2.3", "1.2.x"] },
        ];

        sound.Should().AllSatisfy(make => make.Should().NotThrow());
        beyond.Should().AllSatisfy(make => make.Should().Throw<ArgumentException>());
        (ValidationProfile.MutualTls with { MinimumRsaBits = 3072, MaxIntermediates = 3 }).Should().Match<ValidationProfile>(
            profile => profile.MinimumRsaBits == 3072 && profile.MaxIntermediates == 3);
    }
}
