using MutualAuth.Credentials;

namespace MutualAuth.Samples;

/// <summary>Carries a step-up's messages in our own.</summary>
internal static class StepUps
{
    /// <summary>The server's side: asks for it, until there is a proof or a rejection.</summary>
    internal static async Task<StepUpProof?> AskAsync(MutualTlsConnection connection, StepUpVerifier stepUp)
    {
        await new Message("confirm", string.Join(' ', stepUp.Mechanisms)).WriteAsync(connection.Stream);
        while (!stepUp.IsOver
            && await Message.ReadAsync(connection.Stream) is { } message
            && message.Word.StartsWith("SCRAM", StringComparison.Ordinal))
        {
            if (await stepUp.ContinueAsync(message.Word, Convert.FromBase64String(message.Value)) is { } reply)
            {
                await new Message(stepUp.Proof is null ? "continue" : "proven", Convert.ToBase64String(reply)).WriteAsync(connection.Stream);
            }
        }

        if (stepUp.Proof is null)
        {
            await new Message("refused", "-").WriteAsync(connection.Stream);
        }

        return stepUp.Proof;
    }

    /// <summary>The client's side: answers for what it has shown to its user.</summary>
    internal static async Task AnswerAsync(MutualTlsConnection connection, ClientCredentials credentials, byte[] shown)
    {
        var asked = await Message.ReadAsync(connection.Stream);
        using var claim = connection.BeginStepUp(credentials, shown, asked!.Value.Value.Split(' '));
        await new Message(claim.Mechanism!, Convert.ToBase64String(await claim.StartAsync())).WriteAsync(connection.Stream);
        while (await Message.ReadAsync(connection.Stream) is { Word: "continue" } message
            && await claim.ContinueAsync(Convert.FromBase64String(message.Value)) is { } response)
        {
            await new Message(claim.Mechanism!, Convert.ToBase64String(response)).WriteAsync(connection.Stream);
        }
    }
}
