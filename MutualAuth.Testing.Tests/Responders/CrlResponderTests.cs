using System.Diagnostics.CodeAnalysis;
using System.Net;
using System.Security.Cryptography.X509Certificates;
using Microsoft.Extensions.Time.Testing;
using MutualAuth.Testing.Responders;
using MutualAuth.Testing.Tests.Support;
using Org.BouncyCastle.Asn1;
using Org.BouncyCastle.Asn1.X509;
using Org.BouncyCastle.X509;

namespace MutualAuth.Testing.Tests.Responders;

[CancelAfter(20000)]
public sealed class CrlResponderTests
{
    private static readonly HttpClient s_http = new(new SocketsHttpHandler { AllowAutoRedirect = false });

    [Test]
    public async Task A_revocation_shows_in_the_next_answer(CancellationToken token)
    {
        using var authority = new TestAuthority();
        using var leaf = authority.IssueClient("client.test");
        await using var responder = new CrlResponder(authority);

        IsRevoked(await FetchAsync(responder.FullUri, token), leaf).Should().BeFalse();
        authority.Revoke(leaf);
        IsRevoked(await FetchAsync(responder.FullUri, token), leaf).Should().BeTrue();
        authority.Reinstate(leaf);
        IsRevoked(await FetchAsync(responder.FullUri, token), leaf).Should().BeFalse();
        responder.Hits.Should().Be(3);
    }

    [Test]
    public async Task A_delta_CRL_holds_what_has_changed_since_its_base(CancellationToken token)
    {
        using var authority = new TestAuthority();
        using var held = authority.IssueClient("held.test");
        using var fresh = authority.IssueClient("fresh.test");
        using var old = authority.IssueClient("old.test");
        authority.Revoke(held, X509RevocationReason.CertificateHold);
        authority.Revoke(old);
        await using var responder = new CrlResponder(authority);
        authority.Reinstate(held);
        authority.Revoke(fresh);

        var full = await FetchAsync(responder.BaseCrlUri, token);
        var delta = await FetchAsync(responder.DeltaUri, token);

        NumberIn(delta, X509Extensions.DeltaCrlIndicator).Should().Be(NumberIn(full, X509Extensions.CrlNumber));
        (IsRevoked(full, held), IsRevoked(full, old), IsRevoked(full, fresh)).Should().Be((true, true, false));
        IsRevoked(delta, fresh).Should().BeTrue();
        IsRevoked(delta, old).Should().BeFalse();
        var removal = delta.GetRevokedCertificate(new Org.BouncyCastle.Math.BigInteger(held.SerialNumber.ToString(null, null)));
        DerEnumerated.GetInstance(Parse(removal.GetExtensionValue(X509Extensions.ReasonCode))).IntValueExact.Should().Be(CrlReason.RemoveFromCrl);
    }

    [Test]
    public async Task Partitions_share_the_revoked_certificates_out_between_them(CancellationToken token)
    {
        using var authority = new TestAuthority();
        using var intermediate = authority.IssueIntermediate();
        using var leaf = authority.IssueClient("client.test");
        authority.Revoke(leaf);
        authority.Revoke(intermediate.AsCertificate);
        await using var responder = new CrlResponder(authority);

        var endEntities = await FetchAsync(responder.EndEntitiesUri, token);
        var authorities = await FetchAsync(responder.AuthoritiesUri, token);
        var own = await FetchAsync(responder.PartitionUri(leaf.SerialNumber), token);
        var next = await FetchAsync(responder.PartitionUri(leaf.SerialNumber + 1), token);

        (IsRevoked(endEntities, leaf), IsRevoked(endEntities, intermediate.AsCertificate)).Should().Be((true, false));
        (IsRevoked(authorities, leaf), IsRevoked(authorities, intermediate.AsCertificate)).Should().Be((false, true));
        (IsRevoked(own, leaf), IsRevoked(next, leaf)).Should().Be((true, false));
        IssuingDistributionPoint.GetInstance(Parse(endEntities.GetExtensionValue(X509Extensions.IssuingDistributionPoint)))
            .OnlyContainsUserCerts.Should().BeTrue();
    }

    [Test]
    public async Task What_is_not_served_is_not_found(CancellationToken token)
    {
        using var authority = new TestAuthority();
        await using var responder = new CrlResponder(authority);

        using var answer = await s_http.GetAsync(new Uri(responder.BaseUri, "partition-4.crl"), token);

        answer.StatusCode.Should().Be(HttpStatusCode.NotFound);
    }

