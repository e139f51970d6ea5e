using System.CommandLine;
using System.Net;
using System.Net.Sockets;
using MutualAuth.Authorization;
using MutualAuth.Connections;
using MutualAuth.Names;
using MutualAuth.Paths;

namespace MutualAuth.Samples;

/// <summary>The server's flags, and what they mean in the library's terms.</summary>
internal sealed class ServerFlags
{
    private readonly Option<string> _listen = new("--listen")
    { HelpName = "HOST:PORT", Required = true, Description = "Where to listen; [ADDRESS]:PORT for IPv6; port 0 takes any." };
    private readonly Option<string[]> _allowDns = PeerFlags.Many("--allow-dns", "NAME", "Accept a client that has this DNS name.");
    private readonly Option<string[]> _allowUri = PeerFlags.Many("--allow-uri", "URI", "Accept a client that has this URI.");
    private readonly Option<string[]> _allowSpiffe = PeerFlags.Many(
        "--allow-spiffe", "ID-or-TRUST-DOMAIN", "Accept this SPIFFE ID, or all members of this trust domain.");
    private readonly Option<string[]> _allowSubject = PeerFlags.Many(
        "--allow-subject", "DN", "Accept a client that has this subject, in the form of RFC 4514.");
    private readonly Option<string[]> _allowUpn = PeerFlags.Many(
        "--allow-upn", "NAME", "Accept a client that has this user principal name, as smart cards and directories of Microsoft have it.");
    private readonly Option<bool> _serverAuthForClients = new("--dangerously-server-auth-for-clients")
    { Description = "Accept clients with a certificate of a public authority, which is for servers alone; only where all are accepted by name." };
    private readonly Option<bool> _sendIssuers = new("--send-acceptable-issuers")
    {
        Description = "Send the names of the trusted authorities, so that clients with several certificates can choose. Every client that connects "
        + "can read them."
    };
    private readonly Option<string[]> _allowFile = PeerFlags.Many(
        "--allow-file", "FILE", "Accept every client that a line of this file names, such as 'dns NAME' or 'spiffe ID'; the file is followed.");
    private readonly Option<bool> _allowAnyTrusted = new("--allow-any-trusted")
    { Description = "Accept every client for which a trusted authority vouches." };
    private readonly Option<double> _handshakeTimeout = new("--handshake-timeout")
    { HelpName = "SECONDS", DefaultValueFactory = _ => 10, Description = "How long a handshake may take, from the first moment." };
    private readonly Option<int> _maxHandshakes = new("--max-handshakes")
    {
        HelpName = "N",
        DefaultValueFactory = _ => Math.Max(2, Environment.ProcessorCount),
        Description = "Handshakes that compute at once; those that wait for their peer do not count. Default: the number of processors.",
    };
    private readonly Option<string[]> _proxyProtocol = PeerFlags.Many(
        "--proxy-protocol", "CIDR", "Demand a PROXY protocol header from these networks, where load balancers are.");
    private readonly Option<bool> _resume = new("--resume")
    { Description = "Has no effect in this version: a ticket that TLS 1.3 sends cannot be used, and every connection is a full handshake." };
    private readonly PeerFlags _peer;
    private readonly ServerLoginFlags _login;

    /// <param name="command">The command that gets the flags.</param>
    internal ServerFlags(Command command)
    {
        Command = command;
        Command.Options.Add(_listen);
        _peer = new PeerFlags(Command);
        _login = new ServerLoginFlags(Command);
        foreach (var option in new Option[]
        {
            _allowDns, _allowUri, _allowSpiffe, _allowSubject, _allowUpn, _allowAnyTrusted, _allowFile, _serverAuthForClients, _sendIssuers,
            _handshakeTimeout, _maxHandshakes, _proxyProtocol, _resume,
        })
        {
            Command.Options.Add(option);
        }
    }

    internal Command Command { get; }

    /// <summary>What a client adds to its command line in order to log in.</summary>
    internal string LoginHint(ParseResult arguments) => _login.LetsUsersIn(arguments) ? " --user NAME --password-file FILE" : string.Empty;

    /// <summary>What the accepted line ends with.</summary>
    internal string Group(ParseResult arguments, SessionFacts session) => _peer.Group(arguments, session);

