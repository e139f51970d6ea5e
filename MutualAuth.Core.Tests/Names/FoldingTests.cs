using MutualAuth.Names;

namespace MutualAuth.Tests.Names;

/// <summary>Which letters count as the same is the same on every machine: no globalization data, and no version of it, has a say.</summary>
public sealed class FoldingTests
{
    [TestCase("\u00dc", "\u00fc", true)]
    [TestCase("\u0416", "\u0436", true)]
    [TestCase("\u03a3", "\u03c3", true)]
    [TestCase("\u0130", "i", false)]
    [TestCase("\u212a", "k", false)]
    [TestCase("\u1c89", "\u1c8a", false)]
    [TestCase("\ua7cb", "\u0264", false)]
    [TestCase("\ua7cc", "\ua7cd", false)]
    [TestCase("\ua7da", "\ua7db", false)]
    [TestCase("\ua7dc", "\u019b", false)]
    public void A_letter_folds_by_our_own_table(string one, string other, bool isSame) =>
        Name(one).Equals(Name(other)).Should().Be(isSame);

    [Test]
    public void Letters_beyond_ascii_never_fold_into_it()
    {
        var ascii = "ik".Select(letter => Name(letter.ToString())).ToArray();

        var folded = Enumerable.Range(0x80, 0x10000 - 0x80).Select(code => (char)code)
            .Where(letter => !char.IsSurrogate(letter) && ascii.Contains(Name(letter.ToString())));

        folded.Should().BeEmpty();
        ascii.Should().Contain(Name("I"), "those of ASCII do");
    }

    private static DistinguishedName Name(string text) =>
        DistinguishedName.TryDecode(Encode(text), out var name) ? name : throw new FormatException(text);

    private static byte[] Encode(string text) => Support.DerEdit.Encode(writer =>
    {
        using (writer.PushSequence())
        using (writer.PushSetOf())
        using (writer.PushSequence())
        {
            writer.WriteObjectIdentifier("2.5.4.3");
            writer.WriteCharacterString(System.Formats.Asn1.UniversalTagNumber.UTF8String, text);
        }
    });
}
