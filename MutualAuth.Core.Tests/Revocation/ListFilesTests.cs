using System.Security.Cryptography.X509Certificates;
using System.Text;
using MutualAuth.Revocation;
using MutualAuth.Testing;
using MutualAuth.Tests.Support;

namespace MutualAuth.Tests.Revocation;

/// <summary>Files of revocation lists as people bring them. The lists themselves stay strict: one that cannot be read is an error.</summary>
public sealed class ListFilesTests
{
    private TestAuthority _one = null!;
    private TestAuthority _two = null!;
    private TemporaryFolder _folder = null!;

    [SetUp]
    public void SetUp()
    {
        (_one, _two) = (new TestAuthority("One"), new TestAuthority("Two"));
        _folder = new TemporaryFolder();
    }

    [TearDown]
    public void TearDown()
    {
        _folder.Dispose();
        _two.Dispose();
        _one.Dispose();
    }

    private static IEnumerable<TestCaseData> Whole()
    {
        static TestCaseData Case(string name, Func<string, string, string> text) => new TestCaseData(text).SetArgDisplayNames(name);

        yield return Case("two blocks", (one, two) => $"{one}\n{two}\n");
        yield return Case("no line break between them", (one, two) => one + two);
        yield return Case("a byte order mark before each", (one, two) => $"\ufeff{one}\n\ufeff{two}");
        yield return Case("lines of Windows", (one, two) => $"{one}\n{two}\n".ReplaceLineEndings("\r\n"));
        yield return Case("text around them", (one, two) => $"Certificate Revocation List (CRL):\n{one}\n# the other\n{two}\nend\n");
        yield return Case("one of them twice", (one, two) => $"{one}\n{two}\n{one}\n");
    }

    [TestCaseSource(nameof(Whole))]
    public void What_is_whole_loads_each_list_once(Func<string, string, string> text)
    {
        var path = _folder.Write("lists.pem", text(_one.IssueCrl().Pem.TrimEnd(), _two.IssueCrl().Pem.TrimEnd()));

        RevocationLists.FromFiles(path).Lists.Select(list => list.Issuer.ToString()).Should().Equal("CN=One", "CN=Two");
    }

    private static IEnumerable<TestCaseData> Refused()
    {
        static TestCaseData Case(string name, string says, Func<ListFilesTests, byte[]> content) =>
            new TestCaseData(says, content).SetArgDisplayNames(name);

        yield return Case("a block that is cut", "PEM block 2 is broken",
            tests => Encoding.ASCII.GetBytes(tests._one.IssueCrl().Pem + tests._two.IssueCrl().Pem[..^40]));
        yield return Case("lines that are missing", "is not a revocation list",
            tests => Encoding.ASCII.GetBytes(string.Join('\n', tests._one.IssueCrl().Pem.Split('\n').Where((_, index) => index != 2))));
        yield return Case("a certificate", "is a certificate, and no revocation list", tests => tests._one.Certificate.RawData);
        yield return Case("PKCS#12", "of the kind Pkcs12", tests => tests._one.Certificate.Export(X509ContentType.Pkcs12));
        yield return Case("a key", "\"PRIVATE KEY\"",
            _ => Encoding.ASCII.GetBytes("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"));
        yield return Case("UTF-16", "UTF-16", tests => Encoding.Unicode.GetBytes("\ufeff" + tests._one.IssueCrl().Pem));
    }

    [TestCaseSource(nameof(Refused))]
    public void What_is_not_is_refused_and_named(string says, Func<ListFilesTests, byte[]> content)
    {
        File.WriteAllBytes(_folder["lists"], content(this));

        var load = () => RevocationLists.FromFiles(_folder["lists"]);

        load.Should().Throw<MaterialException>().Which.Message.Should().Contain(says).And.Contain(_folder["lists"]);
    }
}
