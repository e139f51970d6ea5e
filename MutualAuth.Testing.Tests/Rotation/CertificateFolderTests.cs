using System.Runtime.Versioning;
using System.Security.Cryptography.X509Certificates;
using Microsoft.Extensions.Time.Testing;
using MutualAuth.Identities;
using MutualAuth.Reloading;
using MutualAuth.Testing.Rotation;
using MutualAuth.Testing.Tests.Support;
using MutualAuth.Trust;

namespace MutualAuth.Testing.Tests.Rotation;

/// <summary>What lies in a folder is replaced by one call, and is torn only where that was asked for.</summary>
[CancelAfter(120000)]
public sealed class CertificateFolderTests
{
    private readonly FakeTimeProvider _clock = new(DateTimeOffset.UtcNow);
    private TestAuthority _authority = null!;

    [SetUp]
    public void Make_the_authority() => _authority = new TestAuthority();

    [TearDown]
    public void Dispose_of_the_authority() => _authority.Dispose();

    [TestCase(FolderLayout.Files)]
    [TestCase(FolderLayout.KubernetesSecret)]
    public void Who_follows_the_files_takes_up_each_rotation(FolderLayout layout)
    {
        using var first = _authority.IssueServer("server.test");
        using var folder = Folder(first, layout);
        using var identity = Follow(folder);
        using var trust = new TrustAnchorFiles([folder.TrustPath], new WatchOptions { TimeProvider = _clock });
        var refused = 0;
        identity.Refused += (_, _) => refused++;

        for (var i = 0; i < 20; i++)
        {
            using var next = _authority.IssueServer("server.test");
            folder.Rotate(next);

            identity.Reload().Should().BeTrue();
            identity.Current.Certificate.RawData.ToArray().Should().Equal(next.RawCertificate.ToArray());
        }

        trust.Reload();
        trust.Current.Certificates.Should().ContainSingle();
        refused.Should().Be(0);
    }

    [Test]
    public async Task Who_reads_plain_files_meanwhile_sees_whole_ones_alone(CancellationToken cancellationToken)
    {
        var certificates = Certificates(8);
        using var folder = Folder(certificates[0], FolderLayout.Files);
        var whole = certificates.SelectMany(certificate => (string[])[certificate.ChainPem, certificate.PrivateKeyPem]).ToHashSet();

        var seen = await WatchAsync(
            () => Array.TrueForAll([folder.CertificatePath, folder.KeyPath], path => whole.Contains(File.ReadAllText(path))),
            () => RotateThrough(folder, certificates),
            cancellationToken);

        seen.Should().NotContain(false);
    }

    [Test]
    public async Task Who_reads_a_mounted_secret_meanwhile_sees_pairs_alone(CancellationToken cancellationToken)
    {
        var certificates = Certificates(8);
        using var folder = Folder(certificates[0], FolderLayout.KubernetesSecret);
        var keys = certificates.ToDictionary(certificate => certificate.ChainPem, certificate => certificate.PrivateKeyPem);

        var seen = await WatchAsync(
            () =>
            {
                var data = Path.Combine(folder.Directory, new DirectoryInfo(Path.Combine(folder.Directory, "..data")).LinkTarget!);
                try
                {
                    return keys[File.ReadAllText(Path.Combine(data, "tls.crt"))] == File.ReadAllText(Path.Combine(data, "tls.key"));
                }
                catch (Exception exception) when (exception is DirectoryNotFoundException or FileNotFoundException)
                {
                    return null; // It went while we read, as it does in Kubernetes.
                }
            },
            () => RotateThrough(folder, certificates),
            cancellationToken);

        seen.Should().Contain(true).And.NotContain(false);
    }

