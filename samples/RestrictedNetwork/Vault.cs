using System.Net;
using System.Text;
using MutualAuth.Audit;
using MutualAuth.Credentials;

namespace MutualAuth.Samples;

/// <summary>
/// Acts that two persons must confirm, each on a connection of its own, and both must still be there. A proof is bound to its connection and to the
/// octets of the act; it counts for five minutes, and once.
/// </summary>
internal sealed class Vault : IAsyncDisposable
{
    private readonly MutualTlsListener _listener;
    private readonly AuditTrail _trail;
    private readonly Lock _lock = new();
    private readonly List<(MutualTlsConnection Connection, StepUpProof Proof)> _confirmed = [];

    private Vault(MutualTlsListener listener, AuditTrail trail)
    {
        _listener = listener;
        _trail = trail;
        _ = ServeAsync();
    }

    internal EndPoint EndPoint => _listener.LocalEndPoint;

    internal static Vault Open(MutualTlsListenerOptions options, AuditTrail trail) =>
        new(MutualTlsListener.Start(options), trail);

    public ValueTask DisposeAsync() => _listener.DisposeAsync();

    private async Task ServeAsync()
    {
        await foreach (var connection in _listener.AcceptAllAsync())
        {
            _ = ServeAsync(connection);
        }
    }

    private async Task ServeAsync(MutualTlsConnection connection)
    {
        await using var owned = connection;
        try
        {
            while (await Message.ReadAsync(connection.Stream) is { Word: "act" } message)
            {
                var outcome = await ConfirmAsync(connection, message.Value);
                Console.WriteLine($"vault    {connection.Peer.User} confirms {message.Value}: {outcome}");
                await new Message("outcome", outcome).WriteAsync(connection.Stream);
            }
        }
        catch (Exception exception) when (exception is IOException or FormatException)
        {
            // The person has left, or breaks the protocol; or the library has ended the connection.
        }
        finally
        {
            lock (_lock)
            {
                _confirmed.RemoveAll(one => one.Connection == connection);
            }
        }
    }

    private async Task<string> ConfirmAsync(MutualTlsConnection connection, string act)
    {
        await using var stepUp = connection.BeginStepUp(Encoding.UTF8.GetBytes(act));
        await StepUps.AskAsync(connection.Stream, stepUp);
        return stepUp.Proof is { } proof
            ? await ConsiderAsync(connection, act, proof)
            : $"refused, {stepUp.Rejection?.Reason.ToCode() ?? "not confirmed"}";
    }

    /// <summary>Two proofs, of two persons who are there, over the same octets; and the act is on the disk before it counts.</summary>
    private async Task<string> ConsiderAsync(MutualTlsConnection connection, string act, StepUpProof proof)
    {
        var octets = Encoding.UTF8.GetBytes(act);
        StepUpProof earlier;
        lock (_lock)
        {
            _confirmed.RemoveAll(one => one.Connection.NoLongerValid.IsCancellationRequested || proof.At - one.Proof.At > StepUpVerifier.TimeLimit);
            earlier = _confirmed.Find(one => one.Proof.User.Name != proof.User.Name && one.Proof.TryUse(octets)).Proof;
            if (earlier is null || !proof.TryUse(octets))
            {
                _confirmed.Add((connection, proof));
                return "waits for a second person";
            }

            _confirmed.RemoveAll(one => one.Proof.Covers(octets));
        }

        var persons = $"{earlier.User.Name} and {proof.User.Name}";
        try
        {
            await _trail.RecordAsync(new AuditEvent("act", $"{act}, by {persons}") { Connection = connection.Id });
            return $"carried out, by {persons}";
        }
        catch (Exception exception) when (exception is IOException or ObjectDisposedException)
        {
            return "refused, it cannot be recorded";
        }
    }
}
