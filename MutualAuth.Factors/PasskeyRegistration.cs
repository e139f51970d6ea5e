using System.Security.Cryptography;
using MutualAuth.Credentials;

namespace MutualAuth.Factors;

/// <summary>
/// Registers one passkey of a user. The application carries <see cref="Request"/> to the client and the answer back, over a connection on which the
/// user has logged in with all factors that there are.
/// </summary>
/// <remarks>
/// Not for use from several threads at once. An attestation is neither asked for nor believed: any authenticator may be registered.
/// </remarks>
public sealed class PasskeyRegistration
{
    private readonly ISecondFactorStore _store;
    private readonly string _userName;
    private readonly PasskeyVerifier _verifier;
    private bool _isOver;

    private PasskeyRegistration(ISecondFactorStore store, PasskeyOptions options, string userName, PasskeyCreationRequest request)
    {
        _store = store;
        _userName = userName;
        _verifier = new PasskeyVerifier(options);
        Request = request;
    }

    /// <summary>What to ask the user's authenticator for.</summary>
    public PasskeyCreationRequest Request { get; }

    /// <summary>The factor that was stored; null until then.</summary>
    public StoredFactor? Factor { get; private set; }

    /// <summary>Begins a registration.</summary>
    /// <param name="store">Where the passkey will be kept.</param>
    /// <param name="options">As at the login.</param>
    /// <param name="userName">The user, in any form.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <exception cref="ArgumentNullException"><paramref name="store"/> or <paramref name="options"/> is null.</exception>
    /// <exception cref="ArgumentException"><paramref name="userName"/> is no name for a user, or the options contradict themselves.</exception>
    /// <exception cref="InvalidOperationException">The user has eight passkeys, and may have no more.</exception>
    public static async ValueTask<PasskeyRegistration> BeginAsync(
        ISecondFactorStore store, PasskeyOptions options, string userName, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(store);
        ArgumentNullException.ThrowIfNull(options);
        SecondFactors.ThrowIfAny(options.Problems(), nameof(options));
        var name = UserNames.Prepare(userName);
        StoredPasskey[] passkeys = [.. (await store.FindFactorsAsync(name, cancellationToken).ConfigureAwait(false))
            .Where(factor => factor.Kind == StoredPasskey.Kind).Select(StoredPasskey.Read)];
        return passkeys.Length >= PasskeyWire.MaxCredentials
            ? throw new InvalidOperationException($"The user has {passkeys.Length} passkeys. Remove one first.")
            : new PasskeyRegistration(store, options, name, new PasskeyCreationRequest
            {
                RelyingParty = options.RelyingParty,
                Challenge = RandomNumberGenerator.GetBytes(PasskeyWire.NonceLength),
                UserHandle = PasskeyWire.HandleOf(options.RelyingParty, name),
                UserName = name,
                Algorithms = options.Algorithms,
                ExcludedCredentials = [.. passkeys.Select(passkey => (ReadOnlyMemory<byte>)passkey.CredentialId)],
                RequiresUserVerification = options.RequiresUserVerification,
            });
    }

    /// <summary>Examines what the authenticator made, and stores the passkey.</summary>
    /// <param name="creation">The answer.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <returns>Null when it is stored; otherwise the objection.</returns>
    /// <exception cref="ArgumentNullException"><paramref name="creation"/> is null.</exception>
    /// <exception cref="InvalidOperationException">It has been called before: a challenge is answered once.</exception>
    public async ValueTask<Rejection?> CompleteAsync(PasskeyCreation creation, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(creation);
        if (_isOver)
        {
            throw new InvalidOperationException("The registration is over. Begin another.");
        }

        _isOver = true;
        if (creation.CredentialId.Length is 0 or > PasskeyWire.MaxIdLength || creation.ClientDataJson.Length > PasskeyWire.MaxFieldLength
            || creation.AttestationObject.Length > PasskeyWire.MaxFieldLength)
        {
            return PasskeyVerifier.Invalid("a registration within the bounds of the protocol page");
        }

        if (Request.ExcludedCredentials.Any(id => id.Span.SequenceEqual(creation.CredentialId.Span)))
        {
            return PasskeyVerifier.Invalid("a passkey that the user does not have yet");
        }

        var (passkey, objection) = await _verifier.RegisterAsync(creation, Request, cancellationToken).ConfigureAwait(false);
        if (passkey is null)
        {
            return objection;
        }

        var factor = passkey.ToFactor();
        await _store.SetFactorAsync(_userName, factor, cancellationToken).ConfigureAwait(false);
        Factor = factor;
        return null;
    }
}
