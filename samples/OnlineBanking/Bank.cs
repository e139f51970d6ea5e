using System.Net;
using MutualAuth.Credentials;
using MutualAuth.Factors;

namespace MutualAuth.Samples;

/// <summary>
/// The bank: authenticates customers by password and passkey, and asks for a proof that the customer's passkey confirmed the payment, unless it is
/// one of the few small ones that go without.
/// </summary>
internal sealed class Bank : IAsyncDisposable
{
    /// <summary>What the customer's program says by itself.</summary>
    internal const string Alive = "alive";

    internal static PasskeyOptions Passkeys { get; } = new() { RelyingParty = "bank.test" };

    private readonly MutualTlsListener _listener;
    private readonly Ledger _ledger;
    private readonly Task _serving;

    private Bank(MutualTlsListener listener, Ledger ledger)
    {
        _listener = listener;
        _ledger = ledger;
        _serving = ServeAsync();
    }

    internal EndPoint EndPoint => _listener.LocalEndPoint;

    internal static Bank Open(MutualTlsServerOptions demands, Ledger ledger, Action<HandshakeException> onRefusal) => new(
        MutualTlsListener.Start(new MutualTlsListenerOptions
        {
            EndPoint = new IPEndPoint(IPAddress.Loopback, 0),
            Server = new MutualTlsServer(demands),
            OnHandshakeFailed = onRefusal,
        }),
        ledger);

    internal static MutualTlsServerOptions Demands(
        Identity identity, DatabaseCredentialStore users, ITrustSource trust, Func<LockOutNotice, CancellationToken, ValueTask> tellUser) => new()
        {
            Identity = identity,
            Trust = trust,
            Authorization = Authorize.Nobody, // by a certificate: users are accepted, not devices
            Credentials = Require.User(SaslServer.Scram(users)) with
            {
                SecondFactors = [SecondFactors.Passkeys(users, Passkeys)],
                LoginFactors = FactorRequirement.TwoKinds, // what one knows and what one has (art. 4(1))
                StepUpFactors = FactorRequirement.Proofs(PeerProofs.Passkey | PeerProofs.UserVerification), // a key, and a person at it
                UniformRefusalTime = TimeSpan.FromMilliseconds(300), // whichever factor is wrong: one word at one time (art. 4(3)(a))
                LockOut = new LockOutPolicy
                {
                    Failures = 5, // the most that art. 4(3)(b) permits, for logins and confirmations together
                    Duration = TimeSpan.FromMinutes(15),
                    ExemptsKnownPlaces = false, // the regulation knows no exception
                    TellUser = tellUser,
                },
            },
            Revalidation = new RevalidationPolicy
            {
                UserInactivityTimeout = TimeSpan.FromMinutes(5), // the most that art. 4(3)(d) permits; what a program does by itself does not count
                OnUserInactive = InvalidationAction.Abort, // a grace period would come on top
                RecheckInterval = TimeSpan.FromSeconds(1), // customers who are connected
            },
        };

    public async ValueTask DisposeAsync()
    {
        await _listener.DisposeAsync();
        await _serving;
    }

    private async Task ServeAsync()
    {
        var sessions = new List<Task>();
        await foreach (var connection in _listener.AcceptAllAsync())
        {
            Console.WriteLine($"   bank: {connection.Peer.User} is in: {connection.Peer.Proofs}");
            sessions.Add(ServeAsync(connection));
        }

        await Task.WhenAll(sessions);
    }

    private async Task ServeAsync(MutualTlsConnection connection)
    {
        await using var owned = connection;
        try
        {
            while (await Message.ReadAsync(connection.Stream) is { } message)
            {
                if (message.Word == Alive)
                {
                    await message.WriteAsync(connection.Stream); // the program is there; of the person that says nothing
                    continue;
                }

                if (!connection.RecordUserActivity())
                {
                    break; // too late: the customer has been away, and logs in again
                }

                var answer = message.Word == "pay" && Transfer.Read(message.Value) is { } transfer
                    ? await ConsiderAsync(connection, transfer)
                    : new Message("refused", "this is no payment that a bank can carry out");
                await answer.WriteAsync(connection.Stream);
            }
        }
        catch (Exception exception) when (exception is IOException or FormatException)
        {
            // The customer has disconnected, or breaks the protocol; or the library has ended the connection.
        }

        if (connection.Invalidation is { } lost)
        {
            Console.WriteLine($"   bank: {connection.Peer.User} is out, {lost.Rejection}");
        }
    }

    private async Task<Message> ConsiderAsync(MutualTlsConnection connection, Transfer transfer)
    {
        var customer = connection.Peer.User!.Name;
        var decision = _ledger.CarryOutUnconfirmed(customer, transfer);
        if (decision != Decision.NeedsConfirmation)
        {
            return Tell(decision, transfer, $"without a confirmation of {connection.Peer.User}");
        }

        // A fresh exchange inside our own messages, bound to this connection and to this payment.
        await using var stepUp = connection.BeginStepUp(transfer.ToPayment().ToTransaction());
        await StepUps.AskAsync(connection.Stream, stepUp);
        if (stepUp.Proof is not { } proof)
        {
            Console.WriteLine($"   bank: not carried out, {stepUp.Rejection?.ToString() ?? "nobody confirmed it"}");
            return new Message("refused", $"{transfer}");
        }

        return Tell(_ledger.CarryOut(customer, transfer, proof), transfer, $"confirmed by {proof.User}: {proof.Proofs}");
    }

    private static Message Tell(Decision decision, Transfer transfer, string how)
    {
        if (decision == Decision.CarriedOut)
        {
            Console.WriteLine($"   bank: carried out, {transfer}, {how}");
            return new Message("done", $"{transfer}");
        }

        Console.WriteLine($"   bank: not carried out, {transfer.Reference} has been used");
        return new Message("refused", $"{transfer.Reference} has been used");
    }
}
