using MutualAuth.Credentials;

namespace MutualAuth.Tests.Credentials;

/// <summary>A mechanism of an application's own, which does at the server what a test says.</summary>
internal sealed class ScriptedMechanism(
    string[] names, Func<SaslServerContext, CancellationToken, ReadOnlyMemory<byte>, ValueTask<SaslServerStep>> step)
        : ISaslServerMechanism
{
    /// <summary>One that goes on for ever.</summary>
    internal ScriptedMechanism(params string[] names)
        : this(names, _ => SaslServerStep.Continue(default))
    {
    }

    internal ScriptedMechanism(string[] names, Func<ReadOnlyMemory<byte>, SaslServerStep> step)
        : this(names, (_, _, message) => ValueTask.FromResult(step(message)))
    {
    }

    public IEnumerable<string> NamesFor(SaslServerContext context) => names;

    public ISaslServerExchange Begin(string name, SaslServerContext context) => new Exchange(context, step);

    /// <summary>Admits an attempt of alice's, and then takes the step.</summary>
    internal static ScriptedMechanism Admitting(string name, Func<SaslServerStep> then) => new([name], async (context, cancellationToken, _) =>
        await context.AdmitAsync("alice", cancellationToken) is { } limited ? SaslServerStep.Fail(limited) : then());

    private sealed class Exchange(
        SaslServerContext context, Func<SaslServerContext, CancellationToken, ReadOnlyMemory<byte>, ValueTask<SaslServerStep>> step)
            : ISaslServerExchange
    {
        public ValueTask<SaslServerStep> StepAsync(ReadOnlyMemory<byte> message, CancellationToken cancellationToken) =>
            step(context, cancellationToken, message);

        public void Dispose()
        {
        }
    }
}
