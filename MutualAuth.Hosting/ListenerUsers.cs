using MutualAuth.Credentials;

namespace MutualAuth.Hosting;

/// <summary>What a listener has opened for its users, for mechanisms that a configuration cannot name.</summary>
/// <remarks>The listener owns it, and closes it after its last connection.</remarks>
public sealed class ListenerUsers
{
    internal ListenerUsers(FileCredentialStore store, IFactorKeySource? factorKeys) => (Store, FactorKeys) = (store, factorKeys);

    /// <summary>The users of <see cref="MutualTlsListenerSettings.UsersFile"/>, and their second factors.</summary>
    public FileCredentialStore Store { get; }

    /// <summary>
    /// The keys of <see cref="MutualTlsListenerSettings.FactorKeyFile"/>, with which second factors are stored encrypted; null without that setting.
    /// </summary>
    public IFactorKeySource? FactorKeys { get; }
}
