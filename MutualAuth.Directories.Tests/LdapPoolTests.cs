using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using Microsoft.Extensions.Logging.Abstractions;
using MutualAuth.Directories;
using MutualAuth.Testing;
using MutualAuth.Tests.Support;

namespace MutualAuth.Tests;

/// <summary>Connections that are kept for their next use, and the end of those who keep them.</summary>
[CancelAfter(60000)]
public sealed class LdapPoolTests
{
    /// <summary>The one who disposes has looked for idle connections before this one is.</summary>
    [Test]
    public async Task A_connection_that_is_given_back_at_the_moment_of_the_disposal_is_closed([Values] bool isDisposedOf)
    {
        using var authority = new TestAuthority("Directory");
        using var certificate = authority.IssueServer("localhost");
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        var isOpen = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var serving = ServeAsync(listener, certificate, isOpen);
        var options = new LdapVerifierOptions
        {
            Servers = [new LdapServer("localhost", ((IPEndPoint)listener.LocalEndpoint).Port)],
            Trust = authority.ToTrustAnchors(),
            Users = LdapUsers.ByTemplate("uid={0},ou=people"),
        };
        var client = new MutualTlsClient(new MutualTlsClientOptions
        {
            Trust = options.Trust,
            Identity = options.Identity,
            Authorization = Authorize.ServerName,
            Confirmation = ConfirmationPolicy.Never,
        });
        var pool = new LdapPool(options, client, new LdapQueue(1), new LdapHealth(options, NullLogger.Instance), prepare: null);
        var disposing = Task.CompletedTask;
        pool.BeforeKeeping = () =>
        {
            if (isDisposedOf)
            {
                disposing = pool.DisposeAsync().AsTask();
            }
        };

        (await pool.UseAsync((_, _) => Task.FromResult(1), CancellationToken.None).WaitAsync(RunningProgram.Deadline)).Should().Be(1);

        await disposing.WaitAsync(RunningProgram.Deadline);
        if (!isDisposedOf)
        {
            await isOpen.Task.WaitAsync(RunningProgram.Deadline);
            pool.BeforeKeeping = null;
            await pool.UseAsync((_, _) => Task.FromResult(2), CancellationToken.None).WaitAsync(RunningProgram.Deadline);
            pool.MostOpen.Should().Be(1, "it was used again");
            serving.IsCompleted.Should().BeFalse("it is kept");
            await pool.DisposeAsync();
        }

        await serving.WaitAsync(RunningProgram.Deadline);
    }

    /// <summary>One connection, until its end.</summary>
    private static async Task ServeAsync(TcpListener listener, TestCertificate certificate, TaskCompletionSource isOpen)
    {
        using var socket = await listener.AcceptSocketAsync();
        await using var tls = new SslStream(new NetworkStream(socket, ownsSocket: false));
        try
        {
            await tls.AuthenticateAsServerAsync(new SslServerAuthenticationOptions { ServerCertificateContext = certificate.ToSslContext() });
            isOpen.SetResult();
            await tls.CopyToAsync(Stream.Null);
        }
        catch (IOException)
        {
            // An abort is an end as well, and may be here before the last flight of the client was read.
        }
    }
}
