using System.Net;
using System.Text;
using MutualAuth.Audit;
using MutualAuth.Credentials;

namespace MutualAuth.Samples;

/// <summary>
/// Acts that two persons must confirm, each on a connection of its own. A proof is bound to its connection and to the octets of the act; it counts
/// for five minutes, and for one act.
/// </summary>
internal sealed class Vault : IAsyncDisposable
{
    private static readonly TimeSpan s_proofsLast = TimeSpan.FromMinutes(5);

    private readonly MutualTlsListener _listener;
    private readonly AuditTrail _trail;
    private readonly Lock _lock = new();
    private readonly List<StepUpProof> _proofs = [];

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
            // The person has left, or breaks the protocol.
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

    /// <summary>Two proofs, of two persons, over the same octets; and the act is on the disk before it counts.</summary>
    private async Task<string> ConsiderAsync(MutualTlsConnection connection, string act, StepUpProof proof)
    {
        var octets = Encoding.UTF8.GetBytes(act);
        string[] persons;
        lock (_lock)
        {
            _proofs.RemoveAll(older => proof.At - older.At > s_proofsLast);
            _proofs.Add(proof);
            persons = [.. _proofs.Where(one => one.Covers(octets)).Select(one => one.User.Name).Distinct()];
            if (persons.Length < 2)
            {
                return "waits for a second person";
            }

            _proofs.RemoveAll(one => one.Covers(octets));
        }

        try
        {
            await _trail.RecordAsync(new AuditEvent("act", $"{act}, by {persons[0]} and {persons[1]}") { Connection = connection.Id });
            return $"carried out, by {persons[0]} and {persons[1]}";
        }
        catch (Exception exception) when (exception is IOException or ObjectDisposedException)
        {
            return "refused, it cannot be recorded";
        }
    }
}
