using System.Buffers.Text;
using System.Formats.Cbor;
using Fido2NetLib;
using Fido2NetLib.Exceptions;
using Fido2NetLib.Objects;

namespace MutualAuth.Factors;

/// <summary>Has the library examine what an authenticator made, and says its objections in our words.</summary>
internal sealed class PasskeyVerifier(PasskeyOptions options)
{
    private const string Rule = "WebAuthn Level 2 §7";

    private readonly Fido2Configuration _configuration = new()
    {
        RPID = options.RelyingParty,
        RPName = options.RelyingParty,
        Origins = options.AcceptedOrigins,
    };

    private UserVerificationRequirement Verification =>
        options.RequiresUserVerification ? UserVerificationRequirement.Required : UserVerificationRequirement.Discouraged;

    /// <returns>The new counter and whether the person was verified; or the objection.</returns>
    internal async ValueTask<(uint Counter, bool IsUserVerified, Rejection? Objection)> VerifyAsync(
        StoredPasskey passkey, PasskeyAssertion assertion, byte[] challenge, byte[] userHandle, CancellationToken cancellationToken)
    {
        if (AlgorithmOf(passkey.PublicKey) is not { } algorithm || !options.Algorithms.Contains(algorithm))
        {
            return (0, false, Invalid("a passkey with an algorithm that is accepted"));
        }

        var id = assertion.CredentialId.ToArray();
        var data = assertion.AuthenticatorData.ToArray();
        var parameters = new MakeAssertionParams
        {
            AssertionResponse = new AuthenticatorAssertionRawResponse
            {
                Id = Base64Url.EncodeToString(id),
                RawId = id,
                Type = PublicKeyCredentialType.PublicKey,
                ClientExtensionResults = new AuthenticationExtensionsClientOutputs(),
                Response = new AuthenticatorAssertionRawResponse.AssertionResponse
                {
                    AuthenticatorData = data,
                    ClientDataJson = assertion.ClientDataJson.ToArray(),
                    Signature = assertion.Signature.ToArray(),
                    UserHandle = assertion.UserHandle.IsEmpty ? null : assertion.UserHandle.ToArray(),
                },
            },
            OriginalOptions = new AssertionOptions
            {
                Challenge = challenge,
                RpId = options.RelyingParty,
                AllowCredentials = [new PublicKeyCredentialDescriptor(id)],
                UserVerification = Verification,
            },
            StoredPublicKey = passkey.PublicKey,
            StoredSignatureCounter = passkey.Counter,
            IsUserHandleOwnerOfCredentialIdCallback = (owner, _) => Task.FromResult(owner.UserHandle.AsSpan().SequenceEqual(userHandle)),
        };
        try
        {
            var result = await new Fido2(_configuration).MakeAssertionAsync(parameters, cancellationToken).ConfigureAwait(false);

            // The library lets a counter fall back to zero; WebAuthn Level 2 §7.2 step 21 does not.
            return passkey.Counter > 0 && result.SignCount == 0
                ? (0, false, Copied())
                : (result.SignCount, AuthenticatorData.Parse(data).UserVerified, null);
        }
        catch (Exception exception) when (!cancellationToken.IsCancellationRequested)
        {
            return (0, false, Describe(exception));
        }
    }

