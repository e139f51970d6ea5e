using System.Net;
using System.Net.Sockets;
using MutualAuth.Connections;
using MutualAuth.Tests.Support;

namespace MutualAuth.Tests.Connections;

/// <summary>Which addresses a listener takes, and what becomes of a path that somebody left behind.</summary>
[CancelAfter(60000)]
public sealed class ListeningSocketTests
{
    private TemporaryFolder _folder = null!;

    [SetUp]
    public void SetUp() => _folder = new TemporaryFolder();

    [TearDown]
    public void TearDown() => _folder.Dispose();

    [Test]
    public async Task On_any_address_of_the_newer_family_both_families_are_served(CancellationToken cancellationToken)
    {
        Assume.That(Socket.OSSupportsIPv6, "There are two families.");
        using var listener = ListeningSocket.Open(new IPEndPoint(IPAddress.IPv6Any, 0), 5, takesOverStale: false);

        foreach (var address in new[] { IPAddress.Loopback, IPAddress.IPv6Loopback })
        {
            using var client = new Socket(address.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
            await client.ConnectAsync(new IPEndPoint(address, ((IPEndPoint)listener.LocalEndPoint).Port), cancellationToken);
            (await listener.AcceptAsync(cancellationToken)).Dispose();
        }
    }

    [Test]
    public void An_address_that_is_taken_is_an_error_whether_stale_paths_are_taken_over_or_not([Values] bool takesOver)
    {
        using var first = ListeningSocket.Open(new IPEndPoint(IPAddress.Loopback, 0), 5, takesOverStale: false);

        FluentActions.Invoking(() => ListeningSocket.Open(first.LocalEndPoint, 5, takesOver)).Should().Throw<SocketException>()
            .Which.SocketErrorCode.Should().Be(SocketError.AddressAlreadyInUse);
    }

    [Test]
    public void A_listener_removes_its_own_path_and_gives_its_address_back()
    {
        var endPoint = new UnixDomainSocketEndPoint(_folder["socket"]);
        var first = ListeningSocket.Open(endPoint, 5, takesOverStale: false);
        File.Exists(_folder["socket"]).Should().BeTrue();

        first.Dispose();

        File.Exists(_folder["socket"]).Should().BeFalse();
        ListeningSocket.Open(endPoint, 5, takesOverStale: false).Dispose();
    }

    [Test]
    public void A_listener_that_cannot_be_bound_leaves_what_is_at_its_path()
    {
        _folder.Write("socket", "a file of somebody's");

        FluentActions.Invoking(() => ListeningSocket.Open(new UnixDomainSocketEndPoint(_folder["socket"]), 5, takesOverStale: true))
            .Should().Throw<SocketException>();

        File.ReadAllText(_folder["socket"]).Should().Be("a file of somebody's");
    }

    [Test]
    public void A_path_without_its_directory_is_an_error() =>
        FluentActions.Invoking(() => ListeningSocket.Open(new UnixDomainSocketEndPoint(_folder["missing/socket"]), 5, takesOverStale: true))
            .Should().Throw<SocketException>();

    [TestCase(true)]
    [TestCase(false)]
    public void A_path_that_nobody_listens_at_is_taken_over_where_that_is_asked_for(bool takesOver)
    {
        Assume.That(!OperatingSystem.IsWindows(), "On Unix.");
        var endPoint = new UnixDomainSocketEndPoint(_folder["socket"]);
        using (var crashed = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified))
        {
            crashed.Bind(endPoint);
            File.Move(_folder["socket"], _folder["kept"]); // disposal would delete it
        }

        File.Move(_folder["kept"], _folder["socket"]);

        var open = () => ListeningSocket.Open(endPoint, 5, takesOver);
        if (takesOver)
        {
            open().Dispose();
        }
        else
        {
            open.Should().Throw<SocketException>();
            File.Exists(_folder["socket"]).Should().BeTrue();
        }
    }
}
