using System.CommandLine;
using System.Net;

namespace MutualAuth.Samples;

/// <summary>The client's flags, and what they mean in the library's terms.</summary>
internal sealed class ClientFlags
{
    private readonly Option<string> _connect = new("--connect")
    { HelpName = "HOST:PORT", Required = true, Description = "The server; [ADDRESS]:PORT for IPv6." };
    private readonly Option<string?> _serverName = new("--server-name")
    { HelpName = "NAME", Description = "The name that its certificate must have. Default: HOST." };
    private readonly PeerFlags _peer;
    private readonly ClientLoginFlags _login;

    /// <param name="command">The command that gets the flags.</param>
    internal ClientFlags(Command command)
    {
        Command = command;
        Command.Options.Add(_connect);
        Command.Options.Add(_serverName);
        _peer = new PeerFlags(Command);
        _login = new ClientLoginFlags(Command);
    }

    internal Command Command { get; }

    /// <summary>What the accepted line ends with.</summary>
    internal string Group(ParseResult arguments, SessionFacts session) => _peer.Group(arguments, session);

    /// <exception cref="UsageException">The flags cannot be followed.</exception>
    internal (MutualTlsClient Client, EndPoint EndPoint, string ServerName) Read(ParseResult arguments)
    {
        try
        {
            if (!_peer.HasTrust(arguments))
            {
                throw new UsageException("Say whom to trust: --trust FILE.");
            }

            var connect = arguments.GetRequiredValue(_connect);
            var serverName = arguments.GetValue(_serverName) ?? CommandLine.ParseHostAndPort("--connect", connect).Host;
            var client = new MutualTlsClient(new MutualTlsClientOptions
            {
                Identity = _peer.Identity(arguments, PeerRole.Client) is { } identity ? ClientIdentity.From(identity) : ClientIdentity.None,
                Trust = _peer.Trust(arguments),
                Authorization = Authorize.ServerName,
                Credentials = _login.Read(arguments, serverName),
                Revocation = _peer.Revocation(arguments),
                Pins = _peer.Pins(arguments),
                Profile = _peer.Profile(arguments),
                CipherSuites = _peer.CipherSuites(arguments),
                KeyExchange = _peer.KeyExchange(arguments),
                ApplicationProtocols = _peer.Protocols(arguments),
                MinimumTlsVersion = _peer.MinimumTls(arguments),
                Confirmation = _peer.Confirmation(arguments),
                LoggerFactory = new LibraryNotes(),
            });
            _ = MutualAuth.ServerName.Parse(serverName); // says what is wrong with it
            return (client, CommandLine.ToEndPoint("--connect", connect), serverName);
        }
        catch (Exception exception) when (exception is FormatException or ArgumentException)
        {
            throw new UsageException(exception.Message);
        }
    }
}
