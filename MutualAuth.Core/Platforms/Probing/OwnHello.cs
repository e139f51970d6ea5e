using System.Collections.Immutable;
using System.Net.Security;
using System.Security.Authentication;
using System.Text;
using MutualAuth.Hello;

namespace MutualAuth.Platforms;

/// <summary>Has the platform begin a handshake without a peer, and reads the hello that it would have sent.</summary>
internal static class OwnHello
{
    internal const string ServerName = "ourselves.invalid";

    private const byte ClientHelloMessage = 1;

    private const int GroupsExtension = 10;
    private const int SignaturesExtension = 13;
    private const int AlpnExtension = 16;
    private const int TicketExtension = 35;
    private const int PreSharedKeyExtension = 41;
    private const int VersionsExtension = 43;
    private const int PskModesExtension = 45;
    private const int KeyShareExtension = 51;

    /// <summary>Never throws: what goes wrong is the problem of the result.</summary>
    internal static ClientCapabilities Read(TlsChoice choice)
    {
        try
        {
            return Parse(Send(choice)) ?? new ClientCapabilities { Problem = "the hello of the platform cannot be read." };
        }
        catch (Exception exception)
        {
            return new ClientCapabilities { Problem = $"the platform begins no handshake: {exception.Message}" };
        }
    }

    /// <summary>Reads the first flight of a client; null when it holds no whole hello.</summary>
    internal static ClientCapabilities? Parse(ReadOnlySpan<byte> flight)
    {
        if (TlsMessages.In(flight).FirstOrDefault() is not (ClientHelloMessage, { } body))
        {
            return null;
        }

        var reader = new WireReader(body);
        if (!reader.TryReadUInt16(out var legacyVersion)
            || !reader.TryRead(32, out _)
            || !reader.TryReadVector8(out _)
            || !reader.TryReadVector16(out var suites)
            || !reader.TryReadVector8(out _))
        {
            return null;
        }

        var extensions = new Dictionary<int, byte[]>();
        if (reader.TryReadVector16(out var block))
        {
            var each = new WireReader(block);
            while (each.TryReadUInt16(out var type) && each.TryReadVector16(out var data))
            {
                extensions[type] = data.ToArray();
            }
        }

        return new ClientCapabilities
        {
            Versions = extensions.TryGetValue(VersionsExtension, out var versions)
                ? [.. TlsMessages.Numbers(versions.AsSpan(Math.Min(1, versions.Length)))]
                : [legacyVersion],
            CipherSuites = [.. TlsMessages.Numbers(suites).Where(suite => !IsSignal(suite)).Select(suite => (TlsCipherSuite)suite)],
            KeyExchangeGroups = [.. ListIn(extensions, GroupsExtension).Select(group => (KeyExchangeGroup)group)],
            KeyShares = SharesIn(extensions),
            SignatureSchemes = [.. ListIn(extensions, SignaturesExtension).Select(scheme => (TlsSignatureScheme)scheme)],
            TakesTickets = extensions.ContainsKey(TicketExtension) || extensions.ContainsKey(PreSharedKeyExtension),
            PskModes = extensions.TryGetValue(PskModesExtension, out var modes) ? [.. modes.Skip(1).Select(mode => (int)mode)] : [],
            ApplicationProtocols = ProtocolsIn(extensions),
        };
    }

    /// <summary>Two signals stand among the suites: that for secure renegotiation, and that of a client that falls back.</summary>
    internal static bool IsSignal(int suite) => suite is 0x00ff or 0x5600;

    private static byte[] Send(TlsChoice choice)
    {
        var wire = new FlightStream(default);
        using var client = new SslStream(wire);
        try
        {
            client.AuthenticateAsClient(new SslClientAuthenticationOptions
            {
                TargetHost = ServerName,
                EnabledSslProtocols = choice.Versions,
                CipherSuitesPolicy = choice.ToPolicy(),
                AllowRenegotiation = false,
                AllowTlsResume = false,
                RemoteCertificateValidationCallback = (_, _, _, _) => false,
            });
        }
        catch (Exception exception) when (exception is IOException or AuthenticationException && !wire.Written.IsEmpty)
        {
            // No peer answers.
        }

        return wire.Written.ToArray();
    }

    private static IEnumerable<int> ListIn(Dictionary<int, byte[]> extensions, int type) =>
        extensions.TryGetValue(type, out var data) && new WireReader(data).TryReadVector16(out var list) ? TlsMessages.Numbers(list) : [];

    private static ImmutableArray<KeyExchangeGroup> SharesIn(Dictionary<int, byte[]> extensions)
    {
        var groups = ImmutableArray.CreateBuilder<KeyExchangeGroup>();
        if (extensions.TryGetValue(KeyShareExtension, out var data) && new WireReader(data).TryReadVector16(out var shares))
        {
            var each = new WireReader(shares);
            while (each.TryReadUInt16(out var group) && each.TryReadVector16(out _))
            {
                groups.Add((KeyExchangeGroup)group);
            }
        }

        return groups.DrainToImmutable();
    }

    private static ImmutableArray<string> ProtocolsIn(Dictionary<int, byte[]> extensions)
    {
        var protocols = ImmutableArray.CreateBuilder<string>();
        if (extensions.TryGetValue(AlpnExtension, out var data) && new WireReader(data).TryReadVector16(out var list))
        {
            var each = new WireReader(list);
            while (each.TryReadVector8(out var name))
            {
                protocols.Add(Encoding.Latin1.GetString(name));
            }
        }

        return protocols.DrainToImmutable();
    }
}