    [TestCase(FolderLayout.Files, false)]
    [TestCase(FolderLayout.Files, true)]
    [TestCase(FolderLayout.KubernetesSecret, false)]
    public void A_torn_rotation_shows_each_half_state_until_it_is_told_to_go_on(FolderLayout layout, bool keyFirst)
    {
        using var old = _authority.IssueServer("server.test");
        using var next = _authority.IssueServer("server.test");
        using var folder = Folder(old, layout);
        using var identity = Follow(folder);
        var (firstPath, secondPath) = keyFirst ? (folder.KeyPath, folder.CertificatePath) : (folder.CertificatePath, folder.KeyPath);
        (string First, string Second) In(TestCertificate certificate) =>
            keyFirst ? (certificate.PrivateKeyPem, certificate.ChainPem) : (certificate.ChainPem, certificate.PrivateKeyPem);
        void Holds(string first, string second) => (File.ReadAllText(firstPath), File.ReadAllText(secondPath)).Should().Be((first, second));
        var ((firstOld, secondOld), (firstNew, secondNew)) = (In(old), In(next));

        var torn = folder.RotateTorn(next, keyFirst);

        torn.Step.Should().Be(TornStep.Untouched);
        Holds(firstOld, secondOld);
        torn.Next().Should().Be(TornStep.HalfOfFirstFile);
        Holds(firstNew[..(firstNew.Length / 2)], secondOld);
        Refuses();
        torn.Next().Should().Be(TornStep.FirstFileAlone);
        Holds(firstNew, secondOld);
        Refuses();
        torn.Next().Should().Be(TornStep.HalfOfSecondFile);
        Holds(firstNew, secondNew[..(secondNew.Length / 2)]);
        Refuses();
        torn.Next().Should().Be(TornStep.Complete);
        Holds(firstNew, secondNew);
        identity.Reload().Should().BeTrue();
        identity.Current.Certificate.RawData.ToArray().Should().Equal(next.RawCertificate.ToArray());

        void Refuses()
        {
            identity.Reload().Should().BeFalse();
            identity.LastFailure.Should().NotBeNull();
            identity.Current.Certificate.RawData.ToArray().Should().Equal(old.RawCertificate.ToArray());
        }
    }

    [Test]
    public void A_certificate_beside_the_key_of_another_is_where_a_torn_rotation_can_stop()
    {
        using var old = _authority.IssueServer("server.test");
        using var next = _authority.IssueServer("server.test");
        using var folder = Folder(old, FolderLayout.Files);

        folder.RotateTorn(next).ContinueTo(TornStep.FirstFileAlone);

        var loading = () => X509Certificate2.CreateFromPemFile(folder.CertificatePath, folder.KeyPath);
        loading.Should().Throw<ArgumentException>();
        folder.Rotate(next);
        using var loaded = loading();
        loaded.RawData.Should().Equal(next.RawCertificate.ToArray());
    }

    [Test]
    public void A_rotation_that_comes_between_ends_a_torn_one()
    {
        using var old = _authority.IssueServer("server.test");
        using var next = _authority.IssueServer("server.test");
        using var folder = Folder(old, FolderLayout.KubernetesSecret);
        var torn = folder.RotateTorn(next);
        torn.Next();
        folder.Rotate(next);
        var goingOn = () => torn.Next();

        goingOn.Should().Throw<InvalidOperationException>();

        File.ReadAllText(folder.CertificatePath).Should().Be(next.ChainPem);
        var second = folder.RotateTorn(old);
        second.ContinueTo(TornStep.Complete);
        ((Action)(() => second.Next())).Should().Throw<InvalidOperationException>("it is complete");
        ((Action)(() => second.ContinueTo(TornStep.Untouched))).Should().Throw<InvalidOperationException>("there is no way back");
    }

    [TestCase(FolderLayout.Files)]
    [TestCase(FolderLayout.KubernetesSecret)]
    [UnsupportedOSPlatform("windows")]
    [Platform(Exclude = "Win", Reason = "Windows has other rights.")]
    public void A_key_is_its_owners_at_every_step(FolderLayout layout)
    {
        using var old = _authority.IssueServer("server.test");
        using var folder = Folder(old, layout);
        void IsOwners() => File.GetUnixFileMode(new FileInfo(folder.KeyPath).ResolveLinkTarget(returnFinalTarget: true)?.FullName ?? folder.KeyPath)
            .Should().Be(UnixFileMode.UserRead | UnixFileMode.UserWrite);

        IsOwners();
        folder.Rotate(old);
        IsOwners();
        var torn = folder.RotateTorn(old);
        while (torn.Step != TornStep.Complete)
        {
            torn.Next();
            IsOwners();
        }
    }

    [Test]
    [Platform(Exclude = "Win", Reason = "Windows has no such links.")]
    public void A_mounted_secret_has_the_links_of_Kubernetes_and_no_folder_of_before()
    {
        using var certificate = _authority.IssueServer("server.test");
        using var folder = Folder(certificate, FolderLayout.KubernetesSecret);
        var before = Target("..data");

        folder.Rotate(certificate);

        Target("..data").Should().MatchRegex(@"^\.\.\d{4}(_\d\d){5}\.\d+$").And.NotBe(before);
        (Target("tls.crt"), Target("tls.key"), Target("ca.crt")).Should().Be(("..data/tls.crt", "..data/tls.key", "..data/ca.crt"));
        Directory.GetFileSystemEntries(folder.Directory).Select(Path.GetFileName).Should().BeEquivalentTo(
            "..data", Target("..data"), "tls.crt", "tls.key", "ca.crt");

        string? Target(string name) => new FileInfo(Path.Combine(folder.Directory, name)).LinkTarget;
    }

