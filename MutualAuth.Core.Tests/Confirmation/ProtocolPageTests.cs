using System.Collections.Immutable;
using System.Globalization;
using System.Text;
using MutualAuth.Confirmation;
using MutualAuth.Hello;
using MutualAuth.Tests.Support;

namespace MutualAuth.Tests.Confirmation;

/// <summary>Runs the vectors of docs/protocol.md, and holds its registries to the code: others build peers from that page alone.</summary>
public sealed class ProtocolPageTests
{
    private const string SameNumber = "the same number";

    private static readonly DocumentationPage s_page = DocumentationPage.Open("docs/protocol.md");

    private static string[] Vectors { get; } = [.. s_page.Block("vectors")];

    private static string[] Choices { get; } = [.. s_page.Block("choices")];

    [TestCaseSource(nameof(Vectors))]
    [CancelAfter(20_000)]
    public async Task A_vector_reads_as_the_page_says(string vector, CancellationToken cancellationToken)
    {
        var (octets, outcome) = Split(vector, "->");
        using var stream = new MemoryStream(Convert.FromHexString(octets.Replace(" ", string.Empty, StringComparison.Ordinal)));

        var (verdict, problem) = await FrameReader.ReadVerdictAsync(stream, cancellationToken);

        var rest = Convert.ToHexStringLower(stream.ToArray().AsSpan((int)stream.Position));
        Describe(verdict, problem, rest).Should().Be(outcome);
    }

    [Test]
    public void Every_verdict_of_the_page_is_what_we_write()
    {
        var written = Enum.GetValues<PublicReason>().Select(Verdict.Refused).Prepend(Verdict.Accepted).Select(
            verdict => Convert.ToHexStringLower(Frame.Encode(verdict)));

        Vectors.Select(vector => Split(vector, "->").Left.Replace(" ", string.Empty, StringComparison.Ordinal)).Should().Contain(written);
    }

    [TestCaseSource(nameof(Choices))]
    public void A_server_chooses_as_the_page_says(string line)
    {
        var cells = line.Split('|', StringSplitOptions.TrimEntries);

        var (chosen, problem) = ConfirmationProtocol.Choose(Ids(cells[1]), Ids(cells[2]), Enum.Parse<ConfirmationPolicy>(cells[0]));

        (problem is null ? chosen ?? "-" : "alert 120").Should().Be(cells[3]);
    }

    /// <summary>The sixteen values by which clients see to it that servers pass over what they do not know (RFC 8701 §3.1).</summary>
    [Test]
    public void Every_grease_value_is_passed_over_and_its_neighbours_are_not([Range(0, 255)] int octet)
    {
        var isGrease = (octet & 0x0f) == 0x0a;
        string[] ids = [new((char)octet, 2), $"{(char)octet}{(char)(octet ^ 0x10)}"];

        foreach (var (id, same) in ids.Zip([true, false]))
        {
            var (chosen, problem) = ConfirmationProtocol.Choose([id, ConfirmationProtocol.Bare], ["echo"], ConfirmationPolicy.Preferred);

            (chosen, problem?.Reason).Should().Be(
                isGrease && same ? (ConfirmationProtocol.Bare, (RejectionReason?)null) : (null, RejectionReason.AlpnMismatch));
        }
    }

    [Test]
    public void The_registry_of_public_codes_is_the_enum() =>
        s_page.RowsUnder("7. Public codes").Skip(1).Select(cells => (cells[0], cells[1])).Should().Equal(
            Enum.GetValues<PublicReason>().Select(reason => (((int)reason).ToString(CultureInfo.InvariantCulture), $"`{reason.ToCode()}`")));

    [Test]
    public void Alerts_count_as_the_page_says()
    {
        var rows = s_page.RowsUnder("6. Alerts as verdicts").Where(
            cells => cells[1] == SameNumber || int.TryParse(cells[1], CultureInfo.InvariantCulture, out _));
        var listed = rows.SelectMany(Numbers).ToDictionary(entry => entry.Alert, entry => entry.Code);

        var mapped = Enumerable.Range(1, 255).ToDictionary(alert => alert, alert => (int)TlsAlerts.ToPublicReason(alert));

        mapped.Where(entry => entry.Value != listed.GetValueOrDefault(entry.Key, (int)PublicReason.Refused)).Should().BeEmpty();
        listed.Should().HaveCountGreaterThan(20);
    }

    [Test]
    public void A_login_is_refused_by_the_codes_of_the_page()
    {
        var rows = s_page.RowsUnder("12. Logging in").Where(cells => cells.Length == 3 && int.TryParse(cells[0], CultureInfo.InvariantCulture, out _))
            .SelectMany(cells => DocumentationPage.CodeIn(cells[2]).Select(code => (code, int.Parse(cells[0], CultureInfo.InvariantCulture))))
            .ToList();

        rows.Should().BeEquivalentTo(Enum.GetValues<RejectionReason>()
            .Where(reason => (int)reason is >= 600 and < 700 && PublicReasonTable.ForClient(reason) != PublicReason.Refused
                && reason != RejectionReason.StepUpMismatch)
            .Select(reason => (reason.ToCode(), (int)PublicReasonTable.ForClient(reason))));
    }

    private static IEnumerable<(int Alert, int Code)> Numbers(string[] cells)
    {
        foreach (var word in cells[0].Split([' ', ','], StringSplitOptions.RemoveEmptyEntries))
        {
            if (int.TryParse(word, CultureInfo.InvariantCulture, out var alert))
            {
                yield return (alert, cells[1] == SameNumber ? alert : int.Parse(cells[1], CultureInfo.InvariantCulture));
            }
        }
    }

    private static string Describe(Verdict? verdict, Rejection? problem, string rest) => problem?.Reason switch
    {
        RejectionReason.ConfirmationMalformed => "malformed",
        RejectionReason.ConfirmationTruncated => "truncated",
        { } other => other.ToCode(),
        null => (verdict!.Value.Refusal is { } reason ? $"refused {(int)reason} {reason.ToCode()}" : "accepted")
            + (rest.Length == 0 ? string.Empty : $", then {rest}"),
    };

    private static (string Left, string Right) Split(string line, string separator)
    {
        var parts = line.Split(separator, StringSplitOptions.TrimEntries);
        return (parts[0], parts[1]);
    }

    /// <summary>An id is its text, or its octets in hex between braces.</summary>
    private static ImmutableArray<string> Ids(string cell) => cell == "-"
        ? []
        : [.. cell.Split(' ').Select(id => id is ['{', .. var octets, '}'] ? Encoding.Latin1.GetString(Convert.FromHexString(octets)) : id)];
}
