using MutualAuth.Tests.Support;

namespace MutualAuth.Tests;

/// <summary>connect and serve: stdin and stdout over a connection, as processes.</summary>
public sealed class PipeTests
{
    [Test]
    public async Task Both_ends_print_what_the_other_reads()
    {
        await using var server = ToolRun.Start("serve", "--listen", "127.0.0.1:0");
        var address = (await server.ErrorLineAsync("listening on "))["listening on ".Length..];
        var hint = (await server.ErrorLineAsync("mutualauth connect "))!.Trim().Split(' ');
        await using var client = ToolRun.Start(["connect", .. hint.SkipWhile(word => word != "--connect")]);

        await client.WriteAsync("hello over there\n");
        (await server.LineAsync()).Should().Be("hello over there");
        await server.WriteAsync("hello yourself\n");
        (await client.LineAsync()).Should().Be("hello yourself");
        client.EndInput();
        server.EndInput();

        (await client.ExitCodeAsync()).Should().Be(0, client.ToString());
        (await server.ExitCodeAsync()).Should().Be(0, server.ToString());
        address.Should().StartWith("127.0.0.1:");
        (await client.ErrorLineAsync("accepted ")).Should().StartWith("accepted name=ip:127.0.0.1 user=- confirmed=yes tls=1.3");
        (await server.ErrorLineAsync("accepted ")).Should().StartWith("accepted name=client.test user=- confirmed=yes tls=1.3");
    }

    [Test]
    public async Task A_client_that_is_refused_learns_why_and_the_server_listens_on()
    {
        await using var server = ToolRun.Start("serve", "--listen", "127.0.0.1:0", "--json");
        var hint = (await server.ErrorLineAsync("mutualauth connect "))!.Trim().Split(' ');
        string[] flags = [.. hint.SkipWhile(word => word != "--connect")];

        var refused = await ToolRun.AsProcess(string.Empty, ["connect", .. flags.TakeWhile(word => word != "--certificate")]);
        var missing = await ToolRun.AsProcess(string.Empty, "connect", "--connect", "127.0.0.1:1");

        (refused.ExitCode, refused.ErrorCode).Should().Be((11, "certificate_required"), refused.ToString());
        (missing.ExitCode, missing.ErrorCode).Should().Be((2, "usage"), missing.ToString());
        (await server.ErrorLineAsync("no_certificate")).Should().StartWith("""{"event":"rejected","code":"no_certificate",""");
        server.HasEnded.Should().BeFalse();
        server.Terminate();
        (await server.ExitCodeAsync()).Should().Be(130, server.ToString());
    }

    [Test]
    public async Task The_program_says_its_version_and_its_commands()
    {
        (await ToolRun.AsProcess(string.Empty, "--version")).Output.Should().MatchRegex(@"^\d+\.\d+\.\d+");
        (await ToolRun.AsProcess(string.Empty, "--help")).Output.Should().Contain("probe").And.Contain("mutualauth");
    }
}