    [TestCase(FolderLayout.Files)]
    [TestCase(FolderLayout.KubernetesSecret)]
    public void Trust_is_replaced_when_it_is_given_and_stays_when_it_is_not(FolderLayout layout)
    {
        using var certificate = _authority.IssueServer("server.test");
        using var other = new TestAuthority("Other");
        using var folder = Folder(certificate, layout);
        using var trust = new TrustAnchorFiles([folder.TrustPath], new WatchOptions { TimeProvider = _clock });

        folder.Rotate(certificate, [_authority, other]);
        trust.Reload();
        trust.Current.Certificates.Should().HaveCount(2);
        folder.Rotate(certificate);
        trust.Reload();
        trust.Current.Certificates.Should().HaveCount(2);
        folder.Rotate(certificate, [other]);
        trust.Reload();

        trust.Current.Certificates.Should().ContainSingle().Which.RawData.ToArray().Should().Equal(other.AsCertificate.RawCertificate.ToArray());
    }

    [Test]
    public void Without_authorities_there_is_no_file_of_trust()
    {
        using var certificate = _authority.IssueServer("server.test");
        using var folder = new CertificateFolder(certificate);

        Directory.GetFiles(folder.Directory).Select(Path.GetFileName).Should().BeEquivalentTo("tls.crt", "tls.key");
    }

    [Test]
    public void A_folder_of_its_own_goes_with_it_and_a_given_one_stays()
    {
        using var certificate = _authority.IssueServer("server.test");
        using var directory = new TemporaryDirectory();
        var ours = new CertificateFolder(certificate);
        var given = new CertificateFolder(
            certificate, options: new CertificateFolderOptions { Directory = Path.Combine(directory.Path, "a", "b"), KeyName = "server.key" });

        ours.Dispose();
        ours.Dispose();
        given.Dispose();

        Directory.Exists(ours.Directory).Should().BeFalse();
        File.Exists(Path.Combine(directory.Path, "a", "b", "server.key")).Should().BeTrue();
        ((Action)(() => given.Rotate(certificate))).Should().Throw<ObjectDisposedException>();
        ((Action)(() => given.RotateTorn(certificate))).Should().Throw<ObjectDisposedException>();
    }

    [TestCase("../tls.key")]
    [TestCase("a/tls.key")]
    [TestCase("..data")]
    [TestCase("")]
    [TestCase("TLS.CRT")]
    public void A_name_that_is_not_that_of_a_file_in_the_folder_is_refused(string name)
    {
        using var certificate = _authority.IssueServer("server.test");

        var making = () => new CertificateFolder(certificate, options: new CertificateFolderOptions { KeyName = name });

        making.Should().Throw<ArgumentException>();
    }

    private CertificateFolder Folder(TestCertificate certificate, FolderLayout layout)
    {
        if (layout == FolderLayout.KubernetesSecret && OperatingSystem.IsWindows())
        {
            Assert.Ignore("Windows has no such links.");
        }

        return new CertificateFolder(certificate, [_authority], new CertificateFolderOptions { Layout = layout });
    }

    private IdentityFiles Follow(CertificateFolder folder) =>
        IdentityFiles.FromPem(folder.CertificatePath, folder.KeyPath, options: new WatchOptions { TimeProvider = _clock });

    private List<TestCertificate> Certificates(int count) => [.. Enumerable.Range(0, count).Select(_ => _authority.IssueServer("server.test"))];

    private static void RotateThrough(CertificateFolder folder, List<TestCertificate> certificates)
    {
        for (var i = 0; i < 400; i++)
        {
            folder.Rotate(certificates[i % certificates.Count]);
        }
    }

    private static async Task<List<bool?>> WatchAsync(Func<bool?> look, Action act, CancellationToken cancellationToken)
    {
        var seen = new List<bool?>();
        using var done = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var watching = Task.Run(
            () =>
            {
                do
                {
                    seen.Add(look());
                }
                while (!done.IsCancellationRequested);
            },
            cancellationToken);
        act();
        await done.CancelAsync();
        await watching.WaitAsync(TimeSpan.FromSeconds(60), cancellationToken);
        return seen;
    }
}
