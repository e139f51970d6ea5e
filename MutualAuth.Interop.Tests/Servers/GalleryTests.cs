using MutualAuth.Testing;
using MutualAuth.Testing.BadPeers;

namespace MutualAuth.Tests.Servers;

/// <summary>The gallery against servers that are not ours: who judges rightly comes out clean, and of who does not each fault shows.</summary>
[CancelAfter(120000)]
[TestFixture("nginx")]
[TestFixture("haproxy")]
[TestFixture("stunnel")]
[TestFixture("kestrel")]
[TestFixture("go")]
[TestFixture("java")]
[TestFixture("openssl")]
public sealed class GalleryTests(string kind)
{
    /// <summary>One bad peer for each way of judging wrongly, and some that every judge but the one of everybody refuses.</summary>
    private static readonly BadPeer[] s_few =
    [
        Gallery.ExpiredLeaf, Gallery.UnknownAuthority, Gallery.NoCertificate, Gallery.CorruptSignature, Gallery.ServerCertificateUsedAsClient,
    ];

    private readonly TestAuthority _authority = new();
    private JudgingServers _servers = null!;

    [OneTimeSetUp]
    public void SetUp() => _servers = new JudgingServers(kind, _authority);

    [OneTimeTearDown]
    public async Task TearDown()
    {
        await _servers.DisposeAsync();
        _authority.Dispose();
    }

    [Test]
    public async Task One_that_judges_rightly_is_clean(CancellationToken token)
    {
        var server = await _servers.StartAsync(Judging.Right);

        var report = await GalleryRun.AgainstServerAsync(
            _authority, server, new GalleryRunOptions { Patience = TimeSpan.FromSeconds(20) }, token);

        TestContext.Out.WriteLine(report);
        report.IsClean.Should().BeTrue(report.ToString());
        report.Results.Should().HaveCountGreaterThan(45);
    }

    [Test]
    public async Task One_that_judges_wrongly_is_found_out(
        [Values(Judging.Optional, Judging.Everybody, Judging.NoPurpose)] Judging judging, CancellationToken token)
    {
        if (judging == Judging.NoPurpose && kind is not ("kestrel" or "go" or "openssl"))
        {
            Assert.Pass("It has no setting for that.");
        }

        var report = await RunAsync(judging, token);

        report.WronglyLetIn.Select(result => result.Peer).Should().BeEquivalentTo(
            judging switch
            {
                Judging.Everybody => s_few,
                Judging.Optional => [Gallery.NoCertificate],
                _ => [Gallery.ServerCertificateUsedAsClient],
            },
            report.ToString());
        report.WithoutControl.Should().BeEmpty(report.ToString());
        report.Unclear.Should().BeEmpty(report.ToString());
    }

    [Test]
    public async Task One_that_trusts_another_authority_lets_nobody_in_and_proves_nothing(CancellationToken token)
    {
        var report = await RunAsync(Judging.WrongAuthority, token);

        report.IsClean.Should().BeFalse(report.ToString());
        report.WronglyLetIn.Should().BeEmpty(report.ToString());
        report.WithoutControl.Should().ContainSingle(report.ToString());
        report.Stopped.Should().Contain("two good peers in a row were not served");
    }

    [Test]
    public async Task One_that_asks_the_address_in_a_strangers_certificate_is_found_out(CancellationToken token)
    {
        if (kind != "kestrel")
        {
            Assert.Pass("It does not ask.");
        }

        var report = await RunAsync(Judging.Fetching, token, Gallery.MissingIntermediate);

        report.AddressesAsked.Should().BePositive(report.ToString());
        (report.IsClean, report.Results.Single().Bad).Should().Be((false, PeerOutcome.Refused), report.ToString());
    }

    private async Task<GalleryReport> RunAsync(Judging judging, CancellationToken token, params BadPeer[] peers)
    {
        var options = new GalleryRunOptions { Except = [.. Gallery.All.Except(peers is [] ? s_few : peers)], Patience = TimeSpan.FromSeconds(20) };
        return await GalleryRun.AgainstServerAsync(_authority, await _servers.StartAsync(judging), options, token);
    }
}
