using System.Runtime.Versioning;
using MutualAuth.Testing.Rotation;
using MutualAuth.Testing.Tests.Support;

namespace MutualAuth.Testing.Tests;

/// <summary>Files are there whole or not at all, and a key is its owner's, whatever lay there before.</summary>
[CancelAfter(60000)]
public sealed class WrittenFilesTests
{
    private TemporaryDirectory _directory = null!;
    private TestAuthority _authority = null!;

    [SetUp]
    public void SetUp() => (_directory, _authority) = (new TemporaryDirectory(), new TestAuthority());

    [TearDown]
    public void TearDown()
    {
        _authority.Dispose();
        _directory.Dispose();
    }

    [Test]
    [UnsupportedOSPlatform("windows")]
    [Platform(Exclude = "Win", Reason = "Windows has other rights.")]
    public void A_key_is_its_owners_even_where_a_file_lay_that_others_could_read()
    {
        var before = _directory.Write("server.key", "old"u8.ToArray());
        File.SetUnixFileMode(before, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead | UnixFileMode.OtherRead);
        using var server = _authority.IssueServer("server.test");

        var (_, key) = server.WriteTo(_directory.Path, "server");

        File.GetUnixFileMode(key).Should().Be(UnixFileMode.UserRead | UnixFileMode.UserWrite);
        File.ReadAllText(key).Should().Be(server.PrivateKeyPem);
        Directory.GetFiles(_directory.Path).Should().HaveCount(2, "no temporary file is left");
    }

    [Test]
    public async Task Who_reads_while_files_are_written_sees_whole_ones(CancellationToken cancellationToken)
    {
        using var server = _authority.IssueServer("server.test");
        var (certificate, key) = server.WriteTo(_directory.Path, "server");
        var trust = _authority.WriteTo(_directory.Path);
        using var done = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var torn = new List<string>();
        var reading = Task.Run(
            () =>
            {
                while (!done.IsCancellationRequested)
                {
                    foreach (var path in (string[])[certificate, key, trust])
                    {
                        var text = File.ReadAllText(path);
                        if (!text.EndsWith("-----\n", StringComparison.Ordinal))
                        {
                            torn.Add($"{Path.GetFileName(path)}: {text.Length} characters");
                        }
                    }
                }
            },
            cancellationToken);

        for (var i = 0; i < 300; i++)
        {
            server.WriteTo(_directory.Path, "server");
            _authority.WriteTo(_directory.Path);
        }

        await done.CancelAsync();
        await reading;
        torn.Should().BeEmpty();
    }

    [Test]
    public async Task A_list_that_is_written_again_is_whole_at_any_moment(CancellationToken cancellationToken)
    {
        for (var i = 0; i < 3000; i++)
        {
            _authority.Revoke(i); // so that a list takes a while to write
        }

        var lists = new[] { _authority.IssueCrl(), _authority.IssueCrl() };
        var path = lists[0].WriteTo(_directory.Path);
        using var done = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var torn = new List<int>();
        var reading = Task.Run(
            () =>
            {
                while (!done.IsCancellationRequested)
                {
                    var text = File.ReadAllText(path);
                    if (!lists.Any(list => list.Pem == text))
                    {
                        torn.Add(text.Length);
                    }
                }
            },
            CancellationToken.None);

        for (var i = 0; i < 300; i++)
        {
            lists[i % 2].WriteTo(_directory.Path);
        }

        await done.CancelAsync();
        await reading;

        torn.Should().BeEmpty();
    }

    [Test]
    public void A_certificate_whose_key_is_elsewhere_changes_no_file([Values] bool inFolder, [Values] bool kubernetes)
    {
        using var owner = System.Security.Cryptography.ECDsa.Create();
        using var keyless = _authority.Sign(
            new System.Security.Cryptography.X509Certificates.CertificateRequest(
                "CN=x", owner, System.Security.Cryptography.HashAlgorithmName.SHA256).CreateSigningRequestPem());
        using var server = _authority.IssueServer("server.test");
        using var folder = new CertificateFolder(server, [_authority], new CertificateFolderOptions
        {
            Directory = _directory.Path,
            Layout = kubernetes ? FolderLayout.KubernetesSecret : FolderLayout.Files,
        });
        var (certificate, _) = server.WriteTo(_directory.Path, "server");
        var before = Files();

        FluentActions.Invoking(() =>
        {
            if (inFolder)
            {
                folder.Rotate(keyless);
            }
            else
            {
                keyless.WriteTo(_directory.Path, "server");
            }
        }).Should().Throw<InvalidOperationException>();

        Files().Should().Equal(before);
        File.ReadAllText(certificate).Should().Be(server.ChainPem);
        File.ReadAllText(folder.CertificatePath).Should().Be(server.ChainPem);

        List<string> Files() => [.. Directory.GetFileSystemEntries(_directory.Path).Order()];
    }
}