    /// <exception cref="UsageException">The flags cannot be followed.</exception>
    internal (MutualTlsListenerOptions Options, Throwaway? Throwaway) Read(ParseResult arguments)
    {
        try
        {
            Check(arguments);
            var identity = _peer.Identity(arguments, PeerRole.Server);
            var throwaway = identity is null ? Throwaway.Create(arguments.GetRequiredValue(_listen)) : null;
            var server = new MutualTlsServer(new MutualTlsServerOptions
            {
                Identity = identity ?? throwaway!.Server,
                Trust = (ITrustSource?)throwaway?.Trust ?? _peer.Trust(arguments),
                Authorization = Authorization(arguments, throwaway),
                Credentials = _login.Read(arguments, (identity ?? throwaway!.Server).Current.Certificate.DnsNames.FirstOrDefault()),
                Revocation = _peer.Revocation(arguments),
                Pins = _peer.Pins(arguments),
                Profile = _peer.Profile(
                    arguments,
                    arguments.GetValue(_serverAuthForClients) ? PurposeRule.DangerouslyServerAuthForClients : PurposeRule.Required),
                SendAcceptableIssuers = arguments.GetValue(_sendIssuers),
                CipherSuites = _peer.CipherSuites(arguments),
                KeyExchange = _peer.KeyExchange(arguments),
                ApplicationProtocols = _peer.Protocols(arguments),
                MinimumTlsVersion = _peer.MinimumTls(arguments),
                Confirmation = _peer.Confirmation(arguments),
                LoggerFactory = new LibraryNotes(),
                HandshakeTimeout = TimeSpan.FromSeconds(arguments.GetValue(_handshakeTimeout)),
            });
            return (new MutualTlsListenerOptions
            {
                EndPoint = EndPoint(arguments.GetRequiredValue(_listen)),
                Server = server,
                MaxConcurrentHandshakes = arguments.GetValue(_maxHandshakes),
                ProxyProtocol = arguments.GetRequiredValue(_proxyProtocol) is { Length: > 0 } networks
                    ? new ProxyProtocol { TrustedProxies = [.. networks.Select(Network)] }
                    : null,
            }, throwaway);
        }
        catch (Exception exception) when (exception is FormatException or ArgumentException or OverflowException)
        {
            throw new UsageException(exception.Message);
        }
    }

    private void Check(ParseResult arguments)
    {
        if (arguments.GetValue(_resume))
        {
            CommandLine.Note("--resume: sessions are not resumed in this version; every connection is a full handshake, judged anew.");
        }

        if (_peer.HasCertificate(arguments) != _peer.HasTrust(arguments))
        {
            throw new UsageException("--certificate and --trust go together: give both, or neither for a throwaway authority.");
        }
    }

    private AuthorizationRule Authorization(ParseResult arguments, Throwaway? throwaway)
    {
        AuthorizationRule[] rules =
        [
            .. arguments.GetRequiredValue(_allowDns).Select(Authorize.Dns),
            .. arguments.GetRequiredValue(_allowUri).Select(Authorize.Uri),
            .. arguments.GetRequiredValue(_allowSpiffe).Select(
                text => SpiffeId.TryParse(text, out var id) ? Authorize.SpiffeId(id) : Authorize.MemberOf(text)),
            .. arguments.GetRequiredValue(_allowSubject).Select(Authorize.Subject),
            .. arguments.GetRequiredValue(_allowUpn).Select(Authorize.UserPrincipalName),
            .. arguments.GetRequiredValue(_allowFile).Select(path => Authorize.From(new AuthorizationFile(path))),
            .. arguments.GetValue(_allowAnyTrusted) ? [Authorize.AnyTrustedPeer] : Array.Empty<AuthorizationRule>(),
        ];
        return rules switch
        {
            [] when throwaway is not null => throwaway.OnlyItsClient,
            [] when !_login.AsksForCertificate(arguments) => Authorize.Nobody, // no certificate is requested: users are accepted, not devices
            [] => throw new UsageException(
                "Say who is let in: --allow-dns, --allow-uri, --allow-spiffe, --allow-subject, --allow-upn, --allow-file or --allow-any-trusted."),
            _ => Authorize.AnyOf(rules),
        };
    }

    private static IPNetwork Network(string text) => IPNetwork.TryParse(text, out var network)
        ? network
        : throw new UsageException($"--proxy-protocol: '{text}' is no network, such as 10.1.2.0/24 or 2001:db8::/32, whose further bits are 0.");

    private static IPEndPoint EndPoint(string text)
    {
        var (host, port) = CommandLine.ParseHostAndPort("--listen", text);
        try
        {
            return new IPEndPoint(IPAddress.TryParse(host, out var address) ? address : Dns.GetHostAddresses(host)[0], port);
        }
        catch (SocketException exception)
        {
            throw new UsageException($"--listen: {host} has no address: {exception.Message}");
        }
    }
}
