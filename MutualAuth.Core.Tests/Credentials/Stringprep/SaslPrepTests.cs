using System.Globalization;
using MutualAuth.Credentials;

namespace MutualAuth.Tests.Credentials;

public sealed class SaslPrepTests
{
    // RFC 4013 §3.
    [TestCase("I\u00ADX", "IX")]
    [TestCase("user", "user")]
    [TestCase("USER", "USER")]
    [TestCase("\u00AA", "a")]
    [TestCase("\u2168", "IX")]
    [TestCase("\u0007", null)]
    [TestCase("\u0627\u0031", null)]

    // Normalization that the platform leaves out under InvariantGlobalization.
    [TestCase("e\u0301", "\u00E9")]
    [TestCase("\uAC00", "\uAC00")]
    [TestCase("\u1112\u1161\u11AB", "\uD55C")]
    [TestCase("a\u00A0b", "a b")]
    [TestCase("\u0627\u0031\u0628", "\u0627\u0031\u0628")]
    [TestCase("", null)]
    [TestCase("\u00AD", null)]
    [TestCase("\u0221", null)]

    // Control characters of ASCII, and what stands beside them.
    [TestCase("a\u001f", null)]
    [TestCase("a ", "a ")]
    [TestCase("a~", "a~")]
    [TestCase("a\u007f", null)]
    [TestCase("\u007f", null)]
    [TestCase("\u00e4\u007f", null)]

    // RFC 3454 §6.
    [TestCase("\u0627", "\u0627")]
    [TestCase("1\u0627", null)]
    [TestCase("\u0627a\u0628", null)]
    [TestCase("a\u0627", null)]
    [TestCase("\ud83d\ude00", null)]
    [TestCase("\u00ad\u00e9", "\u00e9")]
    public void It_prepares_or_refuses(string text, string? prepared)
    {
        SaslPrep.TryPrepare(text, allowUnassigned: false, out var actual).Should().Be(prepared is not null);
        actual.Should().Be(prepared);
    }

    // Made here, because an attribute cannot hold it.
    [TestCase(0)]
    [TestCase(1)]
    [TestCase(2)]
    public void Half_a_surrogate_pair_is_refused_wherever_it_stands(int at)
    {
        SaslPrep.TryPrepare("ab".Insert(at, "\ud800"), allowUnassigned: true, out _).Should().BeFalse();
        SaslPrep.TryPrepare("ab".Insert(at, "\udc00"), allowUnassigned: true, out _).Should().BeFalse();
        SaslPrep.TryPrepare("ab".Insert(at, "\ud840\udc00"), allowUnassigned: true, out _).Should().BeTrue();
    }

    [Test]
    public void Four_hundred_random_strings_come_out_as_another_implementation_has_them()
    {
        using var reader = new StreamReader(typeof(SaslPrepTests).Assembly.GetManifestResourceStream("saslprep.txt")!);
        var lines = reader.ReadToEnd().Split('\n', StringSplitOptions.RemoveEmptyEntries).Where(line => line[0] != '#').ToArray();

        lines.Select(line => (line, ApplicationCalls(line.Split(" > ")[0])))
            .Where(pair => pair.line.Split(" > ")[1] != pair.Item2)
            .Should().BeEmpty();
        lines.Should().HaveCount(400);
    }

    [Test]
    public void A_query_may_hold_what_was_not_assigned_yet_and_a_stored_name_may_not()
    {
        SaslPrep.TryPrepare("\u0221", allowUnassigned: true, out _).Should().BeTrue();
        SaslPrep.TryPrepare("\u0221", allowUnassigned: false, out _).Should().BeFalse();
    }

    [TestCase(1024, true)]
    [TestCase(1025, false)]
    public void Length_is_bounded(int length, bool isPrepared) =>
        SaslPrep.TryPrepare(new string('\uFDFA', length), allowUnassigned: false, out _).Should().Be(isPrepared);

    private static string ApplicationCalls(string codes) => SaslPrep.TryPrepare(
        string.Concat(codes.Split(' ').Select(code => char.ConvertFromUtf32(int.Parse(code, NumberStyles.HexNumber, CultureInfo.InvariantCulture)))),
        allowUnassigned: false,
        out var prepared)
        ? string.Join(' ', prepared.EnumerateRunes().Select(rune => rune.Value.ToString("X", CultureInfo.InvariantCulture)))
        : "-";
}
