using MutualAuth.Credentials;

namespace MutualAuth.Hosting.Running;

/// <summary>What code has said of a listener or a client.</summary>
internal abstract class Registration(string name)
{
    internal string Name { get; } = name;

    internal abstract string Kind { get; }
}

internal sealed class ListenerRegistration(string name) : Registration(name)
{
    internal override string Kind => "listener";

    internal Func<IServiceProvider, MutualTlsConnection, CancellationToken, Task>? Handle { get; set; }

    internal List<Func<IServiceProvider, ListenerUsers, CredentialPolicy, CredentialPolicy>> CredentialChanges { get; } = [];

    internal List<Func<IServiceProvider, MutualTlsServerOptions, MutualTlsServerOptions>> ServerChanges { get; } = [];

    internal List<Func<IServiceProvider, MutualTlsListenerOptions, MutualTlsListenerOptions>> ListenerChanges { get; } = [];
}

internal sealed class ClientRegistration(string name) : Registration(name)
{
    internal override string Kind => "client";

    internal List<Func<IServiceProvider, MutualTlsClientOptions, MutualTlsClientOptions>> Changes { get; } = [];
}
