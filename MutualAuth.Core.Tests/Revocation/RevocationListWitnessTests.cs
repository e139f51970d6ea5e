using System.Collections.Concurrent;
using System.Runtime.Versioning;
using MutualAuth.Revocation;
using MutualAuth.Testing;
using MutualAuth.Testing.Responders;
using MutualAuth.Testing.Revocation;
using MutualAuth.Tests.Support;

namespace MutualAuth.Tests.Revocation;

/// <summary>
/// Lists do not go back over a restart either, where a witness remembers them: each test is a run, a restart, and what is refused then.
/// </summary>
public sealed class RevocationListWitnessTests
{
    private static readonly DateTimeOffset s_now = new(2030, 6, 1, 12, 0, 0, TimeSpan.Zero);
    private static readonly DateTimeOffset s_made = s_now.AddHours(-1);
    private static readonly IssuingDistributionPoint s_users = new() { OnlyEndEntities = true };

    private readonly ConcurrentBag<RevocationListWitness> _opened = [];

    private RevocationWorld _world = null!;
    private TemporaryFolder _cabinet = null!;

    [SetUp]
    public void SetUp()
    {
        _world = new RevocationWorld();
        _cabinet = new TemporaryFolder();
        _cabinet.Clock.SetUtcNow(_world.Now);
        _cabinet.Write("root.crl", _world.RootCrl().Pem);
        RevocationListWitness.Create(Witness);
    }

    [TearDown]
    public async Task TearDown()
    {
        // A source that was disposed of may still have something written.
        await Task.WhenAll(_opened.Select(witness => witness.WrittenAsync())).WaitAsync(TimeSpan.FromSeconds(30));
        _opened.Clear();
        _cabinet.Dispose();
        _world.Dispose();
    }

    private string Witness => _cabinet["lists.witness"];

    private static IEnumerable<TestCaseData> Restarts()
    {
        yield return Case("the same list", crl => crl, isTaken: true);
        yield return Case("the next number", crl => crl with { Number = 7 }, isTaken: true);
        yield return Case("the same number and date", crl => crl with { Revoked = [] }, isTaken: true);
        yield return Case("a much higher number", crl => crl with { Number = 600 }, isTaken: true);
        yield return Case("an older number", crl => crl with { Number = 5 }, isTaken: false);
        yield return Case("an older number, made later", crl => crl with { Number = 5, ThisUpdate = s_made.AddMinutes(1) }, isTaken: false);
        yield return Case("the next number, made earlier", crl => crl with { Number = 7, ThisUpdate = s_made.AddSeconds(-1) }, isTaken: false);
        yield return Case("no number any more", crl => crl with { Number = null }, isTaken: false);
        yield return Case("the next number, run out", crl => crl with { Number = 7, NextUpdate = s_now.AddSeconds(-1) }, isTaken: false);
        yield return Case("another issuer", crl => crl with { Number = 7, Issuer = "CN=Somebody Else" }, isTaken: false);
        yield return Case("another scope", crl => crl with { Number = 7, IssuingDistributionPoint = s_users }, isTaken: false);
        yield return Case("only a delta", crl => crl with { Number = 7, DeltaBase = 6 }, isTaken: false);
    }

    private static TestCaseData Case(string name, Func<CrlSpec, CrlSpec> next, bool isTaken) =>
        new TestCaseData(next, isTaken).SetArgDisplayNames(name);

    [TestCaseSource(nameof(Restarts))]
    public void What_is_refused_in_one_process_is_refused_after_a_restart(Func<CrlSpec, CrlSpec> next, bool isTaken)
    {
        Run(Sixth);
        Put(crl => next(Sixth(crl)));

        if (isTaken)
        {
            Run();
            return;
        }

        FluentActions.Invoking(() => Run()).Should().Throw<MaterialException>().WithMessage("*lists.witness*");
        using var forgetful = new RevocationListFiles([_cabinet["root.crl"], _cabinet["issuing.crl"]], _cabinet.Options);
    }

    [Test]
    public void A_list_that_came_while_the_process_ran_is_remembered_too()
    {
        using (var files = Follow(Sixth))
        {
            Put(crl => Sixth(crl) with { Number = 7 });
            files.Reload().Should().BeTrue();
        }

        Put(Sixth);

        FluentActions.Invoking(() => Run()).Should().Throw<MaterialException>();
    }

