using System.Buffers.Binary;
using System.Text;
using Microsoft.Extensions.Logging.Abstractions;
using MutualAuth.Certificates;
using MutualAuth.Confirmation;
using MutualAuth.Credentials;
using MutualAuth.Testing;

namespace MutualAuth.Tests.Support;

/// <summary>The frames of a login (docs/protocol.md §12), as a hostile peer says and hears them.</summary>
internal static class LoginWire
{
    internal static Task SayFrameAsync(this ScriptedTlsPeer peer, FrameType type, string text) =>
        peer.SayFrameAsync(type, Encoding.UTF8.GetBytes(text));

    internal static Task SayFrameAsync(this ScriptedTlsPeer peer, FrameType type, params byte[] payload) =>
        peer.SayAsync(Frame.Encode(type, payload));

    internal static Task SayVerdictAsync(this ScriptedTlsPeer peer, byte code = 0) => peer.SayFrameAsync(FrameType.Verdict, 0, code);

    internal static Task SayStartAsync(this ScriptedTlsPeer peer, string mechanism, string? message) =>
        peer.SayFrameAsync(
            FrameType.Start,
            message is null ? LoginChannel.StartPayload(mechanism, null) : LoginChannel.StartPayload(mechanism, Encoding.UTF8.GetBytes(message)));

    internal static async Task<(FrameType Type, byte[] Payload)> HearFrameAsync(this ScriptedTlsPeer peer)
    {
        var header = await peer.HearAsync(Frame.HeaderLength);
        return ((FrameType)header[0], await peer.HearAsync(BinaryPrimitives.ReadUInt16BigEndian(header.AsSpan(1))));
    }

    internal static async Task<byte[]> HearFrameAsync(this ScriptedTlsPeer peer, FrameType expected)
    {
        var (type, payload) = await peer.HearFrameAsync();
        type.Should().Be(expected, "the other side was to say that; it said {0}", Convert.ToHexString(payload));
        return payload;
    }

    /// <summary>Hears an outcome or a verdict, and gives its code.</summary>
    internal static async Task<int> HearCodeAsync(this ScriptedTlsPeer peer)
    {
        var (type, payload) = await peer.HearFrameAsync();
        type.Should().BeOneOf(FrameType.Outcome, FrameType.Verdict);
        return BinaryPrimitives.ReadUInt16BigEndian(payload);
    }

    /// <summary>Goes as far as any client does: LOGIN, and hears the mechanisms.</summary>
    internal static async Task<string> BeginLoginAsync(this ScriptedTlsPeer peer)
    {
        await peer.SayFrameAsync(FrameType.Login);
        return Encoding.ASCII.GetString(await peer.HearFrameAsync(FrameType.Mechanisms));
    }
}

/// <summary>A server that a client accepts, and that runs a login as it should but for what a test changes in what it says.</summary>
internal sealed class TamperingServer(World world, CredentialPolicy policy, Func<FrameType, byte[], byte[]?> tamper)
{
    /// <summary>The client's frames, in order; frames that a test removed from the server's messages stay unanswered.</summary>
    internal List<(FrameType Type, byte[] Payload)> Heard { get; } = [];

    internal async Task ServeAsync(Stream transport, TestCertificate? certificate = null)
    {
        await using var peer = await ScriptedTlsPeer.AsServerAsync(transport, certificate ?? world.ServerCertificate);
        try
        {
            await ConverseAsync(peer, certificate ?? world.ServerCertificate);
            await peer.EndAsync();
            await peer.Stream.CopyToAsync(Stream.Null).WaitAsync(ConnectedPair.Deadline);
        }
        catch (Exception exception) when (exception is IOException or EndOfStreamException)
        {
            // The client has hung up.
        }
    }