    /// <returns>The passkey, or the objection.</returns>
    internal async ValueTask<(StoredPasskey? Passkey, Rejection? Objection)> RegisterAsync(
        PasskeyCreation creation, PasskeyCreationRequest request, CancellationToken cancellationToken)
    {
        if (!IsWithoutAttestation(creation.AttestationObject))
        {
            return (null, Invalid("an attestation object of the format none"));
        }

        var id = creation.CredentialId.ToArray();
        var parameters = new MakeNewCredentialParams
        {
            AttestationResponse = new AuthenticatorAttestationRawResponse
            {
                Id = Base64Url.EncodeToString(id),
                RawId = id,
                Type = PublicKeyCredentialType.PublicKey,
                ClientExtensionResults = new AuthenticationExtensionsClientOutputs(),
                Response = new AuthenticatorAttestationRawResponse.AttestationResponse
                {
                    AttestationObject = creation.AttestationObject.ToArray(),
                    ClientDataJson = creation.ClientDataJson.ToArray(),
                    Transports = [],
                },
            },
            OriginalOptions = new CredentialCreateOptions
            {
                Challenge = request.Challenge.ToArray(),
                Rp = new PublicKeyCredentialRpEntity(options.RelyingParty, options.RelyingParty, null),
                User = new Fido2User { Id = request.UserHandle.ToArray(), Name = request.UserName, DisplayName = request.UserName },
                PubKeyCredParams = [.. options.Algorithms.Select(algorithm => new PubKeyCredParam((COSE.Algorithm)algorithm))],
                AuthenticatorSelection = new AuthenticatorSelection { UserVerification = Verification },
                Attestation = AttestationConveyancePreference.None,
            },
            IsCredentialIdUniqueToUserCallback = (_, _) => Task.FromResult(true), // the caller compares
        };
        try
        {
            var result = await new Fido2(_configuration).MakeNewCredentialAsync(parameters, cancellationToken).ConfigureAwait(false);
            return AlgorithmOf(result.PublicKey) is { } algorithm && options.Algorithms.Contains(algorithm) && result.Id.AsSpan().SequenceEqual(id)
                ? (new StoredPasskey(result.Id, result.PublicKey, result.SignCount, IsLocked: false), null)
                : (null, Invalid("a passkey with an algorithm that is accepted, under one identifier"));
        }
        catch (Exception exception) when (!cancellationToken.IsCancellationRequested)
        {
            return (null, Describe(exception));
        }
    }

    internal static Rejection Copied() =>
        new(RejectionReason.PasskeyCounterNotRisen, "a counter above the last one", "one that is not")
        {
            Rule = "WebAuthn Level 2 §7.2 step 21",
            Hint = "There may be a copy of the authenticator. Ask the user, and remove the passkey if the user cannot explain it.",
        };

    internal static Rejection Invalid(string expected) => new(RejectionReason.PasskeyInvalid, expected, "another") { Rule = Rule };

    /// <summary>The library's messages repeat what the peer sent, and are left out.</summary>
    private static Rejection Describe(Exception exception) => (exception as Fido2VerificationException)?.Code switch
    {
        Fido2ErrorCode.InvalidSignCount => Copied(),
        Fido2ErrorCode.InvalidAuthenticatorResponseChallenge => new Rejection(
            RejectionReason.PasskeyChallengeMismatch, "a signature over this server's challenge on this connection", "one over another")
        {
            Rule = "WebAuthn Level 2 §7.2 step 12",
            Hint = "It was made for another connection or another server: somebody may have relayed it.",
        },
        Fido2ErrorCode.UserVerificationRequirementNotMet => new Rejection(
            RejectionReason.PasskeyUserNotVerified, "an authenticator that verified the person", "one that did not")
        { Rule = "WebAuthn Level 2 §7.2 step 17", Hint = "Set up a PIN or a biometric trait on the authenticator." },
        Fido2ErrorCode.InvalidSignature => Invalid("a signature by the registered key"),
        Fido2ErrorCode.InvalidRpidHash => Invalid("the relying party of this server"),
        Fido2ErrorCode.InvalidAuthenticatorResponseOrigin or Fido2ErrorCode.MissingAuthenticatorResponseOrigin =>
            Invalid("an origin that is accepted"),
        Fido2ErrorCode.UserPresentFlagNotSet => Invalid("an authenticator that saw a person"),
        { } code => Invalid($"a response without {code}"),
        null => Invalid("a response that can be read"),
    };

    private static bool IsWithoutAttestation(ReadOnlyMemory<byte> attestationObject)
    {
        try
        {
            var reader = new CborReader(attestationObject, CborConformanceMode.Ctap2Canonical);
            var count = reader.ReadStartMap();
            for (var number = 0; number < count; number++)
            {
                if (reader.ReadTextString() == "fmt")
                {
                    return reader.ReadTextString() == "none";
                }

                reader.SkipValue();
            }

            return false;
        }
        catch (Exception exception) when (exception is CborContentException or InvalidOperationException)
        {
            return false;
        }
    }

    /// <summary>The number under the label 3 of a COSE key; null where there is none.</summary>
    private static int? AlgorithmOf(byte[] publicKey)
    {
        try
        {
            var reader = new CborReader(publicKey, CborConformanceMode.Lax);
            var count = reader.ReadStartMap();
            for (var number = 0; number < count; number++)
            {
                if (reader.ReadInt32() == 3)
                {
                    return reader.ReadInt32();
                }

                reader.SkipValue();
            }

            return null;
        }
        catch (Exception exception) when (exception is CborContentException or InvalidOperationException or OverflowException)
        {
            return null;
        }
    }
}
