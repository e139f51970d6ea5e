using System.Collections.Immutable;
using System.Net.Security;
using System.Security.Authentication;

namespace MutualAuth.Platforms;

/// <summary>
/// Asks a server of this process in memory what it takes: each hello offers what is left, the server chooses, and what it chose is left out of the
/// next one, until it refuses. Then it is asked for every number that has no name. What there is to choose bounds the number of questions.
/// </summary>
internal sealed class ServerQuestions(TlsChoice choice, OwnCertificates certificates, CancellationToken cancellationToken)
{
    private static readonly int[] s_versions = [0x0300, 0x0301, 0x0302, QuestionHello.Tls12, QuestionHello.Tls13];

    private static readonly int[] s_suites =
        [.. Enum.GetValues<TlsCipherSuite>().Select(suite => (int)suite).Where(suite => !OwnHello.IsSignal(suite))];

    private static readonly int[] s_suites13 = [.. s_suites.Where(suite => suite >> 8 == 0x13)];

    private static readonly int[] s_suites12 = [.. s_suites.Except(s_suites13)];

    // Curves; finite fields; ML-KEM and hybrids, final and as they were tried first. Whatever OpenSSL, SChannel and their like have.
    private static readonly int[] s_groups =
    [
        .. Enumerable.Range(0x0001, 0x29), .. Enumerable.Range(0x0100, 5), .. Enumerable.Range(0x0200, 3), .. Enumerable.Range(0x11eb, 4), 0x6399,
        0x639a,
    ];

    private static readonly int[] s_schemes = [.. Enum.GetValues<TlsSignatureScheme>().Select(scheme => (int)scheme)];

    // In one hello, so that the list fits into 65,535 octets.
    private const int MostAtOnce = 30_000;

    private readonly List<string> _problems = [];

    /// <summary>Asks everything.</summary>
    /// <exception cref="OperationCanceledException">It took too long.</exception>
    /// <param name="ourselves">What whole handshakes have shown.</param>
    internal ServerCapabilities Ask(OwnHandshakes.Outcome ourselves)
    {
        int[] versions = [.. s_versions.Where(version => certificates.All.Any(certificate => Answers(version, certificate)))];
        var suites13 = versions.Contains(QuestionHello.Tls13) ? Exhaust(s_suites13, (left, with) =>
            Ask(new QuestionHello(QuestionHello.Tls13, left, s_groups, s_schemes), with)?.Suite) : [];
        var suites12 = Exhaust(
            s_suites12,
            (left, with) => versions.Where(version => version != QuestionHello.Tls13)
                .Select(version => Ask(new QuestionHello(version, left, s_groups, s_schemes), with)?.Suite)
                .FirstOrDefault(suite => suite is not null));
        var groups13 = Exhaust(
            s_groups, (left, with) => Ask(new QuestionHello(QuestionHello.Tls13, s_suites13, left, s_schemes), with)?.Group);
        var groups12 = Exhaust(
            s_groups, (left, with) => Ask(new QuestionHello(QuestionHello.Tls12, s_suites12, left, s_schemes), with)?.Group);
        return new ServerCapabilities
        {
            Versions = [.. versions.OrderDescending()],
            CipherSuites = [.. suites13.Concat(suites12).Select(suite => (TlsCipherSuite)suite)],
            KeyExchangeGroups = [.. groups13.Union(groups12).Select(group => (KeyExchangeGroup)group)],
            SignatureSchemes = [.. SchemesOfClients(versions, groups13)],
            OwnSignatureSchemes = [.. OwnSchemes(versions)],
            GivesSessions = ourselves.GivesNoSessions ? PlatformAnswer.No
                : ourselves.Hellos.Count > 0 && OperatingSystem.IsLinux() ? PlatformAnswer.Yes
                : PlatformAnswer.Unknown,
            Problem = _problems.Count == 0 ? null : string.Join(' ', _problems),
        };
    }

    private bool Answers(int version, SslStreamCertificateContext certificate) =>
        Ask(new QuestionHello(version, SuitesOf(version), s_groups, s_schemes), certificate)?.Version == version;

    private static int[] SuitesOf(int version) => version == QuestionHello.Tls13 ? s_suites13 : s_suites12;

    /// <summary>What is chosen of these with any of the certificates, in the order of the choice.</summary>
    private List<int> Exhaust(int[] all, Func<int[], SslStreamCertificateContext, int?> chosen)
    {
        var found = new List<int>();
        foreach (var certificate in certificates.All)
        {
            foreach (var some in WithThoseWithoutName(all))
            {
                int[] left = some;
                while (left.Length > 0 && chosen(left, certificate) is { } one && left.Contains(one))
                {
                    left = [.. left.Where(other => other != one)];
                    if (!found.Contains(one))
                    {
                        found.Add(one);
                    }
                }
            }
        }

        return found;
    }