    [Test]
    public void A_refused_start_teaches_the_witness_nothing()
    {
        Run(Sixth);
        Put(crl => Sixth(crl) with { Number = 900, ThisUpdate = s_made.AddSeconds(-1) });
        FluentActions.Invoking(() => Run()).Should().Throw<MaterialException>();

        Put(crl => Sixth(crl) with { Number = 7 });

        Run();
    }

    [Test]
    public void A_delta_that_was_in_force_does_not_go_missing([Values] bool isPutBack)
    {
        Put(crl => Sixth(crl) with { NextUpdate = s_now.AddDays(1) });
        _cabinet.Write("delta.crl", _world.IssuingCrl(crl => Sixth(crl) with { Number = 8, DeltaBase = 6 }).Pem);
        string[] paths = [_cabinet["root.crl"], _cabinet["issuing.crl"], _cabinet["delta.crl"]];
        using (new RevocationListFiles(paths, Opened(), _cabinet.Options))
        {
        }

        // What takes its place is an older delta, or the list of another authority.
        _cabinet.Write(
            "delta.crl",
            isPutBack ? _world.IssuingCrl(crl => Sixth(crl) with { Number = 7, DeltaBase = 6 }).Pem : _world.RootCrl().Pem);

        FluentActions.Invoking(() => new RevocationListFiles(paths, Opened(), _cabinet.Options))
            .Should().Throw<MaterialException>();
    }

    [Test]
    public void A_full_list_takes_a_deltas_place_over_a_restart()
    {
        Run(crl => Sixth(crl) with { DeltaBase = 5 });

        Run(crl => Sixth(crl) with { Number = 7 });
    }

    [Test]
    public void Each_key_of_an_issuer_has_a_list_of_its_own_over_a_restart([Values(8, 10)] int secondsNumber)
    {
        using var second = _world.Root.IssueIntermediate("Issuing");
        string Both(int ofFirst, int ofSecond) => _world.IssuingCrl(crl => Sixth(crl) with { Number = ofFirst }).Pem
            + second.IssueCrl(crl => Sixth(crl) with { Number = ofSecond }).Pem;
        _cabinet.Write("issuing.crl", Both(6, 9));
        Run();
        _cabinet.Write("issuing.crl", Both(10, secondsNumber));

        if (secondsNumber > 9)
        {
            Run();
        }
        else
        {
            FluentActions.Invoking(() => Run()).Should().Throw<MaterialException>();
        }
    }

    [Test]
    public void Files_of_other_names_are_measured_by_what_the_witness_has_seen([Values(5, 6)] int number)
    {
        Run(Sixth);
        _cabinet.Write("moved.crl", _world.IssuingCrl(crl => Sixth(crl) with { Number = number }).Pem);
        void Start() => new RevocationListFiles([_cabinet["moved.crl"]], Opened(), _cabinet.Options).Dispose();

        if (number == 6)
        {
            Start();
        }
        else
        {
            FluentActions.Invoking(Start).Should().Throw<MaterialException>();
        }
    }

    [Test]
    public async Task A_forged_number_that_a_path_has_refuted_holds_nobody_up_after_a_restart([Values] bool isRefuted)
    {
        var witness = Opened();
        using (var files = Follow(Revoking, witness))
        {
            _world.Judge(files)!.Reason.Should().Be(RejectionReason.CertificateRevoked);
            Put(crl => Sixth(crl) with { Number = 1000, SigningKey = TestKey.Generate() });
            files.Reload().Should().BeTrue();
            if (isRefuted)
            {
                _world.Judge(files)!.Reason.Should().Be(RejectionReason.CertificateRevoked);
            }

            await witness.WrittenAsync().WaitAsync(TimeSpan.FromSeconds(30));
        }

        Put(crl => Sixth(crl) with { Number = 7 });
        if (isRefuted)
        {
            Run();
        }
        else
        {
            FluentActions.Invoking(() => Run()).Should().Throw<MaterialException>("nobody has shown yet that it is forged");
        }

        Put(crl => Sixth(crl) with { Number = 5 });
        FluentActions.Invoking(() => Run()).Should().Throw<MaterialException>("the sixth list was proven");
    }

