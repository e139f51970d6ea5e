using System.Security.Cryptography.X509Certificates;
using MutualAuth.Tests.Support;

namespace MutualAuth.Tests.Paths;

/// <summary>The machine's roots are an explicit choice, and are the machine's roots and nothing else.</summary>
[CancelAfter(60000)]
public sealed class MachineRootsTests
{
    [Test]
    public void They_are_what_the_platform_holds_as_roots()
    {
        using var store = new X509Store(StoreName.Root, StoreLocation.LocalMachine, OpenFlags.ReadOnly);
        if (store.Certificates.Count == 0)
        {
            var none = () => TrustAnchors.MachineRoots();
            none.Should().Throw<MaterialException>("a machine without roots trusts nobody");
            return;
        }

        var anchors = TrustAnchors.MachineRoots().Certificates.Select(anchor => anchor.Thumbprint).ToList();

        anchors.Should().NotBeEmpty();
        anchors.Should().BeSubsetOf(AllRoots());
    }

    [Test]
    public async Task An_authority_of_our_own_is_not_among_them()
    {
        using var world = new World();
        TrustAnchors roots;
        try
        {
            roots = TrustAnchors.MachineRoots();
        }
        catch (MaterialException)
        {
            return; // The machine has none: the other test says what happens then.
        }

        await using var ends = await ConnectedPair.ShakeAsync(world.ClientOptions with { Trust = roots }, world.ServerOptions);

        ends.Client.Refusal.Reason.Should().Be(RejectionReason.UnknownAuthority);
    }

    [Test]
    public void The_bundle_of_the_machine_loads_whole()
    {
        const string Bundle = "/etc/ssl/certs/ca-certificates.crt";
        if (!File.Exists(Bundle))
        {
            Assert.Ignore("There is no bundle of roots on this machine.");
        }

        var all = new X509Certificate2Collection();
        all.ImportFromPemFile(Bundle);

        TrustAnchors.FromPemFiles(Bundle).Certificates.Should().HaveCount(all.Select(root => root.Thumbprint).Distinct().Count());
    }

    private static List<string> AllRoots()
    {
        var roots = new List<string>();
        foreach (var location in new[] { StoreLocation.LocalMachine, StoreLocation.CurrentUser })
        {
            using var store = new X509Store(StoreName.Root, location, OpenFlags.ReadOnly);
            roots.AddRange(
                store.Certificates.Select(certificate => certificate.GetCertHashString(System.Security.Cryptography.HashAlgorithmName.SHA256)));
        }

        return roots;
    }
}
