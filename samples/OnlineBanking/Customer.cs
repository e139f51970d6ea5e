using System.Net;
using MutualAuth.Credentials;

namespace MutualAuth.Samples;

/// <summary>The customer's program.</summary>
internal sealed class Customer : IAsyncDisposable
{
    private readonly MutualTlsConnection _connection;

    private Customer(MutualTlsConnection connection) => _connection = connection;

    internal static async Task<Customer> LogInAsync(MutualTlsClientOptions options, EndPoint bank)
    {
        var connection = await new MutualTlsClient(options).ConnectAsync(bank, "bank.test");
        Console.WriteLine($"   customer: this is {connection.Peer.Name}, and it knows me: {connection.Peer.Proofs}");
        return new Customer(connection);
    }

    internal Task PayAsync(Transfer transfer, ClientCredentials? confirmation = null) => PayAsync(transfer, transfer, confirmation);

    /// <summary>Sends one transfer, and confirms what was shown: the same one, in an honest program.</summary>
    internal async Task PayAsync(Transfer shown, Transfer sent, ClientCredentials? confirmation = null)
    {
        var answer = await AskAsync(new Message("pay", sent.ToJson()));
        if (answer.Word == StepUps.Word)
        {
            answer = confirmation is null ? await AskAsync(new Message("no", string.Empty)) : await ConfirmAsync(shown, confirmation, answer);
        }

        Console.WriteLine($"   customer: {answer.Word}, {answer.Value}");
    }

    /// <summary>What a program does by itself, so that proxies keep the connection.</summary>
    internal async Task KeepAliveAsync() =>
        Console.WriteLine($"   customer: {(await AskAsync(new Message(Bank.Alive, string.Empty))).Word}, says the bank to my program");

    /// <summary>Waits until the bank has ended the connection.</summary>
    internal async Task WaitForEndAsync()
    {
        try
        {
            await ReceiveAsync().WaitAsync(TimeSpan.FromSeconds(15));
        }
        catch (IOException)
        {
            Console.WriteLine("   customer: the bank has ended the connection");
        }
    }

    public ValueTask DisposeAsync() => _connection.DisposeAsync();

    private async Task<Message> ConfirmAsync(Transfer shown, ClientCredentials credentials, Message first)
    {
        using var responder = _connection.AnswerStepUp(credentials, shown.ToPayment().ToTransaction());
        await StepUps.AnswerAsync(_connection.Stream, responder, first);
        Console.WriteLine(responder.IsConfirmed
            ? "   customer: confirmed"
            : $"   customer: not confirmed, {responder.PeerReason?.ToCode() ?? responder.Rejection!.Reason.ToCode()}");
        return await ReceiveAsync();
    }

    private async Task<Message> AskAsync(Message message)
    {
        await message.WriteAsync(_connection.Stream);
        return await ReceiveAsync();
    }

    private async Task<Message> ReceiveAsync() => await Message.ReadAsync(_connection.Stream) ?? throw new IOException("The bank has hung up.");
}
