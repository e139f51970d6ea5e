using System.Security.Cryptography;
using MutualAuth.Errors;

namespace MutualAuth.Credentials;

/// <summary>
/// A client's place for the reconnect credential of one server: in memory only, shown at the next login there, and wiped when another takes its
/// place, when it is forgotten, and when this is disposed of.
/// </summary>
/// <remarks>
/// Give <see cref="ReconnectExtensions.Reconnecting"/> one object, and keep it as long as the program connects to that server. While it holds
/// nothing, or what it holds does not fit the connection, the client logs in in full. Safe for use from many threads.
/// </remarks>
/// <example>
/// <code>
/// using var held = new HeldReconnectCredential();
/// var credentials = Login.WithPassword("alice", password).Reconnecting(held);
/// held.Receive(connection.Peer, octets); // which the server has sent after the login
/// </code>
/// </example>
public sealed class HeldReconnectCredential : IDisposable
{
    private readonly TimeProvider _time;
    private readonly Lock _lock = new();
    private byte[]? _issued;
    private PeerName? _server;
    private bool _isDisposed;

    /// <summary>Makes an empty place.</summary>
    /// <param name="timeProvider">The clock; null means the system's. A credential that is over by it is not shown.</param>
    public HeldReconnectCredential(TimeProvider? timeProvider = null)
    {
        _time = timeProvider ?? TimeProvider.System;
        Mechanism = new Client(this);
    }

    /// <summary>When the credential that is held is over, as the server said; null when none is held.</summary>
    public DateTimeOffset? NotAfter
    {
        get
        {
            lock (_lock)
            {
                return _issued is null ? null : ReconnectWire.NotAfterOf(_issued);
            }
        }
    }

    internal ISaslClientMechanism Mechanism { get; }

    /// <summary>Takes what the server has issued on this connection. What was held before is wiped.</summary>
    /// <param name="server">The server that sent them, <see cref="MutualTlsConnection.Peer"/> of the connection: it alone is shown them.</param>
    /// <param name="octets">
    /// What <see cref="ReconnectIssue.Octets"/> had at the server; they are copied, and wiping them is left to the caller.
    /// </param>
    /// <returns>False when they are not of that form; nothing is held then.</returns>
    /// <exception cref="ArgumentNullException"><paramref name="server"/> is null.</exception>
    /// <exception cref="ObjectDisposedException">It has been disposed of.</exception>
    public bool Receive(AuthenticatedPeer server, ReadOnlySpan<byte> octets)
    {
        ArgumentNullException.ThrowIfNull(server);
        lock (_lock)
        {
            ObjectDisposedException.ThrowIf(_isDisposed, this);
            Wipe();
            if (!ReconnectWire.IsIssued(octets))
            {
                return false;
            }

            // Pinned, so that the garbage collector leaves no copies.
            _issued = GC.AllocateUninitializedArray<byte>(octets.Length, pinned: true);
            octets.CopyTo(_issued);
            _server = server.ProvenName;
            return true;
        }
    }

    /// <summary>Wipes what is held: after a refusal, and when the user logs out.</summary>
    /// <returns>False when nothing was held.</returns>
    public bool Forget()
    {
        lock (_lock)
        {
            var hasHeld = _issued is not null;
            Wipe();
            return hasHeld;
        }
    }

    /// <summary>Wipes what is held. Logins are full ones from then on.</summary>
    public void Dispose()
    {
        lock (_lock)
        {
            _isDisposed = true;
            Wipe();
        }
    }

    private void Wipe()
    {
        CryptographicOperations.ZeroMemory(_issued);
        (_issued, _server) = (null, null);
    }

    /// <summary>Whether what is held is for this server, and for the key that we have shown to it, and is not over.</summary>
    private bool Fits(SaslClientContext context)
    {
        lock (_lock)
        {
            return _issued is not null
                && context is { ChannelBinding: not null, OwnIdentity: { } own }
                && context.Server.ProvenName.Equals(_server)
                && ReconnectWire.ClientKeyOf(_issued).SequenceEqual(SHA256.HashData(own.Certificate.SubjectPublicKeyInfo.Span))
                && _time.GetUtcNow() < ReconnectWire.NotAfterOf(_issued);
        }
    }

    private sealed class Client(HeldReconnectCredential held) : ISaslClientMechanism
    {
        public IEnumerable<string> NamesFor(SaslClientContext context) => held.Fits(context) ? [ReconnectServer.Name] : [];

        public ISaslClientExchange Begin(string name, SaslClientContext context) => new Exchange(held, context);
    }

    private sealed class Exchange(HeldReconnectCredential held, SaslClientContext context) : ISaslClientExchange
    {
        private byte[]? _expected;

        public ValueTask<ReadOnlyMemory<byte>?> StartAsync(CancellationToken cancellationToken)
        {
            var nonce = RandomNumberGenerator.GetBytes(ReconnectWire.DigestLength);
            lock (held._lock)
            {
                if (held._issued is not { } issued)
                {
                    throw new InvalidOperationException("The reconnect credential was forgotten while the client was logging in.");
                }

                _expected = ReconnectWire.ExpectedAnswer(issued, nonce, context.ChannelBinding!);
                return ValueTask.FromResult<ReadOnlyMemory<byte>?>(ReconnectWire.WriteShown(issued, nonce, context.ChannelBinding!));
            }
        }

        public ValueTask<SaslClientStep> StepAsync(ReadOnlyMemory<byte> challenge, CancellationToken cancellationToken) =>
            ValueTask.FromResult(SaslClientStep.Refuse(new Rejection(
                RejectionReason.CredentialProtocolViolated, "an outcome after the reconnect credential", "a challenge")));

        public SaslClientEnd Complete(ReadOnlyMemory<byte>? additionalData) =>
            additionalData is { } data && _expected is not null && CryptographicOperations.FixedTimeEquals(data.Span, _expected)
                ? new SaslClientEnd(null, PeerProofs.ReconnectCredential | PeerProofs.ChannelBinding)
                : new SaslClientEnd(
                    new Rejection(
                        RejectionReason.ServerSignatureWrong,
                        "proof that the server has issued our reconnect credential",
                        additionalData is null ? "none" : "a wrong one")
                    { Rule = "docs/protocol.md §12.1" },
                    PeerProofs.None);

        public void Dispose() => _expected = null;
    }
}
