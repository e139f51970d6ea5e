using System.Threading.Channels;
using MutualAuth.Evidence;
using MutualAuth.Validation;

namespace MutualAuth.Tests.Support;

/// <summary>A service that knows things about peers, and answers what and when the test says.</summary>
internal sealed class ScriptedFacts(string name = "posture") : IPeerFactValidator
{
    private readonly Channel<Question> _questions = Channel.CreateUnbounded<Question>();
    private int _running;
    private int _most;
    private int _count;

    internal sealed class Question(AuthenticatedPeer peer, CancellationToken cancellation)
    {
        private readonly TaskCompletionSource<PeerFactVerdict> _answered = new(TaskCreationOptions.RunContinuationsAsynchronously);

        internal AuthenticatedPeer Peer => peer;

        internal CancellationToken Cancellation => cancellation;

        internal Task<PeerFactVerdict> Answered => _answered.Task;

        internal void Yes(TimeSpan lifetime, params PeerFact[] facts) => _answered.TrySetResult(PeerFactVerdict.Holds(lifetime, facts));

        internal void No() => _answered.TrySetResult(PeerFactVerdict.Refused("a compliant device", "one without its updates"));

        internal void Throw() => _answered.TrySetException(new InvalidOperationException("the service is away"));

        internal void Null() => _answered.TrySetResult(null!);
    }

    public string Name => name;

    /// <summary>Answers at once; null where the test answers each question.</summary>
    internal Func<AuthenticatedPeer, PeerFactVerdict>? Always { get; set; }

    internal int Count => Volatile.Read(ref _count);

    internal int MostAtOnce => Volatile.Read(ref _most);

    internal async Task<Question> AskedAsync() => await _questions.Reader.ReadAsync().AsTask().WaitAsync(ConnectedPair.Deadline);

    internal bool IsAsked => _questions.Reader.TryPeek(out _);

    public async ValueTask<PeerFactVerdict> AskAsync(AuthenticatedPeer peer, CancellationToken cancellationToken)
    {
        Interlocked.Increment(ref _count);
        var running = Interlocked.Increment(ref _running);
        for (var most = _most; running > most; most = _most)
        {
            Interlocked.CompareExchange(ref _most, running, most);
        }

        try
        {
            if (Always is { } always)
            {
                return always(peer);
            }

            var question = new Question(peer, cancellationToken);
            _questions.Writer.TryWrite(question);
            return await question.Answered;
        }
        finally
        {
            Interlocked.Decrement(ref _running);
        }
    }
}