    private async Task ConverseAsync(ScriptedTlsPeer peer, TestCertificate certificate)
    {
        var binding = ChannelBinding.OfServerCertificate(Certificate.Parse(certificate.RawCertificate));
        var context = new SaslServerContext(policy, new LoginServices(policy, TimeProvider.System), binding, null, null);
        await using var session = new SaslServerSession(policy, context, NullLogger.Instance);
        if (!await HearAsync(peer, FrameType.Login)
            || !await SayAsync(peer, FrameType.Mechanisms, Encoding.ASCII.GetBytes(string.Join(' ', session.Offered))))
        {
            return;
        }

        SaslServerStep? step = null;
        while (await HearAsync(peer, step is null or SaslServerStep.Advanced ? FrameType.Start : FrameType.Response))
        {
            var payload = Heard[^1].Payload;
            step = step is null or SaslServerStep.Advanced && LoginChannel.ReadStart(payload) is var (mechanism, message)
                ? await session.StartAsync(mechanism, message, default)
                : await session.ContinueAsync(payload, default);
            switch (step)
            {
                case SaslServerStep.Challenged challenge:
                    await SayAsync(peer, FrameType.Challenge, challenge.Message.ToArray());
                    break;
                case SaslServerStep.Advanced next:
                    await SayAsync(peer, FrameType.Next, LoginChannel.NextPayload(next.AdditionalData, session.Offered));
                    break;
                case SaslServerStep.Succeeded success:
                    await SayAsync(peer, FrameType.Outcome, LoginChannel.OutcomePayload(Verdict.Accepted, success.AdditionalData));
                    await HearAsync(peer, FrameType.Verdict);
                    return;
                default:
                    throw new AssertionException($"The client did not do its part: {((SaslServerStep.Failed)step).Rejection}");
            }
        }
    }

    private async Task<bool> HearAsync(ScriptedTlsPeer peer, FrameType expected)
    {
        Heard.Add(await peer.HearFrameAsync());
        return Heard[^1].Type == expected;
    }

    private async Task<bool> SayAsync(ScriptedTlsPeer peer, FrameType type, byte[] payload)
    {
        var said = tamper(type, payload);
        await peer.SayAsync(said is null ? Frame.Encode(type, payload) : said);
        return true;
    }
}

/// <summary>A client's mechanism that notes what passes through it.</summary>
internal sealed class NotingMechanism(ISaslClientMechanism inner) : ISaslClientMechanism
{
    internal List<string> Said { get; } = [];

    public IEnumerable<string> NamesFor(SaslClientContext context) => inner.NamesFor(context);

    public ISaslClientExchange Begin(string name, SaslClientContext context) => new Exchange(inner.Begin(name, context), Said);

    internal static (ClientCredentials Credentials, NotingMechanism Notes) Around(ClientCredentials credentials)
    {
        var notes = new NotingMechanism(credentials.Mechanisms[0]);
        var noting = Login.With(notes) with { OnlyMechanism = credentials.OnlyMechanism };
        return (credentials.SecondFactors.IsEmpty ? noting : noting.Then([.. credentials.SecondFactors]), notes);
    }

    private sealed class Exchange(ISaslClientExchange inner, List<string> said) : ISaslClientExchange
    {
        public async ValueTask<ReadOnlyMemory<byte>?> StartAsync(CancellationToken cancellationToken) =>
            Note(await inner.StartAsync(cancellationToken));

        public async ValueTask<SaslClientStep> StepAsync(ReadOnlyMemory<byte> challenge, CancellationToken cancellationToken)
        {
            Note(challenge);
            var step = await inner.StepAsync(challenge, cancellationToken);
            if (step.Objection is null)
            {
                Note(step.Message);
            }

            return step;
        }

        public SaslClientEnd Complete(ReadOnlyMemory<byte>? additionalData) => inner.Complete(Note(additionalData));

        public void Dispose() => inner.Dispose();

        private ReadOnlyMemory<byte>? Note(ReadOnlyMemory<byte>? message)
        {
            said.Add(message is { } text ? Encoding.UTF8.GetString(text.Span) : string.Empty);
            return message;
        }
    }
}