    [Test]
    public async Task A_stale_CRL_and_a_forged_one_are_just_that(CancellationToken token)
    {
        var now = new DateTimeOffset(2030, 1, 1, 0, 0, 0, TimeSpan.Zero);
        using var authority = new TestAuthority(timeProvider: new FakeTimeProvider(now));
        await using var responder = new CrlResponder(authority);
        var key = new Org.BouncyCastle.X509.X509Certificate(authority.AsCertificate.RawCertificate.ToArray()).GetPublicKey();

        responder.Mode = ResponderMode.Stale;
        var stale = await FetchAsync(responder.FullUri, token);
        responder.Mode = ResponderMode.WrongSigner;
        var forged = await FetchAsync(responder.FullUri, token);

        (stale.NextUpdate < now.UtcDateTime, stale.IsSignatureValid(key)).Should().Be((true, true));
        (forged.NextUpdate < now.UtcDateTime, forged.IsSignatureValid(key)).Should().Be((false, false));
    }

    [Test]
    public async Task A_stale_CRL_does_not_know_what_came_later(CancellationToken token)
    {
        var clock = new FakeTimeProvider(new DateTimeOffset(2030, 1, 1, 0, 0, 0, TimeSpan.Zero));
        using var authority = new TestAuthority(timeProvider: clock);
        using var old = authority.IssueClient("old.test");
        using var late = authority.IssueClient("late.test");
        authority.Revoke(old);
        await using var responder = new CrlResponder(authority) { Mode = ResponderMode.Stale };
        clock.Advance(TimeSpan.FromDays(60));
        authority.Revoke(late);

        var stale = await FetchAsync(responder.FullUri, token);

        (IsRevoked(stale, old), IsRevoked(stale, late)).Should().Be((true, false));
        stale.GetRevokedCertificates().Should().OnlyContain(entry => entry.RevocationDate <= stale.ThisUpdate);
    }

    [Test]
    public async Task The_base_is_what_it_was_when_it_was_made_its_dates_included(CancellationToken token)
    {
        var clock = new FakeTimeProvider(new DateTimeOffset(2030, 1, 1, 0, 0, 0, TimeSpan.Zero));
        using var authority = new TestAuthority(timeProvider: clock);
        using var leaf = authority.IssueClient("leaf.test");
        await using var responder = new CrlResponder(authority);
        var before = await FetchAsync(responder.BaseCrlUri, token);
        clock.Advance(TimeSpan.FromDays(1));
        authority.Revoke(leaf);

        var after = await FetchAsync(responder.BaseCrlUri, token);
        responder.Rebase();
        var rebased = await FetchAsync(responder.BaseCrlUri, token);

        (after.ThisUpdate, after.NextUpdate).Should().Be((before.ThisUpdate, before.NextUpdate), "it does not know of what came later");
        (IsRevoked(after, leaf), IsRevoked(rebased, leaf)).Should().Be((false, true));
        rebased.ThisUpdate.Should().Be(clock.GetUtcNow().UtcDateTime);
    }

    [TestCase("//full.crl")]
    [TestCase("/full.crl")]
    [TestCase("http://elsewhere.test//full.crl")]
    public async Task A_redirection_leads_to_the_same_place_however_many_slashes_the_path_begins_with(string target, CancellationToken token)
    {
        using var authority = new TestAuthority();
        await using var responder = new CrlResponder(authority) { Mode = ResponderMode.Redirect };

        var answer = await RawHttp.AskAsync(responder.BaseUri, $"GET {target} HTTP/1.1\r\nHost: x\r\n\r\n", token);

        var location = new Uri(new Uri(responder.BaseUri, "somewhere"), answer.Field("Location"));
        (location.Authority, location.AbsolutePath.TrimStart('/')).Should().Be((responder.BaseUri.Authority, "full.crl"));
    }

    [Test]
    public async Task Values_that_mean_nothing_are_refused_where_they_are_set()
    {
        using var authority = new TestAuthority();
        await using var responder = new CrlResponder(authority);

        ShouldBeRefused(() => _ = new CrlResponder(authority) { Partitions = 0 });
        ShouldBeRefused(() => _ = new CrlResponder(authority) { Partitions = -3 });
        ShouldBeRefused(() => responder.Delay = TimeSpan.FromTicks(-1));
        ShouldBeRefused(() => responder.Delay = TimeSpan.MaxValue);
        ShouldBeRefused(() => responder.OversizedLength = -1);
        ShouldBeRefused(() => responder.Mode = default);
        ShouldBeRefused(() => responder.Mode = (ResponderMode)99);
        (responder.Mode, responder.Delay, responder.OversizedLength).Should().Be((ResponderMode.Normal, TimeSpan.FromSeconds(2), 64L << 20));

        static void ShouldBeRefused(Action set) => set.Should().Throw<ArgumentOutOfRangeException>();
    }

