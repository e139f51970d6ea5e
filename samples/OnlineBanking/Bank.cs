using System.Net;
using MutualAuth.Credentials;
using MutualAuth.Factors;

namespace MutualAuth.Samples;

/// <summary>
/// The bank: authenticates customers by password and passkey, and makes a large transfer only with a proof that the customer's passkey confirmed it.
/// </summary>
internal sealed class Bank : IAsyncDisposable
{
    private const int NeedsConfirmation = 1000;

    internal static PasskeyOptions Passkeys { get; } = new() { RelyingParty = "bank.test" };

    private readonly MutualTlsListener _listener;

    private Bank(MutualTlsListener listener)
    {
        _listener = listener;
        _ = ServeAsync();
    }

    internal EndPoint EndPoint => _listener.LocalEndPoint;

    internal static Bank Open(Identity identity, DatabaseCredentialStore users, ITrustSource trust, Action<HandshakeException> onRefusal) => new(
        MutualTlsListener.Start(new MutualTlsListenerOptions
        {
            EndPoint = new IPEndPoint(IPAddress.Loopback, 0),
            Server = new MutualTlsServer(new MutualTlsServerOptions
            {
                Identity = identity,
                Trust = trust,
                Authorization = Authorize.Nobody, // by a certificate: users are accepted, not devices
                Credentials = Require.User(SaslServer.Scram(users)) with
                {
                    SecondFactors = [SecondFactors.Passkeys(users, Passkeys)],
                    LoginFactors = FactorRequirement.TwoKinds, // what one knows and what one has
                    StepUpFactors = FactorRequirement.Proofs(PeerProofs.Passkey | PeerProofs.UserVerification), // a key, and a person at it
                },
                Revalidation = new RevalidationPolicy { RecheckInterval = TimeSpan.FromSeconds(1) }, // customers who are connected
            }),
            OnHandshakeFailed = onRefusal,
        }));

    public ValueTask DisposeAsync() => _listener.DisposeAsync();

    private async Task ServeAsync()
    {
        await foreach (var connection in _listener.AcceptAllAsync())
        {
            Console.WriteLine($"   bank: {connection.Peer.User} is in: {connection.Peer.Proofs}");
            _ = ServeAsync(connection);
        }
    }

    private static async Task ServeAsync(MutualTlsConnection connection)
    {
        await using var owned = connection;
        try
        {
            while (await Message.ReadAsync(connection.Stream) is { } message)
            {
                var answer = message.Word == "pay" && Transfer.Parse(message.Value) is { } transfer
                    ? await ConsiderAsync(connection, transfer)
                    : new Message("refused", "I do not understand");
                await answer.WriteAsync(connection.Stream);
            }
        }
        catch (Exception exception) when (exception is IOException or FormatException)
        {
            // The customer has disconnected, or breaks the protocol; or the library has ended the connection.
        }

        if (connection.Invalidation is { } lost)
        {
            Console.WriteLine($"   bank: {connection.Peer.User} is out, {lost.Rejection.Reason.ToCode()}");
        }
    }

    private static async Task<Message> ConsiderAsync(MutualTlsConnection connection, Transfer transfer)
    {
        if (transfer.Euros < NeedsConfirmation)
        {
            return CarryOut(transfer, proof: null);
        }

        // A fresh exchange inside our own messages, bound to this connection and to these octets.
        await using var stepUp = connection.BeginStepUp(transfer.ToOctets());
        await StepUps.AskAsync(connection.Stream, stepUp);
        if (stepUp.Proof is null)
        {
            Console.WriteLine($"   bank: not carried out, {stepUp.Rejection?.ToString() ?? "nobody confirmed it"}");
            return new Message("refused", $"{transfer}");
        }

        return CarryOut(transfer, stepUp.Proof);
    }

    /// <summary>Code that moves money requires the proof itself, not a flag that there was one.</summary>
    private static Message CarryOut(Transfer transfer, StepUpProof? proof)
    {
        if (transfer.Euros >= NeedsConfirmation && proof?.TryUse(transfer.ToOctets()) != true)
        {
            throw new InvalidOperationException($"{transfer} is not confirmed.");
        }

        Console.WriteLine($"   bank: carried out, {transfer}{(proof is null ? null : $", confirmed by {proof.User}: {proof.Proofs}")}");
        return new Message("done", $"{transfer}");
    }
}
