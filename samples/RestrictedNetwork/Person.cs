using System.Net;
using System.Text;
using MutualAuth.Credentials;

namespace MutualAuth.Samples;

/// <summary>The program of a person who stands at the vault.</summary>
internal sealed class Person : IAsyncDisposable
{
    private readonly string _name;
    private readonly ClientCredentials _credentials;
    private readonly MutualTlsConnection _connection;

    private Person(string name, ClientCredentials credentials, MutualTlsConnection connection)
    {
        _name = name;
        _credentials = credentials;
        _connection = connection;
    }

    internal static async Task<Person> EnterAsync(string name, MutualTlsClientOptions options, EndPoint vault) =>
        new(name, options.Credentials!, await new MutualTlsClient(options).ConnectAsync(vault, "gate.test"));

    /// <summary>Confirms the act that was shown. A program that sends another one is not the person's own.</summary>
    internal async Task ConfirmAsync(string shown, string? sent = null)
    {
        await new Message("act", sent ?? shown).WriteAsync(_connection.Stream);
        using var responder = _connection.AnswerStepUp(_credentials, Encoding.UTF8.GetBytes(shown));
        await StepUps.AnswerAsync(_connection.Stream, responder, await ReceiveAsync());
        Console.WriteLine($"told     {_name}, who confirmed {shown}: {(await ReceiveAsync()).Value}");
    }

    /// <summary>Leaves, and waits until the vault has noticed.</summary>
    internal async Task LeaveAsync()
    {
        await new Message("leave", "-").WriteAsync(_connection.Stream);
        while (await Message.ReadAsync(_connection.Stream) is not null)
        {
            // The vault says nothing more of its own accord.
        }
    }

    private async Task<Message> ReceiveAsync() =>
        await Message.ReadAsync(_connection.Stream) ?? throw new IOException("The vault has hung up.");

    public ValueTask DisposeAsync() => _connection.DisposeAsync();
}
