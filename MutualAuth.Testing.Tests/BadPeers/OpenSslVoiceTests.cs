using System.Net;
using MutualAuth.Testing.BadPeers;
using MutualAuth.Testing.Tests.Support;

namespace MutualAuth.Testing.Tests.BadPeers;

/// <summary>An independent voice on the gallery: what the openssl program says, and the list of where it sees things differently.</summary>
public sealed class OpenSslVoiceTests
{
    private static readonly TestAuthority s_authority = new("Gallery Root");

    /// <summary>
    /// Bad peers that <c>openssl verify -x509_strict -policy_check -auth_level 2</c> lets in; docs/how-to/test-your-own-mtls.md says why.
    /// </summary>
    private static readonly string[] s_letIn =
    [
        nameof(Gallery.IntermediateAsLeaf), nameof(Gallery.PathTooDeep), nameof(Gallery.Ed25519Leaf), nameof(Gallery.NoExtendedKeyUsage),
        nameof(Gallery.KeyAgreementOnly), nameof(Gallery.CommonNameOnly), nameof(Gallery.NameInUriOnly), nameof(Gallery.PartialWildcard),
        nameof(Gallery.NameBeyondAscii), nameof(Gallery.TrailingOctets), nameof(Gallery.LengthNotMinimal), nameof(Gallery.UsageBehindTheEnd),
        nameof(Gallery.AddressOfFiveOctets), nameof(Gallery.HugeCertificate), nameof(Gallery.TooManyCertificates),
    ];

    // One is left out: there is nothing to verify of a peer that shows nothing.
    public static IEnumerable<TestCaseData> Cases() =>
        from peer in Gallery.All
        from role in new[] { PeerRole.Client, PeerRole.Server }
        where peer.Plays(role)
            && peer.RequiredCheck is not (RequiredCheck.DnsName or RequiredCheck.SpiffeId or RequiredCheck.Pins)
            && peer != Gallery.NoCertificate
        select new TestCaseData(peer, role).SetArgDisplayNames(peer.Name, role.ToString());

    [TestCaseSource(nameof(Cases))]
    [CancelAfter(60000)]
    public void OpenSSL_agrees_or_is_known_not_to(BadPeer peer, PeerRole role)
    {
        using var exhibit = peer.Make(s_authority, role);

        var good = Verify(exhibit, exhibit.Good, role);
        var bad = Verify(exhibit, exhibit.Bad!, role);

        good.ExitCode.Should().Be(0, good.Output);
        (bad.ExitCode == 0).Should().Be(s_letIn.Contains(peer.Name), bad.Output);
    }

    [Test]
    public void The_page_lists_where_OpenSSL_differs() =>
        SourceTree.Read("docs/how-to/test-your-own-mtls.md").Split('\n')
            .SkipWhile(line => line != "## What openssl says")
            .Where(line => line.StartsWith("| `", StringComparison.Ordinal))
            .SelectMany(line => line.Split('|')[1].Split(',', StringSplitOptions.TrimEntries))
            .Select(name => name.Trim('`', ' '))
            .Should().BeEquivalentTo(s_letIn);

    private static (int ExitCode, string Output) Verify(BadPeerCase exhibit, TestCertificate shown, PeerRole role)
    {
        using var directory = new TemporaryDirectory();
        List<string> arguments =
        [
            "verify", "-x509_strict", "-policy", "2.5.29.32.0", "-auth_level", "2", "-purpose", role == PeerRole.Client ? "sslclient" : "sslserver",
            "-CAfile", directory.Write("root.pem", s_authority.CertificatePem),
        ];
        if (!shown.RawChain.IsEmpty)
        {
            arguments.AddRange(["-untrusted", directory.Write("chain.pem", shown.ChainPem[shown.CertificatePem.Length..])]);
        }

        if (exhibit.Peer.RequiredCheck == RequiredCheck.ServerName)
        {
            arguments.AddRange([IPAddress.TryParse(exhibit.DialledName, out _) ? "-verify_ip" : "-verify_hostname", exhibit.DialledName]);
        }

        if (exhibit.Peer.RequiredCheck == RequiredCheck.Revocation)
        {
            arguments.AddRange(["-crl_check_all", "-CRLfile", directory.Write("crls.pem", string.Concat(exhibit.Crls.Select(crl => crl.Pem)))]);
        }

        return Tool.Run("openssl", [.. arguments, directory.Write("leaf.pem", shown.CertificatePem)]);
    }
}
