using System.Security.Authentication;
using System.Text;
using MutualAuth.Credentials;
using MutualAuth.Paths;
using MutualAuth.Revocation;
using MutualAuth.Testing;
using MutualAuth.Testing.Transports;
using MutualAuth.Tests.Support;

namespace MutualAuth.Tests.Scenarios;

/// <summary>
/// Both ends with ML-DSA identities over real sockets: handshake, login, step-up, revocation of a live connection, all within the default bounds.
/// Where the platform has no ML-DSA, no identity of that kind comes into being, and a peer that has one is rejected as not supported.
/// </summary>
[CancelAfter(60_000)]
public sealed class MLDsaHandshakeTests
{
    private static readonly byte[] s_transaction = Encoding.UTF8.GetBytes("pay 100 to bob");

    private TestAuthority _root = null!;
    private TestAuthority _issuing = null!;

    [TearDown]
    public void TearDown()
    {
        _issuing?.Dispose();
        _root?.Dispose();
    }

    [Test]
    public async Task Both_ends_know_each_other_by_such_certificates_and_an_impostors_are_refused(
        [Values(KeyAlgorithm.MLDsa44, KeyAlgorithm.MLDsa65, KeyAlgorithm.MLDsa87)] KeyAlgorithm set)
    {
        Build(set);
        using var foreign = PostQuantum.Root(KeyAlgorithm.EcdsaP256);
        using var stranger = PostQuantum.Client(foreign, set);
        using var client = PostQuantum.Client(_issuing, set);
        if (MustNotBe(client))
        {
            return;
        }

        await using var ends = await ConnectedPair.ShakeAsync(ClientOptions(client), ServerOptions(set));
        await using var refused = await ConnectedPair.ShakeAsync(ClientOptions(stranger), ServerOptions(set));

        ends.Server.Accepted.Peer.Name.Should().Be("client.test");
        ends.Client.Accepted.Peer.Name.Should().Be("server.test");
        ends.Client.Accepted.IsConfirmed.Should().BeTrue();
        refused.Server.Refusal.Reason.Should().Be(RejectionReason.UnknownAuthority);
        refused.Client.Refusal.Reason.Should().Be(RejectionReason.RefusedByPeer);
    }

    [Test]
    public async Task A_login_is_bound_by_our_own_binding_and_a_step_up_by_it_too()
    {
        const KeyAlgorithm Set = KeyAlgorithm.MLDsa65;
        Build(Set);
        using var client = PostQuantum.Client(_issuing, Set);
        if (MustNotBe(client))
        {
            return;
        }

        var users = await TestUsers.CreateAsync();
        var policy = Require.CertificateAndUser(SaslServer.Scram(users)) with
        {
            DecoyIterations = ScramVerifier.MinIterations,
            ChannelBinding = ChannelBindingPolicy.Required,
        };
        var login = Login.WithPassword("alice", "right");
        await using var ends = await ConnectedPair.ShakeAsync(
            ClientOptions(client) with { Credentials = login }, ServerOptions(Set) with { Credentials = policy });

        ends.Server.Accepted.Peer.User!.Proofs.Should().Be(PeerProofs.Password | PeerProofs.ChannelBinding);
        (await StepUpAsync(ends, login, s_transaction)).Should().BeTrue();
        (await StepUpAsync(ends, login, Encoding.UTF8.GetBytes("pay 1000 to bob"))).Should().BeFalse("the user was shown another");
    }

    [Test]
    public async Task A_revoked_certificate_ends_its_live_connection_and_another_stays()
    {
        const KeyAlgorithm Set = KeyAlgorithm.MLDsa44;
        Build(Set);
        using var bad = PostQuantum.Client(_issuing, Set);
        using var good = PostQuantum.Client(_issuing, Set);
        if (MustNotBe(bad))
        {
            return;
        }

        var lists = new ReloadableLists(CurrentLists());
        var ended = new TaskCompletionSource<MutualTlsConnection>(TaskCreationOptions.RunContinuationsAsynchronously);
        var server = new MutualTlsServer(ServerOptions(Set) with
        {
            Revocation = new RevocationPolicy { Lists = lists },
            Revalidation = new RevalidationPolicy { OnInvalidated = connection => ended.TrySetResult(connection) },
        });
        await using var first = await ShakeAsync(server, bad);
        await using var second = await ShakeAsync(server, good);

        _issuing.Revoke(bad);
        lists.Replace(CurrentLists());

        var connection = await ended.Task.WaitAsync(ConnectedPair.Deadline);
        connection.Should().BeSameAs(first.Server.Accepted);
        connection.Invalidation!.Rejection.Reason.Should().Be(RejectionReason.CertificateRevoked);
        second.Server.Accepted.Invalidation.Should().BeNull();
    }

