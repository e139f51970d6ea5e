using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;
using MutualAuth.Credentials;
using MutualAuth.Tests.Support;

namespace MutualAuth.Tests.Credentials;

/// <summary>The proofs of RECONNECT-PLUS, by the vector of docs/protocol.md §12.1, and the lengths that the page names.</summary>
public sealed class ReconnectVectorTests
{
    private static readonly Dictionary<string, byte[]> s_vector = DocumentationPage.Open("docs/protocol.md").Block("reconnect")
        .Where(line => !line.StartsWith('#')).Select(line => line.Split(':', 2))
        .ToDictionary(parts => parts[0], parts => Convert.FromHexString(parts[1].Trim()));

    [TestCase("client")]
    [TestCase("server")]
    public void A_proof_is_what_the_page_says(string side)
    {
        byte[][] parts =
        [
            Encoding.ASCII.GetBytes($"mutualauth reconnect {side} 1"), Encoding.ASCII.GetBytes(Sasl.Binding.Type), [.. Sasl.Binding.Data],
            s_vector["nonce"], s_vector["credential"],
        ];

        HMACSHA256.HashData(s_vector["secret"], parts.SelectMany(Part).ToArray()).Should().Equal(s_vector[side], "this is the page's own recipe");
        var ours = side == "client"
            ? ReconnectWire.ClientProof(s_vector["secret"], Sasl.Binding, s_vector["nonce"], s_vector["credential"])
            : ReconnectWire.ServerProof(s_vector["secret"], Sasl.Binding, s_vector["nonce"], s_vector["credential"]);
        ours.Should().Equal(s_vector[side]);
    }

    [Test]
    public void What_the_client_shows_is_made_of_what_was_issued()
    {
        byte[] issued = [1, .. new byte[8], .. new byte[32], .. s_vector["secret"], .. s_vector["credential"]];

        ReconnectWire.WriteShown(issued, s_vector["nonce"], Sasl.Binding).Should().Equal(
            (byte[])[1, .. s_vector["nonce"], .. s_vector["client"], .. s_vector["credential"]]);
    }

    [Test]
    public void The_lengths_are_those_of_the_page() =>
        DocumentationPage.Open("docs/protocol.md").Text.Should().Contain(
            FormattableString.Invariant($"the credential, {ReconnectKeys.MinSealedLength} to {ReconnectKeys.MaxSealedLength:N0} octets"));

    private static byte[] Part(byte[] octets)
    {
        var length = new byte[8];
        BinaryPrimitives.WriteInt64BigEndian(length, octets.Length);
        return [.. length, .. octets];
    }
}
