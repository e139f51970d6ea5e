using System.CommandLine;
using MutualAuth.Credentials;
using MutualAuth.Factors;

namespace MutualAuth.Samples;

/// <summary>The second factors of users: <c>factor totp</c>, <c>recovery</c>, <c>passkey</c>, <c>list</c>, <c>remove</c>.</summary>
internal sealed class FactorCommands
{
    private readonly StoreFlags _store;
    private readonly Argument<string> _name;
    private readonly Argument<string> _factor = new("FACTOR") { Description = "The identifier of the factor, as 'list' shows it." };
    private readonly Option<string> _id = new("--id")
    { HelpName = "FACTOR", DefaultValueFactory = _ => "phone", Description = "The identifier of the generator. Default: phone." };
    private readonly Option<string> _issuer = new("--issuer")
    { HelpName = "TEXT", DefaultValueFactory = _ => "MutualAuth", Description = "The service, as an authenticator app shows it." };
    private readonly Option<string?> _factorKeys = new("--factor-keys")
    { HelpName = "FILE", Description = "The keys with which the secret is stored encrypted. Default: none; it is stored in plain text." };
    private readonly Option<string> _passkeyFile = new("--passkey-file")
    { HelpName = "FILE", Required = true, Description = "The passkeys of a program; made if there is none. Its keys are not encrypted." };
    private readonly Option<string> _relyingParty = new("--relying-party")
    { HelpName = "NAME", Required = true, Description = "The server's DNS name, or a parent of it." };

    internal FactorCommands(
        StoreFlags store, Argument<string> name, Func<string, string, Func<ParseResult, CancellationToken, Task<int>>, Symbol[], Command> verb)
    {
        _store = store;
        _name = name;
        Command = new Command("factor", "Adds, lists and removes second factors.")
        {
            verb("totp", "Adds a generator of one-time codes, and prints its otpauth URI, which is shown once.", AddTotpAsync,
                [name, _id, _issuer, _factorKeys]),
            verb("recovery", "Makes ten recovery codes in the place of old ones, and prints them, which is done once.", AddRecoveryAsync, [name]),
            verb("passkey", "Registers a passkey of a program, whose key is in a file.", AddPasskeyAsync, [name, _passkeyFile, _relyingParty]),
            verb("list", "Shows all second factors, one on a line: user, identifier, kind.", ListAsync, []),
            verb("remove", "Removes a second factor; connections that rely on it end.", RemoveAsync, [name, _factor]),
        };
    }

    internal Command Command { get; }

    private async Task<int> AddTotpAsync(ParseResult arguments, CancellationToken stop)
    {
        var secret = OneTimeCodeSecret.Create();
        var store = await OpenAsync(arguments, stop);
        var (user, id) = (NameOf(arguments), arguments.GetRequiredValue(_id));
        using var keys = arguments.GetValue(_factorKeys) is { } file ? new FactorKeyFile(file) : null;
        await store.SetFactorAsync(user, keys is null ? secret.ToFactor(id) : await secret.ToFactorAsync(user, id, keys, stop), stop);
        Console.WriteLine(secret.ToUri(arguments.GetRequiredValue(_issuer), NameOf(arguments)));
        return 0;
    }

    private async Task<int> AddRecoveryAsync(ParseResult arguments, CancellationToken stop)
    {
        foreach (var code in await RecoveryCodes.CreateAsync(await OpenAsync(arguments, stop), NameOf(arguments), cancellationToken: stop))
        {
            Console.WriteLine(code);
        }

        return 0;
    }

    private async Task<int> AddPasskeyAsync(ParseResult arguments, CancellationToken stop)
    {
        using var authenticator = SoftwareAuthenticator.Open(arguments.GetRequiredValue(_passkeyFile));
        var options = new PasskeyOptions { RelyingParty = arguments.GetRequiredValue(_relyingParty) };
        var registration = await PasskeyRegistration.BeginAsync(await OpenAsync(arguments, stop), options, NameOf(arguments), stop);
        var creation = await authenticator.CreateAsync(registration.Request, stop);
        if (creation is null)
        {
            return CommandLine.Fail(1, "passkey_exists", "The file has a passkey of this user already.");
        }

        if (await registration.CompleteAsync(creation, stop) is { } objection)
        {
            return CommandLine.Fail(1, objection.Reason.ToCode(), objection.ToString());
        }

        Console.WriteLine(registration.Factor!.Id);
        return 0;
    }

    private async Task<int> ListAsync(ParseResult arguments, CancellationToken stop)
    {
        foreach (var listed in await (await OpenAsync(arguments, stop)).ListFactorsAsync(stop))
        {
            Console.WriteLine($"{CommandLine.Token(listed.UserName)} {listed.Factor.Id} {listed.Factor.Kind}");
        }

        return 0;
    }

    private async Task<int> RemoveAsync(ParseResult arguments, CancellationToken stop)
    {
        var store = await OpenAsync(arguments, stop);
        return await store.RemoveFactorAsync(NameOf(arguments), arguments.GetRequiredValue(_factor), stop)
            ? 0
            : CommandLine.Fail(1, "no_such_factor", "The user has no such factor; 'factor list' shows those that there are.");
    }

    private async Task<IFactorListingStore> OpenAsync(ParseResult arguments, CancellationToken stop) =>
        (IFactorListingStore)await _store.OpenAsync(arguments, mayCreate: false, stop);

    private string NameOf(ParseResult arguments) => UserNames.Prepare(arguments.GetRequiredValue(_name));
}
