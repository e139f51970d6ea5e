namespace MutualAuth.Certificates;

/// <summary>What a client presents at the TLS layer: a certificate, or, said by name, none.</summary>
public abstract class ClientIdentity
{
    private ClientIdentity()
    {
    }

    /// <summary>No certificate. Only a server that asks for other credentials lets such a client in.</summary>
    public static ClientIdentity None { get; } = new NoCertificate();

    internal abstract IIdentitySource? Source { get; }

    /// <summary>The certificate that <paramref name="source"/> gives at the time of each handshake.</summary>
    public static ClientIdentity From(IIdentitySource source)
    {
        ArgumentNullException.ThrowIfNull(source);
        return new Held(source);
    }

    /// <summary>Presents this identity.</summary>
    public static implicit operator ClientIdentity(Identity identity) => From(identity);

    /// <summary>Presents this identity; the named form of the conversion.</summary>
    public static ClientIdentity FromIdentity(Identity identity) => From(identity);

    private sealed class Held(IIdentitySource source) : ClientIdentity
    {
        internal override IIdentitySource Source => source;
    }

    private sealed class NoCertificate : ClientIdentity
    {
        internal override IIdentitySource? Source => null;
    }
}