    [Test]
    public async Task A_proven_list_is_not_forgotten_because_a_later_run_meets_a_path_with_another_key()
    {
        using var second = _world.Root.IssueIntermediate("Issuing");
        using var stranger = second.IssueClient("client.test");
        var witness = Opened();
        using (var files = Follow(Sixth, witness))
        {
            _world.Judge(files).Should().BeNull();
            await witness.WrittenAsync().WaitAsync(TimeSpan.FromSeconds(30));
        }

        // The very same octets: a list that is signed anew is another one, with the proven one in reserve.
        witness = Opened();
        using (var files = Follow(witness: witness))
        {
            _world.Judge(_world.Options(files), peer: stranger)!.Reason.Should().Be(RejectionReason.RevocationStatusUnknown);
            await witness.WrittenAsync().WaitAsync(TimeSpan.FromSeconds(30));
        }

        Put(crl => Sixth(crl) with { Number = 5 });
        FluentActions.Invoking(() => Run()).Should().Throw<MaterialException>();
    }

    [Test]
    public void Two_programs_share_a_witness_and_the_one_that_is_behind_takes_nothing_away()
    {
        using (var behind = Follow(Sixth))
        {
            Put(crl => Sixth(crl) with { Number = 9 });
            Run();
            _cabinet.Write("root.crl", _world.RootCrl().Pem);
            Put(crl => Sixth(crl) with { Number = 7 });
            behind.Reload();
        }

        Put(crl => Sixth(crl) with { Number = 8 });
        FluentActions.Invoking(() => Run()).Should().Throw<MaterialException>();
    }

    [Test]
    public async Task Programs_that_write_at_once_lose_nothing_of_each_other()
    {
        string ListOf(int authority, int number) => _cabinet.Write(
            $"{authority}.crl", _world.IssuingCrl(crl => Sixth(crl) with { Number = number, Issuer = $"CN=Authority {authority}" }).Pem);
        var paths = Enumerable.Range(0, 8).Select(authority => ListOf(authority, 10 + authority)).ToArray();

        await Task.WhenAll(paths.Select(path => Task.Run(() =>
            new RevocationListFiles([path], Opened(), _cabinet.Options).Dispose()))).WaitAsync(TimeSpan.FromSeconds(60));

        for (var number = 0; number < paths.Length; number++)
        {
            ListOf(number, 9);
            FluentActions.Invoking(() => new RevocationListFiles([paths[number]], Opened(), _cabinet.Options))
                .Should().Throw<MaterialException>();
        }
    }

    [Test]
    public void A_missing_witness_is_no_first_start()
    {
        Run(Sixth);
        File.Delete(Witness);

        FluentActions.Invoking(() => RevocationListWitness.Open(Witness)).Should().Throw<MaterialException>()
            .Which.Problem.Should().Be(MaterialProblem.Unreadable);
        File.Exists(Witness).Should().BeFalse();
    }

    [Test]
    public void A_witness_that_exists_is_not_made_anew()
    {
        Run(Sixth);

        FluentActions.Invoking(() => RevocationListWitness.Create(Witness)).Should().Throw<MaterialException>();
        Put(crl => Sixth(crl) with { Number = 5 });
        FluentActions.Invoking(() => Run()).Should().Throw<MaterialException>();
    }

    [Test]
    public void No_octet_of_a_witness_may_change_or_be_missing_and_none_may_come()
    {
        Run(Sixth);
        var content = File.ReadAllBytes(Witness);

        for (var at = 0; at < content.Length; at++)
        {
            var damaged = content.ToArray();
            damaged[at] ^= 1;
            Opening(damaged).Should().Throw<MaterialException>($"octet {at} is another");
        }

        for (var length = 0; length < content.Length; length++)
        {
            Opening(content[..length]).Should().Throw<MaterialException>($"only {length} octets are there");
        }

        Opening([.. content, (byte)'\n']).Should().Throw<MaterialException>();
        Opening([.. content, .. content]).Should().Throw<MaterialException>();
        Opening(new byte[5 * 1024 * 1024]).Should().Throw<MaterialException>();
        Opening(content).Should().NotThrow();

        Action Opening(byte[] octets) => () =>
        {
            File.WriteAllBytes(Witness, octets);
            RevocationListWitness.Open(Witness);
        };
    }

