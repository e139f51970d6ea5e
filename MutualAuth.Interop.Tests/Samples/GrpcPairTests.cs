using MutualAuth.Tests.Support;

namespace MutualAuth.Tests.Samples;

/// <summary>The gRPC samples as their user starts them: the server, and the command that it prints.</summary>
[CancelAfter(90000)]
public sealed class GrpcPairTests
{
    [Test]
    public async Task Calls_of_every_kind_are_answered_until_the_client_is_denied()
    {
        await using var server = RunningProgram.StartSample("GrpcServer", "--listen", "127.0.0.1:0");
        var command = await server.LineAsync("samples/GrpcClient -- ");
        var arguments = command.Split(" -- ")[1].Split(' ');
        arguments[0].Should().StartWith("https://localhost:");
        await using var client = RunningProgram.StartSample("GrpcClient", [.. arguments, "--watch"]);

        await client.LineAsync("70 bolts, told to client.test");
        (await client.LineAsync("connection: ")).Should().Contain("localhost").And.Contain(", h2, confirmed");
        await client.LineAsync("moved -2: 70");
        await client.LineAsync("1000 streams at once, 30000 nuts told of");
        await client.LineAsync("watching");
        await server.WriteAsync("revoke\n");

        await client.LineAsync("the call ended: Unavailable");
        (await client.ExitCodeAsync()).Should().Be(12);

        await using var again = RunningProgram.StartSample("GrpcClient", arguments);
        await again.LineAsync("not connected: The peer refused us.");
        (await again.ExitCodeAsync()).Should().Be(11);
    }

    [Test]
    public async Task A_server_of_another_authority_is_not_called()
    {
        await using var server = RunningProgram.StartSample("GrpcServer", "--listen", "127.0.0.1:0");
        await using var other = RunningProgram.StartSample("GrpcServer", "--listen", "127.0.0.1:0");
        var address = (await server.LineAsync("samples/GrpcClient -- ")).Split(" -- ")[1].Split(' ')[0];
        var files = (await other.LineAsync("samples/GrpcClient -- ")).Split(" -- ")[1].Split(' ')[1];

        await using var client = RunningProgram.StartSample("GrpcClient", address, files);

        await client.LineAsync("not connected: The peer was rejected. unknown_authority");
        (await client.ExitCodeAsync()).Should().Be(10);
    }
}
