using System.Runtime.Versioning;
using MutualAuth.Authorization;
using MutualAuth.Credentials;
using MutualAuth.Pinning;
using MutualAuth.Revocation;
using MutualAuth.Testing;
using MutualAuth.Tests.Support;

namespace MutualAuth.Tests.Validation;

/// <summary>
/// Who may write what decides whom we trust: everybody is refused, a group is warned about. A key that others may read is warned about, as platforms
/// mount keys so.
/// </summary>
[UnsupportedOSPlatform("windows")]
public sealed class FileRightsTests
{
    private const int GroupWritable = 1404;
    private const int SecretReadable = 1405;
    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite;
    private const UnixFileMode Public = OwnerOnly | UnixFileMode.GroupRead | UnixFileMode.OtherRead;
    private const string Pins =
        "sha256/AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\nsha256/AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAE=\n";

    private static readonly TestAuthority s_authority = new("One");

    private TemporaryFolder _folder = null!;
    private EventLog _log = null!;

    [SetUp]
    public void SetUp()
    {
        if (OperatingSystem.IsWindows())
        {
            Assert.Ignore("Windows has other rights.");
        }

        _folder = new TemporaryFolder();
        _log = new EventLog();
    }

    [TearDown]
    public void TearDown()
    {
        _log?.Dispose();
        _folder?.Dispose();
    }

    private WatchOptions Options => _folder.Options with { LoggerFactory = _log };

    private static IEnumerable<TestCaseData> Kinds()
    {
        static TestCaseData Kind(string name, string content, Action<FileRightsTests, string> load, bool saysWhatAGroupCan = true) =>
            new TestCaseData(content, load, saysWhatAGroupCan).SetArgDisplayNames(name);

        var crl = s_authority.IssueCrl().Pem;
        yield return Kind("trust anchors", s_authority.CertificatePem, (tests, path) => tests.Use(TrustAnchors.FromPemFiles(path)));
        yield return Kind("trust anchors, followed", s_authority.CertificatePem,
            (tests, path) => new TrustAnchorFiles([path], tests.Options).Dispose());
        yield return Kind("authorization", "dns one.test", (tests, path) => new AuthorizationFile(path, tests.Options).Dispose());
        yield return Kind("deny list", "serial 01", (tests, path) => tests.Use(denied: DenyList.FromFile(path)));
        yield return Kind("deny list, followed", "serial 01", (tests, path) => new DenyListFile(path, tests.Options).Dispose());
        yield return Kind("pins", Pins, (tests, path) => new PinFile(path, tests.Options).Dispose());
        yield return Kind("revocation lists", crl, (tests, path) => tests.Use(lists: RevocationLists.FromFiles(path)));
        yield return Kind("revocation lists, followed", crl, (tests, path) => new RevocationListFiles([path], tests.Options).Dispose());
        yield return Kind("a password", "secret\n", (_, path) => Password.FromFile(path).Dispose(), saysWhatAGroupCan: false);
    }

    [TestCaseSource(nameof(Kinds))]
    public void What_everybody_may_write_is_refused_and_what_a_group_may_write_is_warned_about(
        string content, Action<FileRightsTests, string> load, bool saysWhatAGroupCan)
    {
        var path = _folder.Write("material", content);
        var loading = () => load(this, path);

        File.SetUnixFileMode(path, Public);
        loading.Should().NotThrow();
        _log.Drain().Should().NotContain(entry => entry.Id == GroupWritable || entry.Id == SecretReadable);

        File.SetUnixFileMode(path, Public | UnixFileMode.GroupWrite);
        loading.Should().NotThrow();
        _log.Drain().Where(entry => entry.Id == GroupWritable).Should().HaveCount(saysWhatAGroupCan ? 1 : 0);

        File.SetUnixFileMode(path, Public | UnixFileMode.OtherWrite);
        var refused = loading.Should().Throw<MaterialException>().Which;
        refused.Problem.Should().Be(MaterialProblem.WritableByOthers);
        refused.Message.Should().Contain($"chmod o-w {path}");
    }