    /// <summary>First those that are known, and then all other numbers. Signals are none, and RFC 8701 keeps some free.</summary>
    private static IEnumerable<int[]> WithThoseWithoutName(int[] known) =>
        Enumerable.Range(1, ushort.MaxValue).Except(known).Where(number => !OwnHello.IsSignal(number) && (number & 0x0f0f) != 0x0a0a)
            .Chunk(MostAtOnce).Prepend(known);

    /// <summary>With which of all signatures it would sign, asked for each alone.</summary>
    private IEnumerable<TlsSignatureScheme> OwnSchemes(int[] versions) =>
        from scheme in s_schemes
        where versions.Any(version => certificates.All.Any(certificate => Signs(version, scheme, certificate)))
        select (TlsSignatureScheme)scheme;

    private bool Signs(int version, int scheme, SslStreamCertificateContext certificate)
    {
        var answer = Ask(new QuestionHello(version, SuitesOf(version), s_groups, [scheme]), certificate);

        // A key exchange that is not signed says nothing.
        return answer is not null && (version == QuestionHello.Tls13 || answer.Signature == scheme);
    }

    /// <summary>What it tells clients that they may sign with. In TLS 1.2 it says so in the clear.</summary>
    private IEnumerable<TlsSignatureScheme> SchemesOfClients(int[] versions, List<int> groups13)
    {
        var schemes = new List<int>();
        foreach (var version in versions.OrderDescending())
        {
            if (SchemesOfClients(version, groups13) is { IsDefaultOrEmpty: false } told)
            {
                schemes.AddRange(told);
            }
            else
            {
                _problems.Add($"which signatures it takes of clients in the version 0x{version:x4} cannot be read.");
            }
        }

        return schemes.Distinct().Select(scheme => (TlsSignatureScheme)scheme);
    }

    private ImmutableArray<int> SchemesOfClients(int version, List<int> groups13)
    {
        foreach (var certificate in certificates.All)
        {
            if (version != QuestionHello.Tls13)
            {
                if (Ask(new QuestionHello(version, s_suites12, s_groups, s_schemes), certificate)?.Schemes is { IsDefault: false } told)
                {
                    return told;
                }

                continue;
            }

            foreach (var group in groups13)
            {
                using var share = KeyShare.For((KeyExchangeGroup)group);
                if (share is not null && SchemesUnder(group, share, certificate) is { IsDefault: false } read)
                {
                    return read;
                }
            }
        }

        return default;
    }

    private ImmutableArray<int> SchemesUnder(int group, KeyShare share, SslStreamCertificateContext certificate)
    {
        var hello = new QuestionHello(QuestionHello.Tls13, s_suites13, [group], s_schemes) { Share = (group, share.Public) }.ToMessage();
        var flight = Send(hello, certificate);
        if (ServerFlight.Read(flight) is not { Key.IsEmpty: false } answer)
        {
            return default;
        }

        const byte CertificateRequest = 13;
        foreach (var (type, body) in Tls13Secrets.Open(hello, flight, answer.Suite, share.Agree(answer.Key.Span)))
        {
            if (type == CertificateRequest)
            {
                return ServerFlight.OfTls13(body);
            }
        }

        return default;
    }

    private ServerFlight? Ask(QuestionHello hello, SslStreamCertificateContext certificate) =>
        ServerFlight.Read(Send(hello.ToMessage(), certificate)) is { } flight && flight.Version == hello.Version ? flight : null;

    private byte[] Send(byte[] message, SslStreamCertificateContext certificate)
    {
        cancellationToken.ThrowIfCancellationRequested();
        var wire = new FlightStream(QuestionHello.ToRecords(message));
        using var server = new SslStream(wire);
        try
        {
            server.AuthenticateAsServer(new SslServerAuthenticationOptions
            {
                ServerCertificateContext = certificate,
                ClientCertificateRequired = true,
                EnabledSslProtocols = choice.Versions,
                CipherSuitesPolicy = choice.ToPolicy(),
                AllowRenegotiation = false,
                AllowTlsResume = false,
                RemoteCertificateValidationCallback = (_, _, _, _) => false,
            });
        }
        catch (Exception exception) when (exception is IOException or AuthenticationException)
        {
            // It refuses, or waits for an answer that never comes. What it wrote says which.
        }

        return wire.Written.ToArray();
    }
}