    [Test]
    public void A_list_that_the_witness_cannot_record_is_in_force_and_its_source_says_so()
    {
        using var files = Follow(Sixth);
        var heard = new Heard(files);
        File.Delete(Witness);

        Put(crl => Revoking(crl) with { Number = 7 });
        files.Reload().Should().BeTrue();

        _world.Judge(files)!.Reason.Should().Be(RejectionReason.CertificateRevoked, "a newer list is no step back");
        files.LastFailure.Should().NotBeNull();
        heard.Refused.Should().BeEmpty("nothing was refused");
        File.Exists(Witness).Should().BeFalse("it is never made anew unseen");
    }

    [Test]
    public void A_record_that_failed_is_tried_again_until_it_is_written()
    {
        using (var files = Follow(Sixth))
        {
            var kept = File.ReadAllBytes(Witness);
            File.Delete(Witness);
            Put(crl => Sixth(crl) with { Number = 7 });
            files.Reload().Should().BeTrue();
            File.WriteAllBytes(Witness, kept);
            if (!OperatingSystem.IsWindows())
            {
                File.SetUnixFileMode(Witness, UnixFileMode.UserRead | UnixFileMode.UserWrite);
            }

            _cabinet.Clock.Advance(TimeSpan.FromSeconds(11));
        }

        Put(Sixth);
        FluentActions.Invoking(() => Run()).Should().Throw<MaterialException>();
    }

    /// <summary>Another source may follow the same files by then, and its record is the newer one.</summary>
    [Test]
    public void A_source_that_was_disposed_of_does_not_try_again([Values("after its start", "at its start")] string when)
    {
        var witness = Opened();
        var files = when == "at its start" ? null : Follow(Sixth, witness);
        Put(crl => Sixth(crl) with { Number = 7 });
        var before = File.ReadAllBytes(Witness);
        KeepFromWriting();
        if (files is null)
        {
            FluentActions.Invoking(() => Follow(witness: witness)).Should().Throw<MaterialException>();
        }
        else
        {
            files.Reload().Should().BeTrue();
            files.LastFailure.Should().NotBeNull("it is not recorded");
            files.Dispose();
        }

        Directory.Delete(Witness + ".lock");
        _cabinet.Clock.Advance(TimeSpan.FromSeconds(31));

        File.ReadAllBytes(Witness).Should().Equal(before);
    }

    [Test]
    [CancelAfter(60_000)]
    public async Task Fetched_lists_that_were_disposed_of_do_not_try_again(CancellationToken cancellationToken)
    {
        await using var world = new FetchWorld();
        var lists = world.Fetch(options => options with { Witness = Opened() });
        await lists.FetchAsync(cancellationToken);
        var before = await File.ReadAllBytesAsync(Witness, cancellationToken);
        KeepFromWriting();
        using var other = world.World.Issue();
        world.World.Issuing.Revoke(other);
        await lists.FetchAsync(cancellationToken);
        await world.Events.NextAsync(1645);

        await lists.DisposeAsync();
        Directory.Delete(Witness + ".lock");
        world.Clock.Advance(TimeSpan.FromSeconds(31));

        File.ReadAllBytes(Witness).Should().Equal(before);
    }

    [Test]
    [UnsupportedOSPlatform("windows")]
    public void A_witness_is_its_owners_alone([Values(UnixFileMode.GroupWrite, UnixFileMode.OtherWrite)] UnixFileMode mode)
    {
        const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        Run(Sixth);
        File.GetUnixFileMode(Witness).Should().Be(OwnerOnly);

        File.SetUnixFileMode(Witness, OwnerOnly | mode);

        FluentActions.Invoking(() => RevocationListWitness.Open(Witness)).Should().Throw<MaterialException>()
            .Which.Problem.Should().Be(MaterialProblem.WritableByOthers);
    }