    [Test]
    public async Task Under_CNSA_2_one_classical_signature_is_refused_and_ML_DSA_87_alone_is_let_in([Values] bool isMixed)
    {
        const KeyAlgorithm Set = KeyAlgorithm.MLDsa87;
        Build(Set);
        using var middle = PostQuantum.Below(_root, isMixed ? KeyAlgorithm.EcdsaP384 : Set);
        using var client = PostQuantum.Client(middle, Set);
        if (MustNotBe(client))
        {
            return;
        }

        await using var ends = await ConnectedPair.ShakeAsync(
            ClientOptions(client), ServerOptions(Set) with { Profile = ValidationProfile.Cnsa2, MinimumTlsVersion = TlsVersion.Tls13 });

        (ends.Server.Failure as HandshakeException)?.Reason.Should().Be(RejectionReason.AlgorithmNotPermitted);
        (ends.Server.Connection is null).Should().Be(isMixed);
        (ends.Client.Connection is null).Should().Be(isMixed);
    }

    /// <summary>BouncyCastle presents it on every platform, so the platform that cannot verify it must refuse it.</summary>
    [Test]
    public async Task A_peer_with_a_TLS_of_its_own_is_accepted_where_the_platform_can_verify_it_and_nowhere_else()
    {
        using var world = new World();
        using var client = PostQuantum.Client(world.Authority, KeyAlgorithm.MLDsa65);
        await using var wire = new DuplexPair();
        var serving = End.OfAsync(new MutualTlsServer(world.ServerOptions).AcceptAsync(wire.Server));

        try
        {
            await LooseTlsPeer.ConnectAsync(wire.Client, client).WaitAsync(ConnectedPair.Deadline);
        }
        catch (Exception exception) when (exception is LooseTlsException or IOException or AuthenticationException)
        {
            // OpenSSL 3.0 does not know the scheme of its signature, and ends the handshake.
        }

        var server = await serving;
        (server.Connection is not null).Should().Be(PostQuantum.IsHere, server.Failure?.ToString());
        if (server.Connection is { } connection)
        {
            connection.Peer.Name.Should().Be("client.test");
            connection.Abort();
        }
    }

    private void Build(KeyAlgorithm set)
    {
        _root = PostQuantum.Root(set);
        _issuing = PostQuantum.Below(_root, set);
    }

    /// <summary>Whether there is no such identity, which is asserted then.</summary>
    private static bool MustNotBe(TestCertificate certificate)
    {
        if (!PostQuantum.IsHere)
        {
            FluentActions.Invoking(() => Identity.FromPem(certificate.ChainPem, certificate.PrivateKeyPem)).Should().Throw<MaterialException>()
                .WithMessage("*OpenSSL 3.5*");
        }

        return !PostQuantum.IsHere;
    }

    private MutualTlsClientOptions ClientOptions(TestCertificate client) => new()
    {
        Identity = World.ToIdentity(client),
        Trust = _root.ToTrustAnchors(),
        Authorization = Authorize.ServerName,
        CloseTimeout = World.Moment,
    };

    private MutualTlsServerOptions ServerOptions(KeyAlgorithm set)
    {
        using var certificate = PostQuantum.Client(
            _issuing,
            set,
            spec => spec with { Subject = "CN=server.test", DnsNames = ["server.test"], ExtendedKeyUsages = [ExtendedKeyUsage.ServerAuth] });
        return new()
        {
            Identity = Identity.FromPem(certificate.ChainPem, certificate.PrivateKeyPem),
            Trust = _root.ToTrustAnchors(),
            Authorization = Authorize.AnyTrustedPeer,
            CloseTimeout = World.Moment,
        };
    }

    private RevocationLists CurrentLists() => RevocationLists.FromDer(_root.IssueCrl().Raw, _issuing.IssueCrl().Raw);

    private async Task<ConnectedPair> ShakeAsync(MutualTlsServer server, TestCertificate client)
    {
        var (clientSocket, serverSocket) = await ConnectedPair.SocketPairAsync();
        return await ConnectedPair.ShakeAsync(
            new MutualTlsClient(ClientOptions(client)).UpgradeAsync(clientSocket, "server.test"), server.AcceptAsync(serverSocket));
    }

    private static async Task<bool> StepUpAsync(ConnectedPair ends, ClientCredentials credentials, byte[] shown)
    {
        await using var verifier = ends.Server.Accepted.BeginStepUp(s_transaction);
        using var responder = ends.Client.Accepted.AnswerStepUp(credentials, shown);
        var message = verifier.FirstMessage;
        while (!verifier.IsOver && await responder.AnswerAsync(message) is { } answer)
        {
            message = await verifier.AnswerAsync(answer);
        }

        return verifier.Proof is not null;
    }
}
