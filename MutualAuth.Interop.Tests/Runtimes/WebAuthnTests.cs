using System.Buffers.Text;
using System.Diagnostics;
using System.Text.Json;
using MutualAuth.Factors;
using MutualAuth.Tests.Support;

namespace MutualAuth.Tests.Runtimes;

/// <summary>Another implementation of WebAuthn, @simplewebauthn/server on Node, examines what our authenticator makes.</summary>
[CancelAfter(60000)]
public sealed class WebAuthnTests
{
    private const string Party = "bank.test";

    [TestCase(PasskeyOptions.Es256, "https://bank.test", true)]
    [TestCase(PasskeyOptions.Rs256, "https://bank.test", true)]
    [TestCase(PasskeyOptions.Es256, "https://other.test", false)]
    public async Task It_accepts_a_registration_and_an_assertion_of_ours(int algorithm, string origin, bool isAccepted)
    {
        var folder = Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), ".cache", "mutualauth", "webauthn");
        var node = Tool.Find("node");
        Tool.FindFile("@simplewebauthn/server", Path.Combine(folder, "node_modules", "@simplewebauthn", "server", "package.json"));
        using var authenticator = new SoftwareAuthenticator();
        var creation = (await authenticator.CreateAsync(new PasskeyCreationRequest
        {
            RelyingParty = Party,
            Challenge = Enumerable.Repeat((byte)1, 32).ToArray(),
            UserHandle = new byte[] { 1, 2, 3 },
            UserName = "alice",
            Algorithms = [algorithm],
            RequiresUserVerification = true,
        }))!;
        var assertion = (await authenticator.AssertAsync(new PasskeyAssertionRequest
        {
            RelyingParty = Party,
            Challenge = Enumerable.Repeat((byte)2, 32).ToArray(),
            AllowedCredentials = [creation.CredentialId],
            RequiresUserVerification = true,
        }))!;
        var id = Text(creation.CredentialId);
        var input = new
        {
            origin,
            rp = Party,
            registrationChallenge = Text(Enumerable.Repeat((byte)1, 32).ToArray()),
            assertionChallenge = Text(Enumerable.Repeat((byte)2, 32).ToArray()),
            registration = new
            {
                id,
                rawId = id,
                type = "public-key",
                clientExtensionResults = new { },
                response = new { clientDataJSON = Text(creation.ClientDataJson), attestationObject = Text(creation.AttestationObject) },
            },
            assertion = new
            {
                id,
                rawId = id,
                type = "public-key",
                clientExtensionResults = new { },
                response = new
                {
                    clientDataJSON = Text(assertion.ClientDataJson),
                    authenticatorData = Text(assertion.AuthenticatorData),
                    signature = Text(assertion.Signature),
                    userHandle = Text(assertion.UserHandle),
                },
            },
        };
        var script = Path.Combine(Repository.Root, "MutualAuth.Interop.Tests", "Runtimes", "Peers", "webauthn.mjs");
        using var process = Process.Start(new ProcessStartInfo(node, [script, folder])
        { RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true })!;
        await process.StandardInput.WriteAsync(JsonSerializer.Serialize(input));
        process.StandardInput.Close();
        var output = await process.StandardOutput.ReadToEndAsync();
        var errors = await process.StandardError.ReadToEndAsync();
        await process.WaitForExitAsync();

        (process.ExitCode == 0).Should().Be(isAccepted, errors);
        output.Contains("registered", StringComparison.Ordinal).Should().Be(isAccepted);
        output.Contains("verified 1", StringComparison.Ordinal).Should().Be(isAccepted);
    }

    private static string Text(ReadOnlyMemory<byte> octets) => Base64Url.EncodeToString(octets.Span);
}
