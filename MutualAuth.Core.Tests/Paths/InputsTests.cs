using MutualAuth.Conformance.Inputs;
using MutualAuth.Paths;
using MutualAuth.Revocation;

namespace MutualAuth.Tests.Paths;

/// <summary>
/// Certificates of the field and of attackers, each judged as the conformance project judges it: what is right about each stands in its table.
/// </summary>
public sealed class InputsTests
{
    private static IEnumerable<TestCaseData> Cases => FieldInputs.All.Select(input => new TestCaseData(input).SetArgDisplayNames(input.File));

    [TestCaseSource(nameof(Cases))]
    public void What_is_right_holds(FieldInput input)
    {
        var outcome = FieldInputs.Judge(input);

        outcome.Reason.Should().Be(input.Reason, outcome.Detail);
        outcome.Name.Should().Be(input.Name ?? outcome.Name);
        (outcome.Name ?? "-").Should().MatchRegex("^[!-~]+$", "it is one token");
        (input.Hint ?? []).Where(words => outcome.Hint?.Contains(words, StringComparison.Ordinal) != true).Should().BeEmpty(outcome.Hint);
    }

    [TestCase("01-critical-false-written")]
    [TestCase("02-bc-false-written")]
    [TestCase("03-ku-trailing-zeros")]
    [TestCase("14-gentime-before-2050")]
    public void An_encoding_that_changes_no_meaning_passes_in_the_tolerant_form_only(string file)
    {
        var input = FieldInputs.All.Single(each => each.File == file);

        FieldInputs.Judge(input, profile: ValidationProfile.MutualTls).Reason.Should().BeNull();
        FieldInputs.Judge(input, profile: ValidationProfile.Rfc5280).Reason.Should().Be(RejectionReason.CertificateMalformed);
        FieldInputs.Judge(input, profile: ValidationProfile.WebPki).Reason.Should().Be(RejectionReason.CertificateMalformed);
    }

    [Test]
    public void A_deny_entry_on_either_of_two_twins_denies_both()
    {
        string[] twins = ["20-denied-leaf", "20-denied-leaf-twin"];
        foreach (var named in twins)
        {
            var list = DenyList.Parse($"certificate {FieldInputs.Read(named).Thumbprint}");
            foreach (var shown in twins)
            {
                FieldInputs.Judge(FieldInputs.All.Single(input => input.File == shown), list).Reason.Should().Be(
                    RejectionReason.DenyListed, $"{named} is on the list and {shown} comes");
            }

            FieldInputs.Judge(FieldInputs.All.Single(input => input.File == "21-dns-name-user-colon-alice"), list).Reason.Should().BeNull(
                "it is another certificate");
        }
    }

    [Test]
    public void A_user_principal_name_can_be_read() =>
        FieldInputs.Read("07-upn-only").UserPrincipalNames.Should().Equal("1234567890@mil");

    [Test]
    public void Every_file_is_judged() =>
        Directory.EnumerateFiles(FieldInputs.Folder, "*.pem").Select(Path.GetFileNameWithoutExtension).Where(
            file => !file!.EndsWith("-root", StringComparison.Ordinal))
            .Should().BeEquivalentTo(FieldInputs.All.Select(input => input.File));
}
