using System.Net;
using System.Net.Sockets;
using MutualAuth.Revocation;
using MutualAuth.Testing;

namespace MutualAuth.Tests.Support;

/// <summary>What a server of other software gets as files, and what its clients get: authorities, and a certificate for each end.</summary>
internal sealed class ServiceMaterial : IDisposable
{
    /// <summary>The name under which the tests connect, and the one in the server's certificate.</summary>
    internal const string ServerName = "localhost";

    internal const string ClientName = "client.test";

    private readonly TestAuthority _authority = new("Ours");
    private readonly TestAuthority _issuing;
    private readonly TestCertificate _server;

    internal ServiceMaterial()
    {
        _issuing = _authority.IssueIntermediate("Ours, issuing");
        _server = _issuing.Issue(spec => spec with
        { Subject = "CN=server", DnsNames = [ServerName], IPAddresses = [IPAddress.Loopback], ExtendedKeyUsages = [ExtendedKeyUsage.ServerAuth] });
        Client = ClientOf(_issuing);
        Stranger = ClientOf(Foreign);
        (Chain, Key) = _server.WriteTo(Directory, "server");
        Authority = _authority.WriteTo(Directory);
        Authorities = Write("authorities.pem", _issuing.CertificatePem + _authority.CertificatePem);
    }

    internal string Directory { get; } = System.IO.Directory.CreateTempSubdirectory("mutualauth-service-").FullName;

    internal string Authority { get; }

    /// <summary>The root and the intermediate, for servers whose clients do not send it.</summary>
    internal string Authorities { get; }

    internal string Chain { get; }

    internal string Key { get; }

    internal TestAuthority Foreign { get; } = new("Theirs");

    internal TestCertificate Server => _server;

    internal TestCertificate Client { get; }

    /// <summary>A client with the same name, of an authority that the server does not trust.</summary>
    internal TestCertificate Stranger { get; }

    internal TrustAnchors Trust => _authority.ToTrustAnchors();

    internal TestAuthority Issuing => _issuing;

    /// <summary>The lists of both authorities, on which this certificate may be.</summary>
    internal RevocationPolicy Lists(TestCertificate? revoked = null)
    {
        if (revoked is not null)
        {
            _issuing.Revoke(revoked);
        }

        var lists = RevocationLists.FromDer(_authority.IssueCrl().Raw, _issuing.IssueCrl().Raw);
        if (revoked is not null)
        {
            _issuing.Reinstate(revoked);
        }

        return new RevocationPolicy { Lists = lists };
    }

    internal static TestCertificate ClientOf(TestAuthority authority, string name = ClientName) => authority.Issue(spec => spec with
    { Subject = $"CN={name}", DnsNames = [name], ExtendedKeyUsages = [ExtendedKeyUsage.ClientAuth] });

    internal string Write(string name, string text)
    {
        var path = Path.Combine(Directory, name);
        File.WriteAllText(path, text);
        return path;
    }

    public void Dispose()
    {
        foreach (var item in new IDisposable[] { _server, Client, Stranger, _issuing, _authority, Foreign })
        {
            item.Dispose();
        }

        System.IO.Directory.Delete(Directory, recursive: true);
    }
}
