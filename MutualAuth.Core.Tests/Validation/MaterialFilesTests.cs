using MutualAuth.Authorization;
using MutualAuth.Credentials;
using MutualAuth.Pinning;
using MutualAuth.Reloading;
using MutualAuth.Revocation;
using MutualAuth.Testing;
using MutualAuth.Tests.Support;

namespace MutualAuth.Tests.Validation;

/// <summary>
/// What is trusted, revoked, denied, pinned and allowed follows its files like an identity does: the new is taken up, the spoilt is refused.
/// </summary>
public sealed class MaterialFilesTests
{
    private const string Pin = "sha256/AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";
    private const string Backup = "sha256/AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAE=";

    private static readonly TestAuthority s_authority = new("One");
    private static readonly TestAuthority s_other = new("Two");

    private TemporaryFolder _cabinet = null!;

    [SetUp]
    public void SetUp() => _cabinet = new TemporaryFolder();

    [TearDown]
    public void TearDown() => _cabinet.Dispose();

    private static IEnumerable<TestCaseData> Kinds()
    {
        static TestCaseData Kind(
            string name, string first, string next, string spoilt, Func<string, WatchOptions, IFileSource> follow, Func<IFileSource, string> read) =>
            new TestCaseData(first, next, spoilt, follow, read).SetArgDisplayNames(name);

        yield return Kind("trust anchors", s_authority.CertificatePem, s_authority.CertificatePem + s_other.CertificatePem, "",
            (path, options) => new TrustAnchorFiles([path], options), files => $"{((TrustAnchorFiles)files).Current.Certificates.Length}");
        yield return Kind("revocation lists", s_authority.IssueCrl().Pem, s_authority.IssueCrl().Pem + s_other.IssueCrl().Pem, "",
            (path, options) => new RevocationListFiles([path], options), files => $"{((RevocationListFiles)files).Current.Lists.Length}");
        yield return Kind("deny list", "serial 01", "serial 01\nserial 02\n", "serial 01\nserial",
            (path, options) => new DenyListFile(path, options), files => $"{((DenyListFile)files).Current.Entries.Length}");
        yield return Kind(
            "pins",
            $"{Pin}\n{Backup}\n",
            $"# three\n{Pin}\n{Backup}\nsha256/AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAI=\n",
            $"{Pin}\n",
            (path, options) => new PinFile(path, options), files => $"{((PinFile)files).Current.Count}");
        yield return Kind("authorization", "dns one.test", "dns one.test\nspiffe example.test\nupn jo@corp.test\nsubject CN=Jo Doe,O=Test\n", "",
            (path, options) => new AuthorizationFile(path, options), files => ((AuthorizationFile)files).Current.ToString());
    }

    [TestCaseSource(nameof(Kinds))]
    public void A_new_content_is_taken_up_and_a_spoilt_one_leaves_the_last_good_one(
        string first, string next, string spoilt, Func<string, WatchOptions, IFileSource> follow, Func<IFileSource, string> read)
    {
        using var files = follow(_cabinet.Write("material", first), _cabinet.Options);
        var heard = new Heard(files);
        var before = read(files);

        _cabinet.Rename("material", next);
        _cabinet.Settle();
        var after = read(files);
        _cabinet.Rename("material", spoilt);
        _cabinet.Settle();

        after.Should().NotBe(before);
        read(files).Should().Be(after);
        (heard.Replaced, heard.Refused.Count).Should().Be((1, 1));
        files.LastFailure.Should().BeSameAs(heard.Refused[0]);
    }

    [Test]
    public void A_bundle_that_somebody_still_writes_is_not_taken_up_although_what_is_there_is_sound()
    {
        if (!OperatingSystem.IsLinux())
        {
            Assert.Ignore("Only Linux tells who has a file open for writing.");
        }

        using var files = new TrustAnchorFiles([_cabinet.Write("trust.pem", s_authority.CertificatePem)], _cabinet.Options);
        using (var writer = new StreamWriter(new FileStream(_cabinet["trust.pem"], FileMode.Create, FileAccess.Write, FileShare.ReadWrite))
        { AutoFlush = true })
        {
            writer.Write(s_other.CertificatePem);
            _cabinet.Settle();
            _cabinet.Settle();
            files.Current.Certificates.Should().Equal(s_authority.Read());
            writer.Write(s_authority.CertificatePem);
        }

        _cabinet.Settle();

        files.Current.Certificates.Should().Equal(s_other.Read(), s_authority.Read());
    }

