using System.Collections.Immutable;
using System.Net;
using System.Security.Cryptography.X509Certificates;
using Microsoft.Extensions.Time.Testing;
using MutualAuth.Authorization;
using MutualAuth.Certificates;
using MutualAuth.Evidence;
using MutualAuth.Testing;

namespace MutualAuth.Tests.Support;

/// <summary>A peer as the authorization rules meet it: its certificate has the given names, and stands as a verified path by itself.</summary>
internal sealed record TestPeer
{
    internal static readonly DateTimeOffset Now = new(2026, 6, 1, 12, 0, 0, TimeSpan.Zero);

    private static readonly TestAuthority s_authority = new(timeProvider: new FakeTimeProvider(Now));

    internal string Subject { get; init; } = "CN=peer,O=Test";

    internal string? Issuer { get; init; }

    internal string[] Dns { get; init; } = [];

    internal string[] Uris { get; init; } = [];

    internal string[] Emails { get; init; } = [];

    internal string[] Addresses { get; init; } = [];

    internal string? UserPrincipalName { get; init; }

    internal bool IsAuthority { get; init; }

    internal X509KeyUsageFlags? KeyUsage { get; init; } = X509KeyUsageFlags.DigitalSignature;

    internal string? Dialled { get; init; }

    internal TestKey Key { get; init; } = TestKey.Shared(KeyAlgorithm.EcdsaP256);

    internal Certificate Certificate()
    {
        using var issued = s_authority.Issue(spec => spec with
        {
            Subject = Subject,
            Issuer = Issuer,
            DnsNames = Dns,
            Uris = Uris,
            EmailAddresses = Emails,
            IPAddresses = [.. Addresses.Select(IPAddress.Parse)],
            OtherNames = UserPrincipalName is { } upn ? [MutualAuth.Testing.GeneralName.Other("1.3.6.1.4.1.311.20.2.3", Utf8String(upn))] : [],
            BasicConstraints = new BasicConstraints(IsAuthority),
            KeyUsage = KeyUsage,
            Key = Key,
        });
        return MutualAuth.Certificates.Certificate.Parse(issued.RawCertificate);
    }

    private static byte[] Utf8String(string text) => [0x0c, (byte)text.Length, .. System.Text.Encoding.UTF8.GetBytes(text)];

    internal CertificateContext Context() => Context(Dialled, Certificate());

    internal static CertificateContext Context(string? dialled, params ImmutableArray<Certificate> path)
    {
        var role = dialled is null ? PeerRole.Client : PeerRole.Server;
        var evidence = new PeerEvidence(role, [path[0].RawData]) { DialledName = dialled is null ? null : ServerName.Parse(dialled) };
        return new CertificateContext(evidence, path, Now);
    }
}
