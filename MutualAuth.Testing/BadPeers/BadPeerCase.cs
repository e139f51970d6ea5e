using MutualAuth.Testing.Revocation;

namespace MutualAuth.Testing.BadPeers;

/// <summary>A bad peer made for one authority and role, beside a good neighbour that differs from it in the one fact.</summary>
public sealed class BadPeerCase : IDisposable
{
    private readonly IReadOnlyList<IDisposable> _owned;

    internal BadPeerCase(BadPeer peer, BadPeerBuilder scene, TestCertificate? bad, TestCertificate good)
    {
        Peer = peer;
        Bad = bad;
        Good = good;
        DialledName = scene.DialledName;
        Pins = scene.Pins;
        Crls = scene.Crls;
        _owned = scene.Owned;
    }

    /// <summary>Which bad peer this is.</summary>
    public BadPeer Peer { get; }

    /// <summary>What the bad peer presents; null when it presents nothing.</summary>
    public TestCertificate? Bad { get; }

    /// <summary>The certificate of its good neighbour, which must be accepted.</summary>
    public TestCertificate Good { get; }

    /// <summary>The name or address that is dialled, when the peer is a server.</summary>
    public string DialledName { get; }

    /// <summary>Pins as <c>sha256/BASE64</c>, any of which the verified path must hold, for <see cref="RequiredCheck.Pins"/>.</summary>
    public IReadOnlyList<string> Pins { get; }

    /// <summary>Revocation lists for <see cref="RequiredCheck.Revocation"/>.</summary>
    public IReadOnlyList<TestCrl> Crls { get; }

    /// <summary>Disposes of the certificates and of what issued them.</summary>
    public void Dispose()
    {
        foreach (var owned in _owned)
        {
            owned.Dispose();
        }
    }
}
