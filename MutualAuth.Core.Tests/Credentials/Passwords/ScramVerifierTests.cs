using MutualAuth.Credentials;

namespace MutualAuth.Tests.Credentials;

/// <summary>The text form of a verifier is read to the octet.</summary>
public sealed class ScramVerifierTests
{
    [TestCase("SCRAM-SHA-256", 1, 16, 32, 32, true)]
    [TestCase("SCRAM-SHA-256", 0, 16, 32, 32, false)]
    [TestCase("SCRAM-SHA-256", 4096, 8, 32, 32, true)]
    [TestCase("SCRAM-SHA-256", 4096, 7, 32, 32, false)]
    [TestCase("SCRAM-SHA-256", 4096, 64, 32, 32, true)]
    [TestCase("SCRAM-SHA-256", 4096, 65, 32, 32, false)]
    [TestCase("SCRAM-SHA-256", 4096, 16, 31, 32, false)]
    [TestCase("SCRAM-SHA-256", 4096, 16, 33, 32, false)]
    [TestCase("SCRAM-SHA-256", 4096, 16, 32, 31, false)]
    [TestCase("SCRAM-SHA-256", 4096, 16, 32, 33, false)]
    [TestCase("SCRAM-SHA-512", 4096, 16, 64, 64, true)]
    [TestCase("SCRAM-SHA-512", 4096, 16, 32, 64, false)]
    public void A_verifier_has_iterations_a_salt_and_keys_of_its_hash(string mechanism, int iterations, int salt, int stored, int server, bool isRead)
    {
        var text = $"{mechanism}${iterations}:{Octets(salt)}${Octets(stored)}:{Octets(server)}";

        ScramVerifier.TryParse(text, out var verifier).Should().Be(isRead);

        (verifier is not null).Should().Be(isRead);
    }

    [TestCase(512, true)]
    [TestCase(513, false)]
    public void A_text_has_512_characters_at_most(int length, bool isRead)
    {
        var text = $"SCRAM-SHA-256$4096:{Octets(16)}${Octets(32)}:{Octets(32)}";

        // Zeros in front of the count are the one thing that a verifier can have more of.
        var longer = text.Replace("$4096", "$" + new string('0', length - text.Length) + "4096", StringComparison.Ordinal);

        longer.Length.Should().Be(length);
        ScramVerifier.TryParse(longer, out _).Should().Be(isRead);
    }

    [TestCase(null)]
    [TestCase("")]
    [TestCase("SCRAM-SHA-256$4096")]
    [TestCase("SCRAM-SHA-256$4096$AAAA:AAAA")]
    [TestCase("pencil")]
    public void What_is_none_is_not_read_and_not_quoted(string? text)
    {
        ScramVerifier.TryParse(text, out var verifier).Should().BeFalse();
        verifier.Should().BeNull();

        FluentActions.Invoking(() => ScramVerifier.Parse(text!)).Should().Throw<FormatException>().Which.Message.Should().NotContain("pencil");
    }

    [TestCase(4095)]
    [TestCase(1_000_001)]
    [TestCase(int.MaxValue)]
    public void None_is_made_with_a_count_that_neither_side_accepts(int iterations)
    {
        using var password = Password.From("pencil");

        FluentActions.Invoking(() => ScramVerifier.Create(password, iterations: iterations)).Should().Throw<ArgumentOutOfRangeException>();
    }

    private static string Octets(int count) => Convert.ToBase64String(new byte[count]);
}
