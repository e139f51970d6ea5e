using MutualAuth.Testing.Assertions;

namespace MutualAuth.Testing.Tests;

/// <summary>What the tests of a class share: a server that is there, and is gone afterwards.</summary>
[CancelAfter(90000)]
public sealed class MutualTlsFixtureTests
{
    private static readonly TimeSpan s_deadline = TimeSpan.FromSeconds(20);

    [Test]
    public async Task A_client_of_its_authority_is_served_and_a_stranger_is_rejected_with_a_reason(CancellationToken cancellationToken)
    {
        await using var tls = new MutualTlsFixture();
        await using var connection = await tls.ConnectAsync(cancellationToken: cancellationToken);
        connection.ShouldBeTo("server.test");
        (await EchoAsync(connection, cancellationToken)).Should().Equal("hello"u8.ToArray());

        using var elsewhere = new TestAuthority();
        using var stranger = elsewhere.IssueClient("client.test");
        var connecting = () => tls.ConnectAsync(tls.Pair.Client with { Identity = stranger.ToIdentity() }, cancellationToken);

        (await connecting.Should().ThrowAsync<HandshakeException>()).Which.ShouldBeRefusal(PublicReason.UnknownCa);
        (await tls.NextFailureAsync(cancellationToken)).ShouldReject(RejectionReason.UnknownAuthority);
        (await EchoAsync(connection, cancellationToken)).Should().Equal("hello"u8.ToArray(), "the first connection goes on");
    }

    [Test]
    public async Task What_the_two_sides_want_can_be_changed(CancellationToken cancellationToken)
    {
        await using var tls = new Picky();
        var connecting = () => tls.ConnectAsync(cancellationToken: cancellationToken);
        await connecting.Should().ThrowAsync<HandshakeException>();
        (await tls.NextFailureAsync(cancellationToken)).ShouldReject(RejectionReason.NotAuthorized);

        using var other = tls.Authority.IssueClient("other.test");
        await using var connection = await tls.ConnectAsync(tls.Pair.Client with { Identity = other.ToIdentity() }, cancellationToken);
        connection.ShouldBeTo("server.test");
    }

    [Test]
    public async Task Disposing_ends_connections_and_the_server_and_can_be_done_twice(CancellationToken cancellationToken)
    {
        var tls = new MutualTlsFixture();
        await using var connection = await tls.ConnectAsync(cancellationToken: cancellationToken);

        await Task.Run(tls.Dispose, cancellationToken).WaitAsync(s_deadline, cancellationToken);
        await tls.DisposeAsync();
        tls.Dispose();

        var reading = async () => await connection.Stream.ReadAtLeastAsync(new byte[1], 1, cancellationToken: cancellationToken);
        await reading.Should().ThrowAsync<IOException>();
        var connecting = () => tls.ConnectAsync(cancellationToken: cancellationToken);
        await connecting.Should().ThrowAsync<Exception>();
        var waiting = () => tls.NextFailureAsync(cancellationToken);
        await waiting.Should().ThrowAsync<ObjectDisposedException>();
    }

    [Test]
    public async Task A_defect_of_the_server_is_not_silent(CancellationToken cancellationToken)
    {
        var tls = new Defective();
        await using (var connection = await tls.ConnectAsync(cancellationToken: cancellationToken))
        {
            await tls.Served.Task.WaitAsync(s_deadline, cancellationToken);
        }

        var ending = async () => await tls.DisposeAsync();

        await ending.Should().ThrowAsync<NotImplementedException>();
    }

    [Test]
    public async Task A_client_that_goes_is_no_defect(CancellationToken cancellationToken)
    {
        var tls = new MutualTlsFixture();
        for (var i = 0; i < 20; i++)
        {
            await using var connection = await tls.ConnectAsync(cancellationToken: cancellationToken);
            await connection.Stream.WriteAsync(new byte[100_000], cancellationToken);
        }

        await tls.DisposeAsync().AsTask().WaitAsync(s_deadline, cancellationToken);
    }

    [Test]
    public async Task Many_clients_at_once_are_served(CancellationToken cancellationToken)
    {
        await using var tls = new MutualTlsFixture();

        var answers = await Task.WhenAll(Enumerable.Range(0, 50).Select(async _ =>
        {
            await using var connection = await tls.ConnectAsync(cancellationToken: cancellationToken);
            return await EchoAsync(connection, cancellationToken);
        })).WaitAsync(TimeSpan.FromSeconds(60), cancellationToken);

        answers.Should().AllSatisfy(answer => answer.Should().Equal("hello"u8.ToArray()));
    }

    private static async Task<byte[]> EchoAsync(MutualTlsConnection connection, CancellationToken cancellationToken)
    {
        await connection.Stream.WriteAsync("hello"u8.ToArray(), cancellationToken);
        var answer = new byte[5];
        await connection.Stream.ReadExactlyAsync(answer, cancellationToken);
        return answer;
    }

    private sealed class Picky() : MutualTlsFixture(pair => pair with { Server = pair.Server with { Authorization = Authorize.Dns("other.test") } });

    private sealed class Defective : MutualTlsFixture
    {
        internal TaskCompletionSource Served { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        protected override Task ServeAsync(MutualTlsConnection connection, CancellationToken cancellationToken)
        {
            Served.SetResult();
            throw new NotImplementedException();
        }
    }
}
