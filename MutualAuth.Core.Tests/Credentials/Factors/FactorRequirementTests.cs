using MutualAuth.Credentials;

namespace MutualAuth.Tests.Credentials;

/// <summary>What is enough, and what is not.</summary>
public sealed class FactorRequirementTests
{
    [TestCase(PeerProofs.Password | PeerProofs.OneTimeCode, true)]
    [TestCase(PeerProofs.Password | PeerProofs.RecoveryCode, false)]
    [TestCase(PeerProofs.Kerberos | PeerProofs.RecoveryCode, false)]
    [TestCase(PeerProofs.UserVerification | PeerProofs.RecoveryCode, false)]
    [TestCase(PeerProofs.Password | PeerProofs.RecoveryCode | PeerProofs.OneTimeCode, true)]
    [TestCase(PeerProofs.Password | PeerProofs.Passkey, true)]
    [TestCase(PeerProofs.Kerberos | PeerProofs.OneTimeCode, true)]
    [TestCase(PeerProofs.Passkey | PeerProofs.UserVerification, true)]
    [TestCase(PeerProofs.Passkey, false)]
    [TestCase(PeerProofs.UserVerification, false)]
    [TestCase(PeerProofs.Password, false)]
    [TestCase(PeerProofs.Password | PeerProofs.UserVerification, false)]
    [TestCase(PeerProofs.Password | PeerProofs.Kerberos, false)]
    [TestCase(PeerProofs.OneTimeCode | PeerProofs.Passkey | PeerProofs.RecoveryCode, false)]
    [TestCase(PeerProofs.Password | PeerProofs.Certificate | PeerProofs.ChannelBinding, false)]
    [TestCase(PeerProofs.Password | PeerProofs.Token | PeerProofs.Other, false)]
    [TestCase(PeerProofs.None, false)]
    public void Two_kinds(PeerProofs proofs, bool isMet) => FactorRequirement.TwoKinds.IsMetBy(proofs).Should().Be(isMet);

    [TestCase(PeerProofs.Password | PeerProofs.Certificate, true)]
    [TestCase(PeerProofs.Certificate, false)]
    [TestCase(PeerProofs.Certificate | PeerProofs.OneTimeCode, false)]
    [TestCase(PeerProofs.Password | PeerProofs.RecoveryCode, false)]
    [TestCase(PeerProofs.Password | PeerProofs.RecoveryCode | PeerProofs.Certificate, true)]
    public void The_certificate_counts_where_the_policy_says_so(PeerProofs proofs, bool isMet) =>
        FactorRequirement.TwoKindsCountingCertificate.IsMetBy(proofs).Should().Be(isMet);

    [TestCase(PeerProofs.Password | PeerProofs.RecoveryCode, true)]
    [TestCase(PeerProofs.Password | PeerProofs.OneTimeCode, true)]
    [TestCase(PeerProofs.RecoveryCode, false)]
    [TestCase(PeerProofs.RecoveryCode | PeerProofs.OneTimeCode, false)]
    [TestCase(PeerProofs.RecoveryCode | PeerProofs.Certificate, false)]
    [TestCase(PeerProofs.Password | PeerProofs.Certificate, false)]
    [TestCase(PeerProofs.Password, false)]
    public void A_recovery_code_counts_where_the_policy_says_so(PeerProofs proofs, bool isMet) =>
        FactorRequirement.TwoKindsCountingRecoveryCode.IsMetBy(proofs).Should().Be(isMet);

    [Test]
    public void A_recovery_code_is_of_no_kind_and_a_one_time_code_is_possession()
    {
        FactorRequirement.KindsOf(PeerProofs.RecoveryCode).Should().Be(AuthenticationFactors.None);
        FactorRequirement.KindsOf(PeerProofs.OneTimeCode).Should().Be(AuthenticationFactors.Possession);
    }

    [TestCase(PeerProofs.Passkey, true)]
    [TestCase(PeerProofs.Password | PeerProofs.OneTimeCode, true)]
    [TestCase(PeerProofs.Password, false)]
    [TestCase(PeerProofs.OneTimeCode, false)]
    public void Alternatives_and_conjunctions(PeerProofs proofs, bool isMet)
    {
        var requirement = FactorRequirement.AnyOf(
            FactorRequirement.Proofs(PeerProofs.Passkey),
            FactorRequirement.AllOf(FactorRequirement.Proofs(PeerProofs.Password), FactorRequirement.Proofs(PeerProofs.OneTimeCode)));

        requirement.IsMetBy(proofs).Should().Be(isMet);
        requirement.ToString().Should().Be("(Passkey or (Password and OneTimeCode))");
    }

    [TestCase(0, false)]
    [TestCase(1, false)]
    [TestCase(2, true)]
    public void What_can_be_met_depends_on_the_exchanges_that_are_left(int exchanges, bool canBe) =>
        FactorRequirement.Proofs(PeerProofs.Password | PeerProofs.OneTimeCode | PeerProofs.Passkey).CanBeMet(
            PeerProofs.Password, [PeerProofs.OneTimeCode, PeerProofs.Passkey], exchanges).Should().Be(canBe);

    [Test]
    public void What_is_no_requirement_is_refused()
    {
        FluentActions.Invoking(() => FactorRequirement.Proofs(PeerProofs.None)).Should().Throw<ArgumentException>();
        FluentActions.Invoking(() => FactorRequirement.Proofs((PeerProofs)(1 << 30))).Should().Throw<ArgumentException>();
        FluentActions.Invoking(() => FactorRequirement.AnyOf()).Should().Throw<ArgumentException>();
        FluentActions.Invoking(() => FactorRequirement.AllOf(FactorRequirement.Any, null!)).Should().Throw<ArgumentException>();
    }

    [Test]
    public void Every_proof_can_be_required()
    {
        foreach (var proof in Enum.GetValues<PeerProofs>().Where(proof => proof != PeerProofs.None))
        {
            FactorRequirement.Proofs(proof).IsMetBy(proof).Should().BeTrue();
        }
    }
}
