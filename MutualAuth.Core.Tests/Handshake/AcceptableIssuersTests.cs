using MutualAuth.Handshake;
using MutualAuth.Testing;
using MutualAuth.Tests.Support;

namespace MutualAuth.Tests.Handshake;

/// <summary>Which of our identities fits what a server names.</summary>
public sealed class AcceptableIssuersTests
{
    private World _world = null!;

    [SetUp]
    public void SetUp() => _world = new World();

    [TearDown]
    public void TearDown() => _world.Dispose();

    [Test]
    public void An_identity_fits_when_its_issuer_or_that_of_an_intermediate_is_named_and_when_nobody_is()
    {
        using var intermediate = _world.Authority.IssueIntermediate();
        using var certificate = intermediate.IssueClient("client.test");
        var identity = World.ToIdentity(certificate);
        var (root, issuing, foreign) = (SubjectOf(_world.Authority), SubjectOf(intermediate), SubjectOf(_world.Foreign));
        new[] { root, issuing, foreign }.Should().OnlyHaveUniqueItems();

        AcceptableIssuers.Fit(identity, []).Should().BeTrue();
        AcceptableIssuers.Fit(identity, [foreign, issuing]).Should().BeTrue();
        AcceptableIssuers.Fit(identity, [foreign, root]).Should().BeTrue();
        AcceptableIssuers.Fit(identity, [foreign]).Should().BeFalse();
        AcceptableIssuers.Fit(identity, [issuing.ToUpperInvariant()]).Should().BeFalse("names are compared as they stand");

        static string SubjectOf(TestAuthority authority) => authority.AsCertificate.Certificate.Subject;
    }

    [Test]
    public void Names_are_prepared_once_for_each_set_of_anchors_and_only_where_they_are_to_be_sent()
    {
        var options = _world.ServerOptions;
        AcceptableIssuers.ContextOf(options, _world.ServerIdentity).Should().BeSameAs(_world.ServerIdentity.TlsContext);

        options = options with { SendAcceptableIssuers = true };
        var context = AcceptableIssuers.ContextOf(options, _world.ServerIdentity);

        context.Should().NotBeSameAs(_world.ServerIdentity.TlsContext);
        AcceptableIssuers.ContextOf(options, _world.ServerIdentity).Should().BeSameAs(context);
        AcceptableIssuers.ContextOf(options with { Trust = _world.Foreign.ToTrustAnchors() }, _world.ServerIdentity).Should().NotBeSameAs(context);
    }

    [TestCase(0, true)]
    [TestCase(1, false)]
    public void More_names_than_the_message_holds_are_not_sent(int more, bool areSent)
    {
        // Sixteen names; with the two octets of its length each takes 4,096, the last one less one.
        var authorities = Enumerable.Range(0, 16)
            .Select(number => new TestAuthority("x", spec => spec with { RawSubject = Organization(4094 - (number == 15 ? 1 - more : 0), number) }))
            .ToArray();
        var anchors = TrustAnchors.From([.. authorities.SelectMany(authority => authority.ToCertificateCollection())]);
        anchors.Certificates.Sum(anchor => anchor.Subject.RawData.Length + 2).Should().Be(0xffff + more);

        var context = AcceptableIssuers.ContextOf(
            _world.ServerOptions with { SendAcceptableIssuers = true, MaxAcceptableIssuerBytes = 0xffff, Trust = anchors }, _world.ServerIdentity);

        ReferenceEquals(context, _world.ServerIdentity.TlsContext).Should().Be(!areSent);
        Array.ForEach(authorities, authority => authority.Dispose());
    }

    /// <summary>A name of one organization, so many octets of DER.</summary>
    private static byte[] Organization(int length, int number)
    {
        byte[] text = [.. Enumerable.Repeat((byte)('a' + number), length - 21)];
        byte[] attribute = [6, 3, 0x55, 4, 10, .. Wrap(0x0c, text)];
        return Wrap(0x30, Wrap(0x31, Wrap(0x30, attribute)));

        static byte[] Wrap(byte tag, byte[] content) => [tag, 0x82, (byte)(content.Length >> 8), (byte)content.Length, .. content];
    }
}
