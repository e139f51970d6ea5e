using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;
using System.Text.RegularExpressions;
using MutualAuth.Confirmation;
using MutualAuth.Credentials;
using MutualAuth.Tests.Support;

namespace MutualAuth.Tests.Credentials;

/// <summary>To what a step-up is bound (docs/protocol.md §12.3), by the vector of the page, and the server's nonce among the mechanisms.</summary>
public sealed partial class StepUpVectorTests
{
    private static readonly Dictionary<string, byte[]> s_vector = DocumentationPage.Open("docs/protocol.md").Block("step-up")
        .Select(line => line.Split(':', 2)).ToDictionary(parts => parts[0], parts => Convert.FromHexString(parts[1].Trim()));

    [Test]
    public void The_frames_of_the_vector_are_those_that_we_send()
    {
        s_vector["START"].Should().Equal(Frame.Encode(FrameType.Start, LoginChannel.StartPayload("PLAIN", Sasl.Utf8("\0user\0pencil"))));
        s_vector["OUTCOME"].Should().Equal(Frame.Encode(FrameType.Outcome, LoginChannel.OutcomePayload(Verdict.Accepted, null)));
        s_vector["MECHANISMS"][0].Should().Be((byte)FrameType.Mechanisms);
        LoginChannel.ReadMechanisms(s_vector["MECHANISMS"][3..]).Should().Equal("PLAIN");
    }

    [Test]
    public void The_transcript_is_the_digest_of_all_frames_with_the_nonce_in_them() =>
        SHA256.HashData([.. s_vector["MECHANISMS"], .. s_vector["START"], .. s_vector["OUTCOME"]]).Should().Equal(s_vector["transcript"]);

    [Test]
    public void The_binding_is_the_digest_of_the_four_parts()
    {
        byte[] whole = [.. Part(Encoding.ASCII.GetBytes("mutualauth step-up 1")), .. Part(s_vector["end point"]), .. Part(s_vector["transcript"]),
            .. Part(s_vector["transaction"])];

        SHA256.HashData(whole).Should().Equal(s_vector["binding"], "this is the page's own recipe");
        var ours = StepUpBinding.Of(s_vector["end point"], s_vector["transcript"], s_vector["transaction"]);
        (ours.Type, Convert.ToHexString(ours.Data.AsSpan())).Should().Be(("mutualauth-step-up", Convert.ToHexString(s_vector["binding"])));
    }

    [Test]
    public void A_reauthentication_has_a_label_of_its_own_and_no_transaction()
    {
        var vector = BlockOf("reauthentication");
        byte[] whole = [.. Part(Encoding.ASCII.GetBytes("mutualauth reauth 1")), .. Part(s_vector["end point"]), .. Part(s_vector["transcript"]),
            .. Part([])];

        vector["label"].Should().Equal(Encoding.ASCII.GetBytes("mutualauth reauth 1"));
        SHA256.HashData(whole).Should().Equal(vector["binding"], "this is the page's own recipe");
        var ours = StepUpBinding.OfReauthentication(s_vector["end point"], s_vector["transcript"]);
        (ours.Type, Convert.ToHexString(ours.Data.AsSpan())).Should().Be(("mutualauth-reauth", Convert.ToHexString(vector["binding"])));
        StepUpBinding.Of(s_vector["end point"], s_vector["transcript"], []).Data.Should().Equal(vector["empty transaction"]);
    }

    [TestCase("with it")]
    [TestCase("with an empty one")]
    [TestCase("with none")]
    public void NEXT_is_what_the_page_says(string what)
    {
        var vector = BlockOf("next");
        var message = what switch { "with it" => "v=x", "with none" => null, _ => string.Empty };

        StepUpWire.Next(message, Encoding.ASCII.GetString(vector["names"]).Split(' ')).Should().Equal(vector[what]);
        var (read, names) = LoginChannel.ReadNext(vector[what][3..])!.Value;
        (read is { } text ? Encoding.ASCII.GetString(text.Span) : null).Should().Be(message);
        names.Should().Equal("TOTP", "PASSKEY-PLUS");
    }

    private static Dictionary<string, byte[]> BlockOf(string name) => DocumentationPage.Open("docs/protocol.md").Block(name)
        .Select(line => line.Split(':', 2)).ToDictionary(parts => parts[0], parts => Convert.FromHexString(parts[1].Trim()));

    // Each part counts, and where one ends and the next begins does too.
    [TestCase("end point")]
    [TestCase("transcript")]
    [TestCase("transaction")]
    public void Another_part_is_another_binding(string part)
    {
        byte[] Of(string name) => name == part ? [.. s_vector[name][..^1], (byte)(s_vector[name][^1] ^ 1)] : s_vector[name];

        StepUpBinding.Of(Of("end point"), Of("transcript"), Of("transaction")).Data.Should().NotEqual(s_vector["binding"]);
    }

    [Test]
    public void An_octet_that_moves_from_one_part_to_the_next_is_another_binding()
    {
        var (shorter, longer) = (s_vector["transcript"][..^1], (byte[])[s_vector["transcript"][^1], .. s_vector["transaction"]]);

        StepUpBinding.Of(s_vector["end point"], shorter, longer).Data.Should().NotEqual(s_vector["binding"]);
    }

    [TestCase("PLAIN", true)]
    [TestCase("SCRAM-SHA-256-PLUS PLAIN", true)]
    [TestCase("EXTERNAL", true)]
    [TestCase("OAUTHBEARER", true)]
    [TestCase("SCRAM-SHA-256-PLUS", false)]
    [TestCase("SCRAM-SHA-512-PLUS SCRAM-SHA-256", false)]
    public void A_nonce_stands_last_unless_every_mechanism_has_one(string offered, bool hasNonce)
    {
        string Names() => Encoding.ASCII.GetString(LoginChannel.MechanismsPayload([.. offered.Split(' ')]));

        var (one, other) = (Names(), Names());

        if (!hasNonce)
        {
            (one, other).Should().Be((offered, offered));
            return;
        }

        one.Should().StartWith(offered + " ");
        NoncePattern().IsMatch(one[(offered.Length + 1)..]).Should().BeTrue(one);
        other.Should().NotBe(one, "each connection has its own");
        LoginChannel.ReadMechanisms(Encoding.ASCII.GetBytes(one)).Should().Equal(offered.Split(' '));
    }

    [Test]
    public async Task The_nonce_is_no_mechanism()
    {
        await using var session = Sasl.Server(Sasl.Policy(SaslServer.PasswordsInPlain(Sasl.Store(("alice", "pencil")))));

        var step = await session.StartAsync("N-ABCDEFGHIJKLMNOPQR", null, default).AsTask().WaitAsync(TimeSpan.FromSeconds(20));

        step.Reason().Should().Be(RejectionReason.MechanismUnavailable);
    }

    private static byte[] Part(byte[] octets)
    {
        var length = new byte[8];
        BinaryPrimitives.WriteInt64BigEndian(length, octets.Length);
        return [.. length, .. octets];
    }

    [GeneratedRegex("^N-[A-Z2-7]{18}$")]
    private static partial Regex NoncePattern();
}
