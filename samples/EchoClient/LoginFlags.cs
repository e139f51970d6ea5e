using System.CommandLine;
using MutualAuth.Credentials;

namespace MutualAuth.Samples;

/// <summary>The credentials for a login, if there is one.</summary>
internal sealed class LoginFlags
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

    internal LoginFlags(RootCommand command)
    {
        foreach (var option in new Option[] { _user, _passwordFile, _tokenFile, _mechanism })
        {
            command.Options.Add(option);
        }
    }

    internal ClientCredentials? Read(ParseResult arguments)
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
        return credentials is null ? null : credentials with { OnlyMechanism = mechanism };
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
