using System.Formats.Asn1;
using MutualAuth.Certificates;
using MutualAuth.Confirmation;
using MutualAuth.Connections;
using MutualAuth.Hello;
using MutualAuth.Names;
using MutualAuth.Ocsp;
using MutualAuth.Revocation;

namespace MutualAuth.Fuzz;

/// <summary>Every reader of what a peer may send before it is authenticated, and of what comes to us about it.</summary>
internal static class Targets
{
    private const int Kibi = 1024;

    private static readonly Ceiling s_der = Upto(1000, 1000, 64 * Kibi, 64);

    internal static readonly SortedDictionary<string, FuzzTarget> All = new(
        new FuzzTarget[]
        {
            new("certificate", 64 * Kibi, s_der, ReadCertificate),
            new("crl", 256 * Kibi, s_der, ReadList),
            new("frame", 70 * Kibi, Upto(1000, 10, 80 * Kibi, 4), ReadFrame),
            new("hello", 40 * Kibi, Upto(1000, 100, 16 * Kibi, 32), ReadHello),
            new("login", 70 * Kibi, Upto(50_000, 1000, 256 * Kibi, 64), LoginTarget.Read),
            new("name", 64 * Kibi, s_der, input => DistinguishedName.TryDecode(input, out _)),
            new("ocsp", 64 * Kibi, s_der, ReadAnswer),
            new("qualified", 32 * Kibi, s_der, input => QcStatementsReader.Read(input, out _)),
            new("proxy", 20 * Kibi, Upto(1000, 100, 16 * Kibi, 4), ReadProxyHeader),
        }.ToDictionary(target => target.Name),
        StringComparer.Ordinal);

    private static Ceiling Upto(int microseconds, int nanosecondsPerOctet, int allocated, int allocatedPerOctet) =>
        new(TimeSpan.FromMicroseconds(microseconds), TimeSpan.FromMicroseconds(nanosecondsPerOctet / 1000.0), allocated, allocatedPerOctet);

    /// <summary>A certificate is read, and so is everything that it says; or it is refused with a sentence.</summary>
    private static void ReadCertificate(byte[] input)
    {
        if (Certificate.TryParse(input, out var certificate, out var problem))
        {
            _ = (certificate.DnsNames, certificate.Uris, certificate.EmailAddresses, certificate.IPAddresses, certificate.UserPrincipalNames,
                certificate.OtherNames, certificate.Mailboxes, certificate.ServiceNames);
            _ = (certificate.TryReadQcStatements(out _, out _), certificate.Subject.OrganizationIdentifier, certificate.FindExtension("1.2.3"));
            _ = (certificate.ToString(), certificate.Issuer.ToString(), certificate.ExtendedKeyUsages);
            _ = (certificate.KeyUsage, certificate.Thumbprint, certificate.SerialNumber);
        }
        else
        {
            _ = problem.ToString();
        }
    }

    /// <summary>A list is read, in DER or PEM, or refused with a sentence.</summary>
    private static void ReadList(byte[] input)
    {
        try
        {
            foreach (var list in CrlFile.Read(input, "the input").Lists)
            {
                list.TryFind([1], out _);
            }
        }
        catch (MaterialException)
        {
        }
    }

    private static void ReadFrame(byte[] input) =>
        FrameReader.ReadVerdictAsync(new MemoryStream(input), CancellationToken.None).AsTask().GetAwaiter().GetResult();

    /// <summary>Octet by octet, as a stranger may send it: that may cost no more than all at once.</summary>
    private static void ReadHello(byte[] input)
    {
        var records = default(ClientHelloRecords);
        var reading = default(HelloReading);
        for (var length = 1; length <= input.Length && reading is { Hello: null, Problem: null }; length++)
        {
            reading = ClientHelloParser.Parse(ref records, input.AsSpan(0, length), 16 * Kibi, final: false);
        }

        if (reading is { Hello: null, Problem: null })
        {
            ClientHelloParser.Parse(ref records, input, 16 * Kibi, final: true);
        }
    }

    /// <summary>Octet by octet, as a load balancer may pass it on.</summary>
    private static void ReadProxyHeader(byte[] input)
    {
        for (var length = 1; length <= input.Length; length++)
        {
            var header = ProxyHeader.Parse(input.AsSpan(0, length), 16 * Kibi);
            if (header.Problem is not null || header.Length > 0)
            {
                _ = (header.Source?.ToString(), header.Problem?.ToString());
                return;
            }
        }
    }

    /// <summary>An answer is read or is none; <see cref="OcspJudge"/> catches what it is none by.</summary>
    private static void ReadAnswer(byte[] input)
    {
        try
        {
            OcspReader.Read(input);
        }
        catch (AsnContentException)
        {
        }
    }
}
