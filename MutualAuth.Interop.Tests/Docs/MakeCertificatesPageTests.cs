using System.Collections.Immutable;
using System.Net;
using System.Security.Cryptography.X509Certificates;
using MutualAuth.Evidence;
using MutualAuth.Revocation;
using MutualAuth.Tests.Support;
using MutualAuth.Validation;

namespace MutualAuth.Tests.Docs;

/// <summary>
/// The openssl recipe of docs/how-to/make-certificates.md, run as it stands; and once more for each row of its table, with that one thing
/// wrong.
/// </summary>
[CancelAfter(120000)]
public sealed class MakeCertificatesPageTests
{
    private const string Page = "docs/how-to/make-certificates.md";

    private string _directory = null!;

    [SetUp]
    public void SetUp() => _directory = Directory.CreateTempSubdirectory("mutualauth-recipe-").FullName;

    [TearDown]
    public void TearDown() => Directory.Delete(_directory, recursive: true);

    [Test]
    public async Task What_it_makes_connects_until_it_is_revoked(CancellationToken cancellationToken)
    {
        var blocks = PageBlocks.Of(Page, "openssl", "sh");
        await RunAsync(string.Concat(blocks.Take(4)));

        (await ConnectAsync(cancellationToken)).Should().BeNull();

        // The functions of the blocks before are used again; to revoke and to look need no others.
        await RunAsync(string.Concat(blocks.Skip(3)));
        var rejected = await ConnectAsync(cancellationToken);
        rejected!.Reason.Should().Be(RejectionReason.CertificateRevoked);
    }

    [TestCase("nothing", "", "", null, null)]
    [TestCase("subject alternative name", "DNS:client.example", "DNS:other.example", null, RejectionReason.NotAuthorized)]
    [TestCase("subject alternative name", "subjectAltName = DNS:client.example", "", null, RejectionReason.NotAuthorized)]
    [TestCase("subject alternative name", "subjectAltName = DNS:server.example, IP:127.0.0.1", "", RejectionReason.ServerNameMismatch, null)]
    [TestCase("extended key usage", "extendedKeyUsage = clientAuth", "extendedKeyUsage = serverAuth", null, RejectionReason.WrongUsage)]
    [TestCase("extended key usage", "extendedKeyUsage = clientAuth", "", null, RejectionReason.WrongUsage)]
    [TestCase("extended key usage", "extendedKeyUsage = serverAuth", "", RejectionReason.WrongUsage, null)]
    [TestCase(
        "key usage", "keyUsage = critical, digitalSignature", "keyUsage = critical, keyEncipherment",
        RejectionReason.WrongUsage, RejectionReason.WrongUsage)]
    [TestCase(
        "basic constraints", "CA:FALSE", "CA:TRUE", RejectionReason.CertificateAuthorityAsLeaf, RejectionReason.CertificateAuthorityAsLeaf)]
    [TestCase(
        "the file", "cat $end.crt issuing.pem > $end.pem", "cp $end.crt $end.pem",
        RejectionReason.UnknownAuthority, RejectionReason.UnknownAuthority)]
    public async Task One_thing_wrong_is_the_reason_of_its_row(
        string field, string right, string wrong, RejectionReason? ofServer, RejectionReason? ofClient)
    {
        var recipe = string.Concat(PageBlocks.Of(Page, "openssl", "sh").Take(3));
        if (right.Length > 0)
        {
            recipe.Should().Contain(right);
            recipe = recipe.Replace(right, wrong, StringComparison.Ordinal);
            RowOf(field).Should().Contain((ofServer ?? ofClient)!.Value.ToCode());
        }

        await RunAsync(recipe);

        (Judge("server", PeerRole.Server, DateTimeOffset.UtcNow), Judge("client", PeerRole.Client, DateTimeOffset.UtcNow))
            .Should().Be((ofServer, ofClient));
    }

    [TestCase(-1, RejectionReason.CertificateNotYetValid)]
    [TestCase(1, null)]
    [TestCase(91, RejectionReason.CertificateExpired)]
    public async Task Dates_are_as_its_row_says(int days, RejectionReason? expected)
    {
        await RunAsync(string.Concat(PageBlocks.Of(Page, "openssl", "sh").Take(3)));

        Judge("client", PeerRole.Client, DateTimeOffset.UtcNow.AddDays(days)).Should().Be(expected);
        if (expected is { } reason)
        {
            RowOf("dates").Should().Contain(reason.ToCode());
        }
    }

    private static string RowOf(string field) =>
        File.ReadLines(Path.Combine(Repository.Root, Page)).Single(line => line.StartsWith($"| {field} |", StringComparison.Ordinal));

    private async Task RunAsync(string script)
    {
        Tool.Find("openssl");
        var path = Path.Combine(_directory, "recipe.bash");
        await File.WriteAllTextAsync(path, "set -euo pipefail\n" + script);
        var ended = await EndedProgram.OfAsync(RunningProgram.Start(Tool.Find("env"), $"--chdir={_directory}", "bash", path));
        ended.ExitCode.Should().Be(0, ended.All);
    }

    private RejectionReason? Judge(string name, PeerRole role, DateTimeOffset at)
    {
        var chain = new X509Certificate2Collection();
        chain.ImportFromPemFile(Path.Combine(_directory, $"{name}.pem"));
        var stage = new CertificateStage(new CertificateStageOptions
        {
            Trust = TrustAnchors.FromPemFiles(Path.Combine(_directory, "root.pem")),
            Authorization = role == PeerRole.Server ? Authorize.ServerName : Authorize.Dns("client.example"),
        });
        var evidence = new PeerEvidence(role, [.. chain.Select(certificate => (ReadOnlyMemory<byte>)certificate.RawData)])
        {
            DialledName = role == PeerRole.Server ? ServerName.Parse("server.example") : null,
        };
        return (stage.Judge(evidence, at) as CertificateVerdict.Rejected)?.Rejection.Reason;
    }

    /// <summary>A confirmed connection with the files of the recipe, under its lists; null, or the server's rejection.</summary>
    private async Task<Rejection?> ConnectAsync(CancellationToken cancellationToken)
    {
        string In(string name) => Path.Combine(_directory, name);
        var revocation = new RevocationPolicy { Lists = RevocationLists.FromFiles(In("root.crl"), In("issuing.crl")) };
        var trust = TrustAnchors.FromPemFiles(In("root.pem"));
        HandshakeException? failure = null;
        await using var listener = MutualTlsListener.Start(new MutualTlsListenerOptions
        {
            EndPoint = new IPEndPoint(IPAddress.Loopback, 0),
            Server = new MutualTlsServer(new MutualTlsServerOptions
            {
                Identity = Identity.FromPemFiles(In("server.pem"), In("server.key")),
                Trust = trust,
                Authorization = Authorize.Dns("client.example"),
                Revocation = revocation,
            }),
            OnHandshakeFailed = failed => failure = failed,
        });
        var client = new MutualTlsClient(new MutualTlsClientOptions
        {
            Identity = Identity.FromPemFiles(In("client.pem"), In("client.key")),
            Trust = trust,
            Authorization = Authorize.ServerName,
            Revocation = revocation,
            Confirmation = ConfirmationPolicy.Required,
        });
        try
        {
            await using var connection = await client.ConnectAsync(listener.LocalEndPoint, "server.example", cancellationToken);
            return null;
        }
        catch (HandshakeException)
        {
            await listener.StopAsync(TimeSpan.FromSeconds(10), cancellationToken);
            return failure!.Rejection;
        }
    }
}
