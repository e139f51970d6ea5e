using System.Runtime.Versioning;
using MutualAuth.Revocation;
using MutualAuth.Testing.Responders;
using MutualAuth.Tests.Support;

namespace MutualAuth.Tests.Revocation;

/// <summary>Last good lists that are kept in a directory: what the next start makes of them.</summary>
[CancelAfter(60_000)]
public sealed class KeptListsTests
{
    private static readonly (RejectionReason?, RejectionReason?) s_judgedByTheList = (null, RejectionReason.CertificateRevoked);

    private FetchWorld _world = null!;

    [SetUp]
    public void SetUp() => _world = new FetchWorld();

    [TearDown]
    public async Task TearDown() => await _world.DisposeAsync();

    private string Directory => _world.Folder["lists"];

    [Test]
    public async Task A_start_without_the_server_begins_with_the_last_good_list(CancellationToken cancellationToken)
    {
        await RunOnceAsync(cancellationToken);
        _world.Responder.Mode = ResponderMode.NotFound;

        await using var lists = Fetch();

        _world.Judge(lists).Should().Be(s_judgedByTheList);
        lists.Status[0].HasLists.Should().BeTrue();
        (await _world.Events.NextAsync(1643)).Values["Address"].Should().Be(_world.Responder.FullUri);
    }

    [Test]
    public async Task Without_a_directory_a_start_begins_with_nothing(CancellationToken cancellationToken)
    {
        await RunOnceAsync(cancellationToken);
        _world.Responder.Mode = ResponderMode.NotFound;

        await using var lists = _world.Fetch();

        lists.Current.Lists.Should().BeEmpty();
    }

    [Test]
    public async Task A_restart_does_not_forget_which_list_is_the_newest(CancellationToken cancellationToken)
    {
        await RunOnceAsync(cancellationToken);
        _world.Responder.Mode = ResponderMode.Stale;
        await using var lists = Fetch();

        (await lists.FetchAsync(cancellationToken)).Should().BeFalse();

        lists.Status[0].Failure.Should().Be(RevocationFetchFailure.Older);
        _world.Judge(lists).Should().Be(s_judgedByTheList);
    }

    [Test]
    public async Task A_forged_list_that_no_path_has_needed_takes_nobodys_place_after_a_restart_either(CancellationToken cancellationToken)
    {
        await using (var first = Fetch())
        {
            await first.FetchAsync(cancellationToken);
            _world.Judge(first).Should().Be(s_judgedByTheList);
            _world.Responder.Mode = ResponderMode.WrongSigner;
            await first.FetchAsync(cancellationToken);
        }

        _world.Responder.Mode = ResponderMode.NotFound;
        await using var lists = Fetch();

        _world.Judge(lists).Should().Be(s_judgedByTheList);
    }

    [Test]
    public async Task A_damaged_file_is_told_and_fetched_anew(CancellationToken cancellationToken)
    {
        await RunOnceAsync(cancellationToken);
        await File.WriteAllTextAsync(System.IO.Directory.GetFiles(Directory, "*.crl.pem").Single(), "-----BEGIN X509 CRL-----", cancellationToken);

        await using var lists = Fetch();
        await _world.Events.NextAsync(1644);
        (await lists.FetchAsync(cancellationToken)).Should().BeTrue();

        _world.Judge(lists).Should().Be(s_judgedByTheList);
    }

    [Test]
    public async Task A_kept_list_that_its_issuer_has_not_signed_is_not_used(CancellationToken cancellationToken)
    {
        _world.Responder.Mode = ResponderMode.WrongSigner;
        await RunOnceAsync(cancellationToken);
        _world.Responder.Mode = ResponderMode.NotFound;

        await using var lists = _world.Fetch(options => options with { Directory = Directory, Issuers = [_world.Issuer] });

        lists.Current.Lists.Should().BeEmpty();
        await _world.Events.NextAsync(1644);
    }

    [Test]
    public async Task Two_addresses_have_files_of_their_own(CancellationToken cancellationToken)
    {
        await using (var lists = _world.Fetch(options => options with
        {
            Directory = Directory,
            Addresses = [new Uri(_world.Responder.FullUri), new Uri(_world.Responder.FullUri + ".none"), new Uri(_world.RootResponder.FullUri)],
        }))
        {
            await lists.FetchAsync(cancellationToken);
        }

        System.IO.Directory.GetFiles(Directory, "*.crl.pem").Should().HaveCount(2, "one address gives nothing, and the others have their own");
    }

    [Test]
    [UnsupportedOSPlatform("windows")]
    [Platform(Exclude = "Win")]
    public void A_directory_that_every_user_may_write_is_refused()
    {
        System.IO.Directory.CreateDirectory(Directory);
        File.SetUnixFileMode(Directory, (UnixFileMode)0b111_111_111);

        FluentActions.Invoking(Fetch).Should().Throw<MaterialException>().Which.Problem.Should().Be(MaterialProblem.WritableByOthers);

        File.SetUnixFileMode(Directory, (UnixFileMode)0b111_111_101);
        FluentActions.Invoking(() => Fetch().Dispose()).Should().NotThrow();
    }

    [Test]
    public void A_file_in_place_of_the_directory_is_refused()
    {
        _world.Folder.Write("lists", "no directory");

        FluentActions.Invoking(Fetch).Should().Throw<MaterialException>().Which.Problem.Should().Be(MaterialProblem.Unreadable);
    }

    [Test]
    public async Task A_list_that_cannot_be_kept_is_in_force_all_the_same(CancellationToken cancellationToken)
    {
        _world.Responder.Mode = ResponderMode.NotFound;
        await using var lists = Fetch();
        await lists.FetchAsync(cancellationToken);
        System.IO.Directory.Delete(Directory, recursive: true);
        _world.Responder.Mode = ResponderMode.Normal;

        (await lists.FetchAsync(cancellationToken)).Should().BeTrue();

        _world.Judge(lists).Should().Be(s_judgedByTheList);
        await _world.Events.NextAsync(1645);
    }

    private FetchedRevocationLists Fetch() => _world.Fetch(options => options with { Directory = Directory });

    private async Task RunOnceAsync(CancellationToken cancellationToken)
    {
        await using var lists = Fetch();
        await lists.FetchAsync(cancellationToken);
    }
}
