using MutualAuth.Tests.Support;

namespace MutualAuth.Tests.Samples;

public sealed class HelloMutualTlsTests
{
    [Test]
    [CancelAfter(60000)]
    public async Task Each_side_says_who_the_other_is_and_the_stranger_is_refused_on_both()
    {
        await using var program = RunningProgram.StartSample("HelloMutualTls");

        (await program.ExitCodeAsync()).Should().Be(0, program.ToString());
        program.Output.Should().Contain("client: I am talking to server.test, and it has accepted me: True")
            .And.Contain("server: I am talking to client.test, and it has accepted me: True")
            .And.ContainSingle(line => line.StartsWith("server: ", StringComparison.Ordinal) && line.Contains("unknown_authority"))
            .And.ContainSingle(line => line.StartsWith("stranger: ", StringComparison.Ordinal) && line.Contains("unknown_ca"));
    }
}
