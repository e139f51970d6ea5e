using System.Net.Security;
using System.Security.Authentication;
using MutualAuth.Testing.Transports;

namespace MutualAuth.Testing.Tests.Transports;

[CancelAfter(20000)]
public sealed class RawTlsPeerTests
{
    [Test]
    public async Task A_hello_of_our_own_is_understood_by_a_real_server([Values(1, 40, 16384)] int recordSize, CancellationToken token)
    {
        await using var pair = new DuplexPair();
        string? asked = null;
        var (_, records) = await AskAsync(
            pair, new RawClientHello { ServerName = "asked.test", ApplicationProtocols = ["h2"] }, recordSize, name => asked = name, token);

        // SslStream reads the name from the first record alone, and tells its callback of none when the hello is spread over several.
        asked.Should().Be(recordSize == 16384 ? "asked.test" : string.Empty);
        records[0].ContentType.Should().Be(TlsContentType.Handshake);
    }

    [Test]
    public async Task A_broken_hello_is_refused_by_a_real_server(CancellationToken token)
    {
        await using var pair = new DuplexPair();

        var (failure, _) = await AskAsync(pair, new RawClientHello { StatedExtensionsLength = 3 }, 16384, _ => { }, token);

        failure.Should().BeAssignableTo<AuthenticationException>();
    }

    [Test]
    public async Task Records_are_read_back_as_they_were_sent_and_a_torn_one_is_an_end(CancellationToken token)
    {
        await using var pair = new DuplexPair();
        var sender = new RawTlsPeer(pair.Client);
        await sender.SendAsync(TlsRecord.Alert(40), token);
        await sender.SendAsync(new TlsRecord((TlsContentType)99, new byte[] { 1 }) { StatedLength = 2 }, token);
        pair.Client.ShutdownWrite();

        var records = await new RawTlsPeer(pair.Server).ReadToEndAsync(token);

        var alert = records.Should().ContainSingle().Subject;
        alert.ContentType.Should().Be(TlsContentType.Alert);
        alert.Payload.ToArray().Should().Equal(2, 40);
    }

    private static async Task<(Exception? Failure, IReadOnlyList<TlsRecord> Records)> AskAsync(
        DuplexPair pair, RawClientHello hello, int recordSize, Action<string> onServerName, CancellationToken token)
    {
        using var authority = new TestAuthority();
        using var server = authority.IssueServer("server.test");
        await using var tls = new SslStream(pair.Server);
        var accepting = tls.AuthenticateAsServerAsync(
            new SslServerAuthenticationOptions
            {
                EnabledSslProtocols = SslProtocols.Tls12,
                ServerCertificateSelectionCallback = (_, name) =>
                {
                    onServerName(name!);
                    return server.Certificate;
                },
            },
            token);

        var peer = new RawTlsPeer(pair.Client);
        await peer.SendAsync(hello, recordSize, token);
        pair.Client.ShutdownWrite();
        Exception? failure = null;
        try
        {
            await accepting;
        }
        catch (Exception exception)
        {
            failure = exception;
        }

        await tls.DisposeAsync();
        return (failure, await peer.ReadToEndAsync(token));
    }
}
