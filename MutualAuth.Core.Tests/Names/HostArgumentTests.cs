using MutualAuth.Tests.Support;

namespace MutualAuth.Tests.Names;

/// <summary>What a caller is told about a host that cannot be dialled by name.</summary>
public sealed class HostArgumentTests
{
    [TestCase("my_server.test", "*underscore*")]
    [TestCase("bücher.test", "*xn--*")]
    [TestCase("server.test:443", "*Give the port separately*")]
    [TestCase("a..test", "*empty label*")]
    public async Task The_message_says_what_is_wrong_and_the_parameter_is_the_callers(string host, string message)
    {
        using var world = new World();
        var client = new MutualTlsClient(world.ClientOptions);

        (await FluentActions.Awaiting(() => client.ConnectAsync(host, 1)).Should().ThrowAsync<ArgumentException>())
            .WithMessage(message).Which.ParamName.Should().Be("host");

        using var stream = new MemoryStream();
        (await FluentActions.Awaiting(() => client.UpgradeAsync(stream, host)).Should().ThrowAsync<ArgumentException>())
            .Which.ParamName.Should().Be("serverName");
    }

    [Test]
    public async Task No_host_is_said_to_be_none()
    {
        using var world = new World();

        (await FluentActions.Awaiting(() => new MutualTlsClient(world.ClientOptions).ConnectAsync(null!, 1)).Should()
            .ThrowAsync<ArgumentNullException>()).Which.ParamName.Should().Be("host");
    }
}
