using MutualAuth.Factors;

namespace MutualAuth.Samples;

/// <summary>Sees what an authenticator signs.</summary>
internal sealed class Wiretap(IPasskeyAuthenticator authenticator) : IPasskeyAuthenticator
{
    internal PasskeyAssertion? Last { get; private set; }

    public ValueTask<PasskeyCreation?> CreateAsync(PasskeyCreationRequest request, CancellationToken cancellationToken = default) =>
        authenticator.CreateAsync(request, cancellationToken);

    public async ValueTask<PasskeyAssertion?> AssertAsync(PasskeyAssertionRequest request, CancellationToken cancellationToken = default) =>
        Last = await authenticator.AssertAsync(request, cancellationToken);
}

/// <summary>Has no key, and shows what another authenticator signed before.</summary>
internal sealed class Replay(PasskeyAssertion signed) : IPasskeyAuthenticator
{
    public ValueTask<PasskeyCreation?> CreateAsync(PasskeyCreationRequest request, CancellationToken cancellationToken = default) => default;

    public ValueTask<PasskeyAssertion?> AssertAsync(PasskeyAssertionRequest request, CancellationToken cancellationToken = default) => new(signed);
}
