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

    private static string Octets(int count) => Convert.ToBase64String(new byte[count]);
}
