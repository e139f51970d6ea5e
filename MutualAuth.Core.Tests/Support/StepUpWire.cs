using System.Text;
using MutualAuth.Confirmation;
using MutualAuth.Credentials;

namespace MutualAuth.Tests.Support;

/// <summary>The messages of a step-up (docs/protocol.md §12.3), and both sides of one.</summary>
internal static class StepUpWire
{
    internal static byte[] Mechanisms(string names) => Frame.Encode(FrameType.Mechanisms, Encoding.ASCII.GetBytes(names));

    internal static byte[] Start(string mechanism, string? message) => message is null
        ? Frame.Encode(FrameType.Start, LoginChannel.StartPayload(mechanism, null))
        : Start(mechanism, Encoding.UTF8.GetBytes(message));

    internal static byte[] Start(string mechanism, byte[] message) => Frame.Encode(FrameType.Start, LoginChannel.StartPayload(mechanism, message));

    internal static byte[] Response(string message) => Frame.Encode(FrameType.Response, Encoding.UTF8.GetBytes(message));

    internal static byte[] Next(string? message, params string[] names) =>
        Frame.Encode(FrameType.Next, LoginChannel.NextPayload(Octets(message), [.. names]));

    internal static byte[] Yes(string? message) => Frame.Encode(FrameType.Outcome, LoginChannel.OutcomePayload(Verdict.Accepted, Octets(message)));

    /// <summary>Carries the messages until both sides have nothing more to say.</summary>
    /// <param name="verifier">The server's side.</param>
    /// <param name="responder">The client's side.</param>
    /// <param name="said">Takes what the client said.</param>
    internal static async Task RunAsync(StepUpVerifier verifier, StepUpResponder responder, List<byte[]>? said = null)
    {
        byte[]? message = verifier.FirstMessage.ToArray();
        while (message is not null && await responder.AnswerAsync(message) is { } answer)
        {
            said?.Add(answer);
            message = verifier.IsOver ? null : await verifier.AnswerAsync(answer);
        }
    }

    private static ReadOnlyMemory<byte>? Octets(string? text)
    {
        if (text is null)
        {
            return null;
        }

        return Encoding.UTF8.GetBytes(text);
    }
}
