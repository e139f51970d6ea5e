using MutualAuth.Credentials;

namespace MutualAuth.Tests.Credentials;

/// <summary>What is sealed is read as it was written, and octets that were written otherwise are none.</summary>
public sealed class ReconnectContentTests
{
    private static readonly ReconnectContent s_content = new()
    {
        UserName = new string('é', 127),
        ActsAs = new string('x', 255),
        LoginAt = new DateTimeOffset(2026, 7, 1, 8, 0, 0, 123, TimeSpan.Zero),
        NotAfter = new DateTimeOffset(2026, 7, 1, 16, 0, 0, 123, TimeSpan.Zero),
        Proofs = PeerProofs.Password | PeerProofs.OneTimeCode,
        ClientKey = [.. Digest(1)],
        Server = [.. Digest(2)],
        Verifier = [.. Digest(3)],
        Factors = [.. Digest(4)],
        ShownFactors = [new string('a', 64), new string('b', 64)],
        Secret = [.. Digest(5)],
    };

    [Test]
    public void The_longest_names_are_read_as_they_were_written()
    {
        var octets = s_content.Write();

        octets.Length.Should().BeLessThanOrEqualTo(ReconnectContent.MaxLength);
        var read = ReconnectContent.Read(octets)!;
        (read.UserName, read.ActsAs, read.LoginAt, read.NotAfter, read.Proofs).Should().Be(
            (s_content.UserName, s_content.ActsAs, s_content.LoginAt, s_content.NotAfter, s_content.Proofs));
        read.ShownFactors.Should().Equal(s_content.ShownFactors);
        new[] { read.ClientKey[0], read.Server[0], read.Verifier[0], read.Factors[0], read.Secret[0] }.Should().Equal(1, 2, 3, 4, 5);
        read.Write().Should().Equal(octets);
    }

    [Test]
    public void No_part_is_one_and_nothing_may_follow()
    {
        var octets = s_content.Write();
        for (var length = 0; length < octets.Length; length++)
        {
            ReconnectContent.Read(octets.AsSpan(0, length)).Should().BeNull($"it has {length} octets");
        }

        ReconnectContent.Read([.. octets, 0]).Should().BeNull();
        ReconnectContent.Read([.. octets, .. new byte[ReconnectContent.MaxLength]]).Should().BeNull();
    }

    [Test]
    public void Whatever_the_octets_are_reading_them_ends_without_an_exception()
    {
        var octets = s_content.Write();
        var random = new Random(1);
        for (var attempt = 0; attempt < 20_000; attempt++)
        {
            var changed = octets.ToArray();
            for (var count = random.Next(1, 8); count > 0; count--)
            {
                changed[random.Next(changed.Length)] = (byte)random.Next(256);
            }

            FluentActions.Invoking(() => ReconnectContent.Read(changed)).Should().NotThrow();
        }
    }

    private static byte[] Digest(byte octet) => [.. Enumerable.Repeat(octet, 32)];
}
