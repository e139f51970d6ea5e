using System.Globalization;
using System.Text.RegularExpressions;
using MutualAuth.Confirmation;
using MutualAuth.Tests.Support;

namespace MutualAuth.Tests.Errors;

/// <summary>Holds docs/reference/rejections.md to the enum and to what clients are told.</summary>
public sealed partial class RejectionsPageTests
{
    private static readonly DocumentationPage s_page = DocumentationPage.Open("docs/reference/rejections.md");

    [Test]
    public void Every_reason_has_exactly_one_row_with_its_code_and_number() =>
        Rows().Select(row => row.Cells[0]).Should().BeEquivalentTo(
            Enum.GetValues<RejectionReason>().Select(reason => $"`{reason.ToCode()}` ({(int)reason})"));

    [Test]
    public void No_row_leaves_a_cell_empty() => Rows().Should().OnlyContain(row => row.Cells.Length == 5 && row.Cells.All(cell => cell.Length > 0));

    [Test]
    public void Rows_of_what_a_verdict_can_say_name_the_public_reason_that_a_client_is_told() =>
        Rows().Where(row => IsToldInAVerdict(row.Number)).Select(row => (row.Number, row.Cells[4])).Should().BeEquivalentTo(
            Enum.GetValues<RejectionReason>().Where(reason => IsToldInAVerdict((int)reason))
                .Select(reason => ((int)reason, $"`{PublicReasonTable.ForClient(reason).ToCode()}`")));

    [Test]
    public void Other_rows_tell_nothing_or_an_alert_that_the_registry_knows() =>
        Rows().Where(row => !IsToldInAVerdict(row.Number)).Should().OnlyContain(row => TellsNothingOrAKnownAlert(row.Cells[4]));

    [Test]
    public void Every_failure_has_exactly_one_row() =>
        s_page.Rows().Select(cells => (cells[0], cells[1])).Where(row => row.Item2.StartsWith('`')).Should().Contain(
            Enum.GetValues<HandshakeFailure>().Select(failure => ($"`{failure}`", $"`{RejectionReasons.ToSnakeCase(failure.ToString())}`")));

    // RFC 8446 §6: those that say nothing of who the client is.
    private static readonly string[] s_alertsOfTls =
        ["alert 10 `unexpected_message`", "alert 40 `handshake_failure`", "alert 47 `illegal_parameter`", "alert 50 `decode_error`"];

    // What the certificate stage, the asynchronous validators and the credential stage say is told by a verdict; the rest happens before
    // there are any, or instead of one.
    private static bool IsToldInAVerdict(int reason) => reason is (>= 300 and < 500) or (>= 600 and < 700);

    private static bool TellsNothingOrAKnownAlert(string cell) =>
        cell.StartsWith("nothing", StringComparison.Ordinal)
        || (AlertPattern().Match(cell) is { Success: true } alert
            && (s_alertsOfTls.Contains(alert.Value)
                || (Enum.TryParse<PublicReason>(alert.Groups[1].Value, out var reason) && reason.ToCode() == alert.Groups[2].Value)));

    private static IEnumerable<(int Number, string[] Cells)> Rows() =>
        from cells in s_page.Rows()
        let match = CodePattern().Match(cells[0])
        where match.Success
        select (int.Parse(match.Groups[1].Value, CultureInfo.InvariantCulture), cells);

    [GeneratedRegex(@"^`[a-z_]+` \((\d+)\)$")]
    private static partial Regex CodePattern();

    [GeneratedRegex(@"^alert (\d+) `([a-z_]+)`(?=[,;]|$)")]
    private static partial Regex AlertPattern();
}
