using System.Net;
using MutualAuth.Connections;
using MutualAuth.Evidence;
using MutualAuth.Testing;
using MutualAuth.Validation;

namespace MutualAuth.Benchmarks;

/// <summary>A connection for the registry that has a real peer, and no socket.</summary>
internal sealed class BareConnection(AuthenticatedPeer peer) : IRevalidated
{
    private readonly TaskCompletionSource _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private IEndListener? _endListener;

    public AuthenticatedPeer Peer { get; } = peer;

    public EndPoint? RemoteEndPoint => null;

    internal Task Ended => _ended.Task;

    /// <summary>As many, each of a client of its own that the authority vouches for and the stage accepts.</summary>
    internal static BareConnection[] Of(int count, TestAuthority issuing, CertificateStage stage, params string[] policies)
    {
        var key = TestKey.Generate();
        return [.. Enumerable.Range(0, count).Select(Make)];

        BareConnection Make(int number)
        {
            using var certificate = issuing.Issue(spec => spec with { DnsNames = [NameOf(number)], Key = key, Policies = policies });
            var evidence = new PeerEvidence(PeerRole.Client, [certificate.RawCertificate, .. certificate.RawChain]);
            return new BareConnection(((CertificateVerdict.Accepted)stage.Judge(evidence, TimeProvider.System.GetUtcNow())).Peer);
        }
    }

    internal static string NameOf(int number) => $"client{number}.test";

    public TimeSpan IdleFor => TimeSpan.Zero;

    public void CountIdle(TimeProvider time)
    {
    }

    public void Invalidate(Invalidation lost)
    {
        _ended.TrySetResult();
        _endListener?.HasEnded();
    }

    public ValueTask EndAsync() => ValueTask.CompletedTask;

    public void OnEnded(IEndListener listener) => _endListener = listener;
}
