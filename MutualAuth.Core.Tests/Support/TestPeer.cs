using System.Collections.Immutable;
using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using MutualAuth.Certificates;
using MutualAuth.Evidence;
using MutualAuth.Names;
using MutualAuth.Validation;

namespace MutualAuth.Tests.Support;

/// <summary>A peer as the authorization rules meet it: a self-signed certificate of the given shape that stands as its own verified path.</summary>
internal sealed record TestPeer
{
    internal static readonly DateTimeOffset Now = new(2026, 6, 1, 12, 0, 0, TimeSpan.Zero);

    private static readonly ECDsa s_key = ECDsa.Create(ECCurve.NamedCurves.nistP256);

    internal string Subject { get; init; } = "CN=peer,O=Test";

    internal string? Issuer { get; init; }

    internal string[] Dns { get; init; } = [];

    internal string[] Uris { get; init; } = [];

    internal string[] Emails { get; init; } = [];

    internal string[] Addresses { get; init; } = [];

    internal bool IsAuthority { get; init; }

    internal X509KeyUsageFlags? KeyUsage { get; init; } = X509KeyUsageFlags.DigitalSignature;

    internal string? Dialled { get; init; }

    internal Certificate Certificate() => MutualAuth.Certificates.Certificate.Parse(Issue(s_key));

    internal CertificateContext Context() => Context(Dialled, Certificate());

    internal static CertificateContext Context(string? dialled, params ImmutableArray<Certificate> path)
    {
        var role = dialled is null ? PeerRole.Client : PeerRole.Server;
        var evidence = new PeerEvidence(role, [path[0].RawData]) { DialledName = dialled is null ? null : ServerName.Parse(dialled) };
        return new CertificateContext(evidence, path, Now);
    }

    internal byte[] Issue(ECDsa key)
    {
        var request = new CertificateRequest(new X500DistinguishedName(Subject), key, HashAlgorithmName.SHA256);
        var names = new SubjectAlternativeNameBuilder();
        Array.ForEach(Dns, names.AddDnsName);
        Array.ForEach(Uris, uri => names.AddUri(new Uri(uri)));
        Array.ForEach(Emails, names.AddEmailAddress);
        Array.ForEach(Addresses, address => names.AddIpAddress(IPAddress.Parse(address)));
        if (Dns.Length + Uris.Length + Emails.Length + Addresses.Length > 0)
        {
            request.CertificateExtensions.Add(names.Build());
        }

        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(IsAuthority, false, 0, true));
        if (KeyUsage is { } usage)
        {
            request.CertificateExtensions.Add(new X509KeyUsageExtension(usage, true));
        }

        using var certificate = request.Create(
            new X500DistinguishedName(Issuer ?? Subject), X509SignatureGenerator.CreateForECDsa(key), Now.AddDays(-1), Now.AddDays(1), [1, 2, 3]);
        return certificate.RawData;
    }
}