    [Test]
    public void Files_that_never_stand_still_are_refused_and_say_so()
    {
        using var files = new DenyListFile(_cabinet.Write("denied", "serial 01"), _cabinet.Options);
        var heard = new Heard(files);

        for (var count = 0; count < 300; count++)
        {
            _cabinet.Write("denied", $"serial {count + 2:X4}");
            _cabinet.Clock.Advance(TimeSpan.FromMilliseconds(50));
        }

        (heard.Replaced, heard.Refused.Count).Should().Be((0, 1));
        _cabinet.Settle();
        (heard.Replaced, files.LastFailure).Should().Be((1, null));
    }

    [Test]
    public void A_pair_that_is_refused_for_its_date_is_taken_up_when_its_time_comes()
    {
        using var authority = new TestAuthority(timeProvider: _cabinet.Clock);
        using var old = authority.IssueServer("server.test");
        using var coming = authority.Issue(spec => spec with { DnsNames = ["server.test"], NotBefore = _cabinet.Clock.GetUtcNow().AddMinutes(1) });
        var (chain, key) = _cabinet.Write(old);
        using var files = IdentityFiles.FromPem(chain, key, options: _cabinet.Options);
        var heard = new Heard(files);

        _cabinet.Write(coming);
        _cabinet.Settle();
        heard.Refused.Should().ContainSingle().Which.Problem.Should().Be(MaterialProblem.NotYetValid);
        for (var seconds = 0; seconds < 75; seconds++)
        {
            _cabinet.Clock.Advance(TimeSpan.FromSeconds(1));
        }

        (heard.Replaced, heard.Refused.Count, files.LastFailure).Should().Be((1, 1, null));
    }

    [Test]
    public void A_handler_that_throws_stops_neither_the_others_nor_the_reload()
    {
        using var files = new DenyListFile(_cabinet.Write("denied", "serial 01"), _cabinet.Options);
        files.Replaced += (_, _) => throw new InvalidOperationException();
        var heard = new Heard(files);

        _cabinet.Write("denied", "serial 02");
        _cabinet.Settle();
        _cabinet.Write("denied", "serial 03");
        _cabinet.Settle();

        heard.Replaced.Should().Be(2);
    }

    [Test]
    [TestCase("nobody\ndns one.test")]
    [TestCase("dns")]
    [TestCase("dns not a name")]
    [TestCase("everybody")]
    [TestCase("# nothing else")]
    public void Rules_that_cannot_be_read_are_refused_at_the_start(string text)
    {
        var opening = () => new AuthorizationFile(_cabinet.Write("allowed", text));

        opening.Should().Throw<MaterialException>();
    }

    [Test]
    public void Pins_may_end_and_may_be_alone_when_the_file_says_so()
    {
        using var pins = new PinFile(_cabinet.Write("pins", $"expires 2030-01-31T00:00:00Z\ndangerously-without-backup\n{Pin}\n"));

        (pins.Current.Count, pins.Current.ExpiresAt).Should().Be((1, new DateTimeOffset(2030, 1, 31, 0, 0, 0, TimeSpan.Zero)));
    }

    [Test]
    [CancelAfter(20000)]
    public async Task Users_follow_their_file_as_soon_as_somebody_listens(CancellationToken cancellationToken)
    {
        const string verifier =
            "SCRAM-SHA-256$4096:AAAAAAAAAAAAAAAAAAAAAA==$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";
        var users = FileCredentialStore.Open(_cabinet.Write("users", $"jo:{verifier}\n"), _cabinet.Clock);
        using var replaced = new SemaphoreSlim(0);
        using var refused = new SemaphoreSlim(0);
        users.Replaced += (_, _) => replaced.Release();
        users.Refused += (_, _) => refused.Release();

        _cabinet.Rename("users", $"jo:!{verifier}\n");
        _cabinet.Clock.Advance(TimeSpan.FromSeconds(1));
        (await replaced.WaitAsync(ConnectedPair.Deadline, cancellationToken)).Should().BeTrue();
        _cabinet.Rename("users", "nonsense");
        _cabinet.Clock.Advance(TimeSpan.FromSeconds(1));
        (await refused.WaitAsync(ConnectedPair.Deadline, cancellationToken)).Should().BeTrue();

        replaced.CurrentCount.Should().Be(0);
        (await users.FindAsync("jo", cancellationToken))!.IsDisabled.Should().BeTrue();
    }
}
