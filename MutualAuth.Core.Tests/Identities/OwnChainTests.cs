using MutualAuth.Paths;
using MutualAuth.Testing;
using MutualAuth.Tests.Support;

namespace MutualAuth.Tests.Identities;

/// <summary>What we send ourselves: names compare by RFC 5280 §7.1, and an authority's rollover certificates are part of the chain.</summary>
public sealed class OwnChainTests
{
    [TestCase("CN=inter  one", true)]
    [TestCase("CN=INTER ONE", true)]
    [TestCase("CN=Inter Two", false)]
    public void An_issuer_is_found_by_the_meaning_of_its_name(string issuer, bool isFound)
    {
        using var root = new TestAuthority("Root");
        using var inter = root.IssueIntermediate("Inter One");
        using var leaf = inter.Issue(
            spec => spec with { Issuer = issuer, DnsNames = ["server.test"], ExtendedKeyUsages = [ExtendedKeyUsage.ServerAuth] });

        var load = () => Identity.FromPem(leaf.CertificatePem + inter.CertificatePem, leaf.PrivateKeyPem);

        if (isFound)
        {
            load().Intermediates.Should().ContainSingle().Which.Should().Be(inter.Read());
        }
        else
        {
            load.Should().Throw<MaterialException>().Which.Problem.Should().Be(MaterialProblem.BrokenChain);
        }
    }

    [Test]
    public void An_issuer_is_found_whatever_string_type_it_is_written_in()
    {
        using var root = new TestAuthority("Root");
        using var inter = root.IssueIntermediate("Inter", spec => spec with { RawSubject = Printable("Inter") });
        using var leaf = inter.Issue(
            spec => spec with { Issuer = "CN=Inter", DnsNames = ["server.test"], ExtendedKeyUsages = [ExtendedKeyUsage.ServerAuth] });

        leaf.Read().Issuer.RawData.ToArray().Should().NotEqual(inter.Read().Subject.RawData.ToArray());
        Identity.FromPem(leaf.CertificatePem + inter.CertificatePem, leaf.PrivateKeyPem).Intermediates.Should().ContainSingle();
    }

    [Test]
    public void A_rollover_certificate_is_sent_so_that_peers_with_the_old_root_know_us()
    {
        using var old = new TestAuthority("Root");
        using var renewed = new TestAuthority("Root");
        using var newWithOld = old.CrossSign(renewed);
        using var leaf = renewed.IssueServer("server.test");

        var identity = Identity.FromPem(leaf.CertificatePem + newWithOld.CertificatePem, leaf.PrivateKeyPem);

        identity.Intermediates.Should().ContainSingle().Which.Should().Be(newWithOld.Read());
        new PathValidator().Validate(
            identity.Certificate,
            [.. identity.Intermediates],
            TestPaths.Trusting(old),
            MutualAuth.PeerRole.Server,
            TimeProvider.System.GetUtcNow()).Rejection.Should().BeNull();
        new PathValidator()
            .Validate(identity.Certificate, [], TestPaths.Trusting(old), MutualAuth.PeerRole.Server, TimeProvider.System.GetUtcNow())
            .Reason()
            .Should().NotBeNull();
    }

    [Test]
    public void A_root_among_them_is_left_out_also_beside_a_rollover_certificate([Values] bool newFirst)
    {
        using var old = new TestAuthority("Root");
        using var renewed = new TestAuthority("Root");
        using var newWithOld = old.CrossSign(renewed);
        using var leaf = renewed.IssueServer("server.test");
        string[] others = [renewed.CertificatePem, newWithOld.CertificatePem, old.CertificatePem];

        var identity = Identity.FromPem(leaf.CertificatePem + string.Concat(newFirst ? others : others.Reverse()), leaf.PrivateKeyPem);

        identity.Intermediates.Should().ContainSingle().Which.Should().Be(newWithOld.Read());
    }

    [Test]
    public void The_half_of_a_rollover_that_leads_back_is_left_out([Values] bool oldFirst)
    {
        using var old = new TestAuthority("Root");
        using var renewed = new TestAuthority("Root");
        using var newWithOld = old.CrossSign(renewed);
        using var oldWithNew = renewed.CrossSign(old);
        using var leaf = renewed.IssueServer("server.test");
        string[] others = [oldWithNew.CertificatePem, newWithOld.CertificatePem];

        var identity = Identity.FromPem(leaf.CertificatePem + string.Concat(oldFirst ? others : others.Reverse()), leaf.PrivateKeyPem);

        identity.Intermediates.Should().ContainSingle().Which.Should().Be(newWithOld.Read());
    }

    [Test]
    public void The_right_one_of_two_authorities_of_one_name_is_taken_and_the_other_named([Values] bool wrongFirst)
    {
        using var root = new TestAuthority("Root");
        using var right = root.IssueIntermediate("Inter");
        using var wrong = root.IssueIntermediate("Inter");
        using var leaf = right.IssueServer("server.test");
        var chain = wrongFirst ? wrong.CertificatePem + right.CertificatePem : right.CertificatePem + wrong.CertificatePem;

        FluentActions.Invoking(() => Identity.FromPem(leaf.CertificatePem + chain, leaf.PrivateKeyPem))
            .Should().Throw<MaterialException>().Which.Problem
            .Should().Be(MaterialProblem.BrokenChain);
        Identity.FromPem(leaf.CertificatePem + right.CertificatePem, leaf.PrivateKeyPem).Intermediates
            .Should().ContainSingle()
            .Which.Should().Be(right.Read());
    }

    private static byte[] Printable(string text) => DerEdit.Encode(writer =>
    {
        using (writer.PushSequence())
        using (writer.PushSetOf())
        using (writer.PushSequence())
        {
            writer.WriteObjectIdentifier("2.5.4.3");
            writer.WriteCharacterString(System.Formats.Asn1.UniversalTagNumber.PrintableString, text);
        }
    });
}
