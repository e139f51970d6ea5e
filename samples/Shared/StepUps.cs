using MutualAuth.Credentials;

namespace MutualAuth.Samples;

/// <summary>Carries the messages of a step-up, or of a re-authentication, in our own: the stream is the application's.</summary>
internal static class StepUps
{
    /// <summary>The word of the messages that carry one.</summary>
    internal const string Word = "step-up";

    /// <summary>The server's side: asks, until it is over or the client sends something else.</summary>
    internal static async Task AskAsync(Stream stream, StepUpVerifier stepUp)
    {
        await Message.Of(Word, stepUp.FirstMessage).WriteAsync(stream);
        while (!stepUp.IsOver
            && await Message.ReadAsync(stream) is { Word: Word } message
            && await stepUp.AnswerAsync(message.ToOctets()) is { } reply)
        {
            await Message.Of(Word, reply).WriteAsync(stream);
        }
    }

    /// <summary>The client's side: answers the first message, and those that follow.</summary>
    internal static async Task AnswerAsync(Stream stream, StepUpResponder responder, Message first)
    {
        for (Message? message = first; message is { Word: Word } asked; message = responder.IsOver ? null : await Message.ReadAsync(stream))
        {
            if (await responder.AnswerAsync(asked.ToOctets()) is { } reply)
            {
                await Message.Of(Word, reply).WriteAsync(stream);
            }
        }
    }
}