    [Test]
    [SuppressMessage("Style", "IDE0042", Justification = "One value per mode reads best.")]
    public async Task Each_way_to_misbehave_shows(CancellationToken token)
    {
        using var authority = new TestAuthority();
        await using var responder = new CrlResponder(authority) { OversizedLength = 1_000_000 };

        responder.Mode = ResponderMode.NotFound;
        (await s_http.GetAsync(new Uri(responder.FullUri), token)).StatusCode.Should().Be(HttpStatusCode.NotFound);
        responder.Mode = ResponderMode.Redirect;
        (await s_http.GetAsync(new Uri(responder.FullUri), token)).StatusCode.Should().Be(HttpStatusCode.Found);
        responder.Mode = ResponderMode.Garbage;
        await FluentActions.Awaiting(() => FetchAsync(responder.FullUri, token)).Should().ThrowAsync<Exception>();
        responder.Mode = ResponderMode.Truncated;
        await FluentActions.Awaiting(() => s_http.GetByteArrayAsync(new Uri(responder.FullUri), token)).Should().ThrowAsync<HttpRequestException>();
        responder.Mode = ResponderMode.Oversized;
        (await s_http.GetByteArrayAsync(new Uri(responder.FullUri), token)).Should().HaveCount(1_000_000);
        responder.Mode = ResponderMode.Normal;
        (await FetchAsync(responder.FullUri, token)).Should().NotBeNull();
    }

    [Test]
    public async Task A_slow_answer_comes_when_the_clock_says_so_and_a_hanging_one_never(CancellationToken token)
    {
        var clock = new FakeTimeProvider(DateTimeOffset.UtcNow);
        using var authority = new TestAuthority(timeProvider: clock);
        var responder = new CrlResponder(authority) { Mode = ResponderMode.Slow };

        var slow = FetchAsync(responder.FullUri, token);
        while (!slow.IsCompleted)
        {
            if (responder.Hits == 1)
            {
                clock.Advance(TimeSpan.FromSeconds(1));
            }

            await Task.Yield();
        }

        await slow;
        (clock.GetUtcNow() - clock.Start).Should().BeGreaterThanOrEqualTo(TimeSpan.FromSeconds(2));

        responder.Mode = ResponderMode.Hang;
        var hanging = FetchAsync(responder.FullUri, token);
        while (responder.Hits < 2)
        {
            await Task.Yield();
        }

        clock.Advance(TimeSpan.FromDays(1));
        hanging.IsCompleted.Should().BeFalse();
        await responder.DisposeAsync();
        await FluentActions.Awaiting(() => hanging).Should().ThrowAsync<HttpRequestException>();
    }

    [Test]
    public async Task The_trap_counts_who_falls_for_it(CancellationToken token)
    {
        using var authority = new TestAuthority();
        await using var trap = new AiaTrap(authority.AsCertificate.RawCertificate);
        using var leaf = authority.Issue(trap.Bait);

        trap.Hits.Should().Be(0);
        var access = leaf.Certificate.Extensions.OfType<X509AuthorityInformationAccessExtension>().Single();
        var fetched = await s_http.GetByteArrayAsync(new Uri(access.EnumerateCAIssuersUris().Single()), token);

        fetched.Should().Equal(authority.AsCertificate.RawCertificate.ToArray());
        trap.Hits.Should().Be(1);
        access.EnumerateOcspUris().Should().Equal(trap.OcspUri);
    }

    private static async Task<X509Crl> FetchAsync(string uri, CancellationToken token) => new(await s_http.GetByteArrayAsync(new Uri(uri), token));

    private static bool IsRevoked(X509Crl crl, TestCertificate certificate) =>
        crl.IsRevoked(new Org.BouncyCastle.X509.X509Certificate(certificate.RawCertificate.ToArray()));

    private static Org.BouncyCastle.Math.BigInteger NumberIn(X509Crl crl, DerObjectIdentifier oid) =>
        DerInteger.GetInstance(Parse(crl.GetExtensionValue(oid))).Value;

    private static Asn1Object Parse(Asn1OctetString value) => Asn1Object.FromByteArray(value.GetOctets());
}