    [Test]
    public void A_reload_that_everybody_may_write_is_refused_and_taken_up_once_it_is_put_right()
    {
        using var other = new TestAuthority("Two");
        var path = _folder.Write("trust.pem", s_authority.CertificatePem);
        using var files = new TrustAnchorFiles([path], Options);

        _folder.Write("next.pem", other.CertificatePem);
        File.SetUnixFileMode(_folder["next.pem"], Public | UnixFileMode.OtherWrite);
        File.Move(_folder["next.pem"], path, overwrite: true);
        _folder.Settle();
        files.LastFailure!.Problem.Should().Be(MaterialProblem.WritableByOthers);
        files.Current.Certificates.Should().Equal(s_authority.Read());

        File.SetUnixFileMode(path, Public);
        files.Reload();
        _folder.Clock.Advance(TimeSpan.FromSeconds(11));
        _folder.Settle();
        files.LastFailure.Should().BeNull();
        files.Current.Certificates.Should().Equal(other.Read());
    }

    [TestCase(OwnerOnly, 0)]
    [TestCase(OwnerOnly | UnixFileMode.GroupRead, 1)]
    [TestCase(Public, 1)]
    public void A_private_key_that_others_may_read_is_warned_about(UnixFileMode mode, int warnings)
    {
        using var leaf = s_authority.IssueServer("server.test");
        var (chain, key) = _folder.Write(leaf);
        var store = _folder["identity.p12"];
        File.WriteAllBytes(store, leaf.ToPkcs12("secret"));
        var password = _folder.Write("password", "secret\n");
        File.SetUnixFileMode(chain, Public);
        foreach (var secret in (string[])[key, store, password])
        {
            File.SetUnixFileMode(secret, mode);
        }

        using (IdentityFiles.FromPem(chain, key, options: Options))
        {
            SaidOf(key).Should().Be(warnings, "the certificates alone are no secret");
        }

        using (IdentityFiles.FromPkcs12(store, password, options: Options))
        {
            SaidOf(store, password).Should().Be(2 * warnings);
        }

        foreach (var identity in (Identity[])[Identity.FromPemFiles(chain, key), Identity.FromPkcs12File(store, "secret")])
        {
            Use(identity: identity);
            SaidOf(key, store).Should().Be(2 * warnings, "a server and a client say it, and each of them once");
        }
    }

    [Test]
    public void A_followed_key_is_warned_about_once()
    {
        using var leaf = s_authority.IssueServer("server.test");
        var (chain, key) = _folder.Write(leaf);
        File.SetUnixFileMode(key, Public);
        using var files = IdentityFiles.FromPem(chain, key, options: Options);
        SaidOf(key).Should().Be(1);

        using var next = s_authority.IssueServer("server.test");
        _folder.Rename("tls.crt", next.ChainPem);
        _folder.Rename("tls.key", next.PrivateKeyPem);
        File.SetUnixFileMode(key, Public);
        _folder.Settle();

        files.Current.Certificate.Should().Be(next.Read());
        SaidOf(key).Should().Be(0);
    }

    private int SaidOf(params string[] paths) =>
        _log.Drain().Count(entry => entry.Id == SecretReadable && paths.Contains(entry.Values["File"]));

    private void Use(TrustAnchors? trust = null, DenyList? denied = null, RevocationLists? lists = null, Identity? identity = null)
    {
        using var leaf = s_authority.IssueServer("server.test");
        identity ??= World.ToIdentity(leaf);
        trust ??= TrustAnchors.From(s_authority.Certificate);
        var revocation = lists is null ? null : new RevocationPolicy { Lists = lists };
        _ = new MutualTlsServer(new MutualTlsServerOptions
        {
            Identity = identity,
            Trust = trust,
            Authorization = Authorize.AnyTrustedPeer,
            DenyList = denied,
            Revocation = revocation,
            LoggerFactory = _log,
        });
        _ = new MutualTlsClient(new MutualTlsClientOptions
        {
            Identity = identity,
            Trust = TrustAnchors.From(s_authority.Certificate),
            Authorization = Authorize.ServerName,
            LoggerFactory = _log,
        });
    }
}
