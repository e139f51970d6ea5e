using System.Globalization;
using System.Text;
using MutualAuth.Credentials;

namespace MutualAuth.Tests.Credentials;

/// <summary>Users found in the octets of their file: the same ones, whatever the lines look like, and none of them an object.</summary>
public sealed class UserIndexTests
{
    private const string Keys = "WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY=:wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU=";
    private const string Verifier = $"SCRAM-SHA-256$4096:{Sasl.Salt}${Keys}";

    private static readonly string s_other = Sasl.Verifier("x", ScramHash.Sha512).ToString();

    [TestCase($"a:{Verifier}")]
    [TestCase($"x\"#y:!{Verifier}")]
    public void Whatever_octet_of_a_usual_line_is_changed_it_is_no_other_user_than_the_strict_reader_finds(string text)
    {
        var line = Encoding.ASCII.GetBytes(text);
        UserLine.IsUsual(line).Should().BeTrue();
        var (accepted, refused) = (0, 0);
        for (var place = 0; place < line.Length; place++)
        {
            for (var octet = 0; octet < 256; octet++)
            {
                var changed = line.ToArray();
                changed[place] = (byte)octet;
                if (!UserLine.IsUsual(changed))
                {
                    refused++;
                    continue;
                }

                accepted++;
                var user = CredentialFile.ReadUser(Encoding.UTF8.GetString(changed));
                user.Should().NotBeNull($"octet {place} is {octet:x2}");
                Encoding.UTF8.GetBytes(CredentialFile.LinesOf(user!)).Should().Equal([.. changed, (byte)'\n'], $"octet {place} is {octet:x2}");
            }
        }

        (accepted, refused).Should().Match<(int Accepted, int Refused)>(counts => counts.Accepted > 0 && counts.Refused > 0);
    }

    [TestCase("\n")]
    [TestCase("\r\n")]
    public void Usual_and_other_lines_are_the_same_users(string end)
    {
        string[] lines =
        [
            "# users", $"zoe:{Verifier}", $"anna:{s_other}", $"bob:{Verifier}", $"bob:!{s_other}", $"jürgen:!{Verifier}", "",
            $"anna:{Verifier}", $"with space:{Verifier}", $"carol:!{s_other}",
        ];

        foreach (var text in new[] { string.Join(end, lines), "\ufeff" + string.Join(end, lines) + end })
        {
            var users = Read(text).Users;

            users.Count.Should().Be(6);
            users.InOrder().Select(user => (user.UserName, user.Verifiers.Length, user.IsDisabled)).Should().Equal(
                ("anna", 2, false), ("bob", 2, true), ("carol", 1, true), ("jürgen", 1, true), ("with space", 1, false), ("zoe", 1, false));
            foreach (var user in users.InOrder())
            {
                users.Contains(user.UserName).Should().BeTrue();
                user.IsLike(users.Find(user.UserName)).Should().BeTrue();
            }

            foreach (var nobody in new[] { "", "ann", "annas", "Zoe", "# users", "jurgen", new string('a', 300), "bob:!" })
            {
                users.Contains(nobody).Should().BeFalse();
                users.Find(nobody).Should().BeNull();
            }
        }
    }

    [Test]
    public void A_second_line_of_a_user_with_the_same_hash_is_refused_whichever_comes_first()
    {
        foreach (var text in new[] { $"a:{Verifier}\na:{Verifier}\n", $"a:{Verifier}\n a:{Verifier}\n", $" a:{Verifier}\na:{Verifier}\n" })
        {
            FluentActions.Invoking(() => Read(text)).Should().Throw<MaterialException>().WithMessage("*Line 2 of*a second SCRAM-SHA-256 verifier*");
        }
    }

    [Test]
    public void A_change_keeps_all_others_as_they_were_and_writes_in_the_order_of_names()
    {
        var before = Read($"zoe:{Verifier}\nbob:{Verifier}\nbob:{s_other}\njürgen:{Verifier}\nanna:!{Verifier}\n");

        Text(before, "carol", new StoredCredential("carol", [ScramVerifier.Parse(Verifier)])).Should().Be(
            $"anna:!{Verifier}\nbob:{Verifier}\nbob:{s_other}\ncarol:{Verifier}\njürgen:{Verifier}\nzoe:{Verifier}\n");
        Text(before, "anna", before.Users.Find("anna")! with { IsDisabled = false }).Should().Be(
            $"anna:{Verifier}\nbob:{Verifier}\nbob:{s_other}\njürgen:{Verifier}\nzoe:{Verifier}\n");
        Text(before, "bob", null).Should().Be($"anna:!{Verifier}\njürgen:{Verifier}\nzoe:{Verifier}\n");
        Text(before, "zoe", null).Should().Be($"anna:!{Verifier}\nbob:{Verifier}\nbob:{s_other}\njürgen:{Verifier}\n");
        Text(before, "nobody", null).Should().Be($"anna:!{Verifier}\nbob:{Verifier}\nbob:{s_other}\njürgen:{Verifier}\nzoe:{Verifier}\n");
    }

    [Test]
    public void Who_is_gone_or_differs_is_told_and_nobody_else()
    {
        var before = Read($"a:{Verifier}\nb:{Verifier}\nc:{Verifier}\nd:{Verifier}\nd:{s_other}\né:{Verifier}\nf:{Verifier}\ng:{Verifier}\n");
        var after = Read($"g:{Verifier}\r\nb:!{Verifier}\nc:{s_other}\nd:{s_other}\n f:{Verifier}\nnew:{Verifier}\né:{Verifier}");

        before.Users.ChangedIn(after.Users).Should().BeEquivalentTo("a", "b", "c", "d");
        before.Users.ChangedIn(before.Users).Should().BeEmpty();
    }

    [Test]
    public void Many_users_are_read_without_an_object_for_each()
    {
        const int Count = 50_000;
        var file = Encoding.ASCII.GetBytes(
            string.Concat(Enumerable.Range(0, Count).Select(number => string.Create(CultureInfo.InvariantCulture, $"user{number:D6}:{Verifier}\n"))));
        CredentialFile.Read(file, "users"); // what is made once

        var before = GC.GetAllocatedBytesForCurrentThread();
        var read = CredentialFile.Read(file, "users");
        var allocated = GC.GetAllocatedBytesForCurrentThread() - before;

        read.Users.Count.Should().Be(Count);
        (allocated / Count).Should().BeLessThan(16, "a place in the table has four octets, and at most two thirds of them are taken");
        before = GC.GetAllocatedBytesForCurrentThread();
        read.Users.ChangedIn(CredentialFile.Read(file, "users").Users).Should().BeEmpty();
        ((GC.GetAllocatedBytesForCurrentThread() - before) / Count).Should().BeLessThan(16, "to compare two files makes none either");
    }

    private static CredentialFileUsers Read(string text) => CredentialFile.Read(Encoding.UTF8.GetBytes(text), "users");

    private static string Text(CredentialFileUsers before, string name, StoredCredential? user) =>
        Encoding.UTF8.GetString(CredentialFile.Write(before, name, user, CredentialFileUsers.NoFactors).ToArray());
}