    [Test]
    [CancelAfter(60_000)]
    public async Task Fetched_lists_do_not_go_back_over_a_restart_whatever_became_of_their_directory(
        [Values] bool hasDirectory, CancellationToken cancellationToken)
    {
        await using var world = new FetchWorld();
        var directory = hasDirectory ? world.Folder["lists"] : null;
        FetchedRevocationLists Fetch() => world.Fetch(
            options => options with { Directory = directory, Witness = Opened() });
        await using (var first = Fetch())
        {
            (await first.FetchAsync(cancellationToken)).Should().BeTrue();
        }

        if (hasDirectory)
        {
            Directory.Delete(directory!, recursive: true);
        }

        world.Responder.Mode = ResponderMode.Stale;
        await using (var stale = Fetch())
        {
            (await stale.FetchAsync(cancellationToken)).Should().BeFalse();
            stale.Status[0].Failure.Should().Be(RevocationFetchFailure.Older);
            world.Judge(stale).Good.Should().Be(RejectionReason.RevocationStatusUnknown);
        }

        world.Responder.Mode = ResponderMode.Normal;
        await using var again = Fetch();
        (await again.FetchAsync(cancellationToken)).Should().BeTrue();
    }

    [Test]
    [CancelAfter(60_000)]
    public async Task A_directory_that_was_put_back_is_not_recalled(CancellationToken cancellationToken)
    {
        await using var world = new FetchWorld();
        FetchedRevocationLists Fetch() => world.Fetch(
            options => options with { Directory = world.Folder["lists"], Witness = Opened() });
        await using (var first = Fetch())
        {
            await first.FetchAsync(cancellationToken);
        }

        var old = Directory.GetFiles(world.Folder["lists"], "*.crl.pem").ToDictionary(file => file, File.ReadAllText);
        world.Advance(TimeSpan.FromMinutes(10));
        using var other = world.World.Issue();
        world.World.Issuing.Revoke(other);
        await using (var second = Fetch())
        {
            (await second.FetchAsync(cancellationToken)).Should().BeTrue();
        }

        foreach (var (file, text) in old)
        {
            File.WriteAllText(file, text);
        }

        world.Responder.Mode = ResponderMode.NotFound;
        await using var lists = Fetch();
        lists.Current.Lists.Should().BeEmpty();
    }

    [Test]
    [CancelAfter(60_000)]
    public async Task A_forged_list_in_the_directory_still_has_the_proven_one_beside_it(CancellationToken cancellationToken)
    {
        await using var world = new FetchWorld();
        FetchedRevocationLists Fetch() => world.Fetch(
            options => options with { Directory = world.Folder["lists"], Witness = Opened() });
        await using (var first = Fetch())
        {
            await first.FetchAsync(cancellationToken);
            world.Judge(first).Should().Be((null, RejectionReason.CertificateRevoked));
            world.Responder.Mode = ResponderMode.WrongSigner;
            await first.FetchAsync(cancellationToken);
        }

        world.Responder.Mode = ResponderMode.NotFound;
        await using var lists = Fetch();

        world.Judge(lists).Should().Be((null, RejectionReason.CertificateRevoked));
    }

    private static CrlSpec Sixth(CrlSpec crl) => crl with { Number = 6, ThisUpdate = s_made, Revoked = [] };

    private CrlSpec Revoking(CrlSpec crl) => Sixth(crl) with { Revoked = [new RevokedCertificate(_world.Client.SerialNumber, s_made)] };

    private RevocationListWitness Opened()
    {
        var witness = RevocationListWitness.Open(Witness);
        _opened.Add(witness);
        return witness;
    }

    /// <summary>It can be read, and its lock cannot be had.</summary>
    private void KeepFromWriting()
    {
        File.Delete(Witness + ".lock");
        Directory.CreateDirectory(Witness + ".lock");
    }

    private RevocationListFiles Follow(Func<CrlSpec, CrlSpec>? spec = null, RevocationListWitness? witness = null)
    {
        if (spec is not null)
        {
            Put(spec);
        }

        return new RevocationListFiles(
            [_cabinet["root.crl"], _cabinet["issuing.crl"]], witness ?? Opened(), _cabinet.Options);
    }

    /// <summary>One run of a program, from its start to its end.</summary>
    private void Run(Func<CrlSpec, CrlSpec>? spec = null) => Follow(spec).Dispose();

    private void Put(Func<CrlSpec, CrlSpec> spec) => _cabinet.Rename("issuing.crl", _world.IssuingCrl(spec).Pem);
}
