using System.Formats.Asn1;
using System.Numerics;
using System.Security.Cryptography.X509Certificates;
using MutualAuth.Asn1;
using MutualAuth.Revocation;
using MutualAuth.Testing;
using MutualAuth.Testing.Revocation;

namespace MutualAuth.Tests.Revocation;

/// <summary>The short way through the entries of a long list accepts nothing that the strict reader would not, and says the same of it.</summary>
public sealed class UsualEntriesTests
{
    private static readonly DateTimeOffset s_at = new(2024, 2, 29, 23, 59, 59, TimeSpan.Zero);

    private static IEnumerable<TestCaseData> Entries()
    {
        yield return new TestCaseData(Entry([0x01], s_at, null)).SetArgDisplayNames("no reason");
        yield return new TestCaseData(Entry([0x00, 0x80, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15], s_at, RevocationReason.KeyCompromise))
            .SetArgDisplayNames("seventeen octets");
        yield return new TestCaseData(Entry([0xff, 0x7f], new DateTimeOffset(1951, 2, 28, 0, 0, 0, TimeSpan.Zero), RevocationReason.RemoveFromCrl))
            .SetArgDisplayNames("a removal");
    }

    [TestCaseSource(nameof(Entries))]
    public void Whatever_octet_is_changed_the_two_ways_agree(byte[] entry)
    {
        Usual(entry).Should().Be(Strict(entry)).And.NotBeNull("it is a usual one");
        var (accepted, refused) = (0, 0);
        for (var place = 0; place < entry.Length; place++)
        {
            for (var octet = 0; octet < 256; octet++)
            {
                var changed = entry.ToArray();
                changed[place] = (byte)octet;
                if (Usual(changed) is { } found)
                {
                    Strict(changed).Should().Be(found, $"octet {place} is {octet:x2}");
                    accepted++;
                }
                else
                {
                    refused++;
                }
            }
        }

        accepted.Should().BePositive();
        refused.Should().BePositive();
    }

    [TestCaseSource(nameof(Entries))]
    public void One_that_is_cut_is_not_recognized(byte[] entry)
    {
        for (var length = 0; length < entry.Length; length++)
        {
            Usual(entry[..length]).Should().BeNull();
        }
    }

    [Test]
    public void A_time_that_was_accepted_does_not_speak_for_the_next()
    {
        byte[] good = Entry([0x01], s_at, null);
        var bad = good.ToArray();
        bad[^3] = (byte)'6'; // 59 seconds become 69
        var entries = new UsualEntries([.. good, .. bad]);

        entries.TryRead(0, out var length, out _).Should().BeTrue();
        entries.TryRead(length, out _, out _).Should().BeFalse();
    }

    [Test]
    public void A_long_list_is_read_without_an_object_for_each_entry()
    {
        const int Count = 50_000;
        using var authority = new TestAuthority();
        var at = TimeProvider.System.GetUtcNow().AddHours(-2);
        var der = authority.IssueCrl(spec => spec with
        {
            Revoked =
            [
                .. Enumerable.Range(0, Count).Select(number => new RevokedCertificate(
                    (BigInteger.One << 100) + number, at.AddSeconds(-number), X509RevocationReason.Superseded)),
            ],
        }).Raw;
        RevocationLists.FromDer(der); // what is made once

        var before = GC.GetAllocatedBytesForCurrentThread();
        var lists = RevocationLists.FromDer(der);
        var allocated = GC.GetAllocatedBytesForCurrentThread() - before;

        lists.Lists.Single().Count.Should().Be(Count);
        (allocated / Count).Should().BeLessThan(24, "an object has 24 octets at least, the index 4 to 8, and as many while it is made");
    }

    private static (int Length, bool IsRemoval)? Usual(byte[] entry) =>
        new UsualEntries(entry).TryRead(0, out var length, out var isRemoval) ? (length, isRemoval) : null;

    private static (int Length, bool IsRemoval)? Strict(byte[] entry)
    {
        try
        {
            var reader = new DerReader(entry);
            var read = RevokedEntry.Read(reader.ReadSequence());
            return (entry.Length - reader.Rest.Length, read.Reason == RevocationReason.RemoveFromCrl);
        }
        catch (AsnContentException)
        {
            return null;
        }
    }

    private static byte[] Entry(byte[] serial, DateTimeOffset at, RevocationReason? reason)
    {
        var writer = new AsnWriter(AsnEncodingRules.DER);
        using (writer.PushSequence())
        {
            writer.WriteInteger(serial);
            writer.WriteUtcTime(at);
            if (reason is { } code)
            {
                using (writer.PushSequence())
                using (writer.PushSequence())
                {
                    writer.WriteObjectIdentifier("2.5.29.21");
                    using (writer.PushOctetString())
                    {
                        writer.WriteEnumeratedValue((X509RevocationReason)code);
                    }
                }
            }
        }

        return writer.Encode();
    }
}
