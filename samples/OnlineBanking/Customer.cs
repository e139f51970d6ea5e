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

    internal Task PayAsync(Transfer transfer, ClientCredentials? typedOnceMore = null) => PayAsync(transfer, transfer, typedOnceMore);

    /// <summary>Sends one transfer, and confirms what was shown: the same one, in an honest program.</summary>
    internal async Task PayAsync(Transfer shown, Transfer sent, ClientCredentials? typedOnceMore = null)
    {
        var answer = await AskAsync(new Message("pay", $"{sent}"));
        if (answer.Word == "confirm")
        {
            answer = typedOnceMore is null
                ? await AskAsync(new Message("no", string.Empty))
                : await ConfirmAsync(shown, typedOnceMore, answer);
        }

        Console.WriteLine($"   customer: {answer.Word}, {answer.Value}");
    }

    public ValueTask DisposeAsync() => _connection.DisposeAsync();

    private async Task<Message> ConfirmAsync(Transfer shown, ClientCredentials credentials, Message answer)
    {
        using var responder = _connection.AnswerStepUp(credentials, shown.ToOctets());
        while (answer.Word == "confirm" && await responder.AnswerAsync(Convert.FromBase64String(answer.Value)) is { } message)
        {
            answer = await AskAsync(new Message("confirm", Convert.ToBase64String(message)));
        }

        if (responder.IsConfirmed)
        {
            // The bank has proven in turn that it knows the verifier, and what it confirmed.
            Console.WriteLine("   customer: the bank has proven itself once more");
        }

        return answer.Word == "confirm" ? await ReceiveAsync() : answer;
    }

    private async Task<Message> AskAsync(Message message)
    {
        await message.WriteAsync(_connection.Stream);
        return await ReceiveAsync();
    }

    private async Task<Message> ReceiveAsync() => await Message.ReadAsync(_connection.Stream) ?? throw new IOException("The bank has hung up.");
}
