using System.CommandLine;
using MutualAuth.Credentials;
using MutualAuth.Factors;

namespace MutualAuth.Samples;

/// <summary>The credentials for a login, if there is one.</summary>
internal sealed class ClientLoginFlags
{
    private const string External = "EXTERNAL";
    private const string Plain = "PLAIN";
    private const string Bearer = "OAUTHBEARER";

    private static readonly string[] s_scram = ["SCRAM-SHA-512-PLUS", "SCRAM-SHA-256-PLUS", "SCRAM-SHA-512", "SCRAM-SHA-256"];

    private readonly Option<string?> _user = new("--user") { HelpName = "NAME", Description = "Log in as this user, with --password-file." };
    private readonly Option<string?> _passwordFile = new("--password-file")
    { HelpName = "FILE", Description = "A file whose first line is the user's password." };
    private readonly Option<string?> _tokenFile = new("--token-file")
    { HelpName = "FILE", Description = "Log in with the bearer token that is the first line of this file." };
    private readonly Option<string?> _mechanism = new("--mechanism")
    {
        HelpName = "NAME",
        Description = $"The SASL mechanism: {string.Join(", ", s_scram)}, {Plain}, {Bearer}, {External}. Default: the strongest offered, bound to "
            + "the channel wherever that can be.",
    };

    private readonly Option<string?> _totpSecretFile = new("--totp-secret-file")
    { HelpName = "FILE", Description = "A file with an otpauth URI, from which one-time codes are made for a server that asks for one." };
    private readonly Option<string?> _passkeyFile = new("--passkey-file")
    { HelpName = "FILE", Description = "A file with passkeys, as EchoUsers registers one, for a server that asks for one." };
    private readonly Option<string?> _recoveryCodeFile = new("--recovery-code-file")
    { HelpName = "FILE", Description = "A file whose first line is a recovery code, for a server that asks for a second factor." };
    private readonly Option<string?> _relyingParty = new("--relying-party")
    { HelpName = "NAME", Description = "The DNS name with which the passkey was registered. Default: that of the server." };

    internal ClientLoginFlags(Command command)
    {
        foreach (var option in new Option[]
        { _user, _passwordFile, _tokenFile, _mechanism, _totpSecretFile, _passkeyFile, _recoveryCodeFile, _relyingParty })
        {
            command.Options.Add(option);
        }
    }

    /// <param name="arguments">The command line.</param>
    /// <param name="serverName">The name of the server.</param>
    internal ClientCredentials? Read(ParseResult arguments, string serverName)
    {
        var mechanism = arguments.GetValue(_mechanism);
        var credentials = (arguments.GetValue(_user), arguments.GetValue(_passwordFile), arguments.GetValue(_tokenFile)) switch
        {
            (null, null, null) => mechanism is null ? null : WithCertificate(mechanism),
            ({ } user, { } file, null) => WithPassword(user, file, mechanism),
            (null, null, { } file) => WithToken(file, mechanism),
            (_, _, null) => throw new UsageException("--user and --password-file go together: give both."),
            _ => throw new UsageException("Log in with --user and --password-file, or with --token-file; not with both."),
        };
        ISaslClientMechanism[] further = [.. SecondFactorsOf(arguments, serverName)];
        return credentials is null
            ? further.Length == 0 ? null : throw new UsageException("A second factor comes after a first: give --user and --password-file.")
            : (further.Length == 0 ? credentials : credentials.Then(further)) with { OnlyMechanism = mechanism };
    }

    private IEnumerable<ISaslClientMechanism> SecondFactorsOf(ParseResult arguments, string serverName)
    {
        if (arguments.GetValue(_passkeyFile) is { } passkeys)
        {
            yield return SecondFactor.Passkey(
                SoftwareAuthenticator.Open(passkeys), arguments.GetValue(_relyingParty) ?? serverName.ToLowerInvariant());
        }

        if (arguments.GetValue(_totpSecretFile) is { } secret)
        {
            yield return SecondFactor.OneTimeCodeFrom(OneTimeCodeSecret.Parse(CommandLine.FirstLineOf("--totp-secret-file", secret)));
        }

        if (arguments.GetValue(_recoveryCodeFile) is { } paper)
        {
            var code = CommandLine.FirstLineOf("--recovery-code-file", paper);
            yield return SecondFactor.RecoveryCode(_ => ValueTask.FromResult(code));
        }
    }

    private static ClientCredentials WithPassword(string user, string file, string? mechanism)
    {
        Check(mechanism, "a password", [.. s_scram, Plain]);
        var password = Password.FromFile(file);
        if (mechanism == Plain)
        {
            CommandLine.Note("PLAIN shows the password to the server.");
            return Login.DangerouslyWithPasswordInPlain(user, password);
        }

        var isUnbound = mechanism?.EndsWith("-PLUS", StringComparison.Ordinal) == false;
        if (isUnbound)
        {
            CommandLine.Note($"{mechanism} is not bound to the channel; leave --mechanism out to have it bound.");
        }

        return Login.WithPassword(
            user, password, channelBinding: isUnbound ? ChannelBindingPolicy.DangerouslyOptional : ChannelBindingPolicy.WhereItExists);
    }

    private static ClientCredentials WithToken(string file, string? mechanism)
    {
        Check(mechanism, "a token", Bearer);
        return Login.WithToken(CommandLine.FirstLineOf("--token-file", file));
    }

    private static ClientCredentials WithCertificate(string mechanism)
    {
        Check(mechanism, "a certificate alone; give --user or --token-file for the others", External);
        return Login.WithCertificate();
    }

    private static void Check(string? mechanism, string what, params string[] possible)
    {
        if (mechanism is not null && !possible.Contains(mechanism))
        {
            throw new UsageException($"--mechanism {mechanism} does not go with {what}. Possible: {string.Join(", ", possible)}.");
        }
    }
}
