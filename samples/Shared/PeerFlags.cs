using System.Collections.Immutable;
using System.CommandLine;
using System.Net.Security;
using MutualAuth.Certificates;
using MutualAuth.Evidence;
using MutualAuth.Expiry;
using MutualAuth.Identities;
using MutualAuth.Names;
using MutualAuth.Paths;
using MutualAuth.Pinning;
using MutualAuth.Reloading;
using MutualAuth.Revocation;

namespace MutualAuth.Samples;

/// <summary>The flags that both programs have: who we are, whom we trust, and how we talk.</summary>
internal sealed class PeerFlags
{
    private readonly Option<string?> _certificate = new("--certificate")
    { HelpName = "FILE", Description = "Our certificate: a PEM chain, our own first, or PKCS#12 (.p12, .pfx)." };
    private readonly Option<string?> _key = new("--key")
    { HelpName = "FILE", Description = "Its private key in PEM. Default: it stands in the certificate's file." };
    private readonly Option<string?> _keyPasswordFile = new("--key-password-file")
    { HelpName = "FILE", Description = "A file whose first line is the password of the key or of the PKCS#12 file." };
    private readonly Option<string[]> _trust = Many("--trust", "FILE", "An authority to trust, in PEM.");
    private readonly Option<string[]> _pins = Many("--pin", "sha256/BASE64", "A public key of which one must be on the peer's verified path.");
    private readonly Option<string[]> _revocationLists = Many(
        "--crl", "FILE", "Revocation lists, PEM or DER. Given one, every certificate but the anchor's must be covered.");
    private readonly Option<string> _confirmation = new("--confirmation")
    { Description = "Whether each side must learn in the handshake that the other accepted it.", DefaultValueFactory = _ => "preferred" };
    private readonly Option<string[]> _protocols = Many("--alpn", "NAME", "An application protocol, the favourite first.");
    private readonly Option<string> _minimumTls = new("--min-tls") { Description = "The lowest TLS version.", DefaultValueFactory = _ => "1.2" };

    private readonly Option<string[]> _cipherSuites = Many(
        "--cipher-suite", "NAME", "The only cipher suites, such as TLS_AES_256_GCM_SHA384, the favourite first; to leave out those with CBC.");
    private readonly Option<string?> _keyExchange = new("--key-exchange")
    {
        HelpName = "any|hybrid|post-quantum|GROUP[,GROUP]",
        Description = "Which key exchanges are allowed; given, the accepted line ends with the group. Default: any.",
    };

    private readonly Option<double?> _maximumLifetime = new("--max-lifetime")
    { HelpName = "DAYS", Description = "The longest lifetime of a peer's certificate, from its first moment to its last." };
    private readonly Option<double> _notBeforeTolerance = new("--not-before-tolerance")
    { HelpName = "SECONDS", Description = "How long before its first moment a certificate counts already. Default: 0." };
    private readonly Option<double> _noRevAvail = new("--no-rev-avail")
    { HelpName = "DAYS", Description = "With --crl: up to which lifetime a peer's certificate with noRevAvail need not be covered. Default: 0." };

    private readonly Option<string> _profile = new("--profile")
    {
        Description = "Which algorithms the certificates of peers may use: every supported one, or those of CNSA alone.",
        DefaultValueFactory = _ => "any",
    };

    internal PeerFlags(Command command)
    {
        _profile.AcceptOnlyFromAmong("any", "cnsa-1.0", "cnsa-2.0");
        _confirmation.AcceptOnlyFromAmong("required", "preferred", "never");
        _minimumTls.AcceptOnlyFromAmong("1.2", "1.3");
        foreach (var option in new Option[]
        {
            _certificate, _key, _keyPasswordFile, _trust, _pins, _revocationLists, _confirmation, _protocols, _minimumTls, _cipherSuites,
            _keyExchange, _maximumLifetime, _notBeforeTolerance, _noRevAvail, _profile,
        })
        {
            command.Options.Add(option);
        }
    }

    internal static Option<string[]> Many(string name, string helpName, string description) =>
        new(name)
        { HelpName = helpName, Description = description + " Repeatable.", DefaultValueFactory = _ => [], AllowMultipleArgumentsPerToken = true };

    internal bool HasCertificate(ParseResult arguments) => arguments.GetValue(_certificate) is not null;

    internal bool HasTrust(ParseResult arguments) => arguments.GetValue(_trust) is { Length: > 0 };

    /// <summary>Our identity, following its files. What peers would reject is left to them: the library says so at the start.</summary>
    internal IIdentitySource? Identity(ParseResult arguments, PeerRole role)
    {
        var passwordFile = arguments.GetValue(_keyPasswordFile);
        if (arguments.GetValue(_certificate) is not { } path)
        {
            return arguments.GetValue(_key) is null && passwordFile is null
                ? null
                : throw new UsageException("--key and --key-password-file go with --certificate; give it as well.");
        }

        try
        {
            return Announced("the identity", Follow(new IdentityCheck { Role = role }));
        }
        catch (MaterialException exception) when (exception.Problem is MaterialProblem.Expired
            or MaterialProblem.NotYetValid
            or MaterialProblem.WrongUsage
            or MaterialProblem.NotTrusted)
        {
            return Announced("the identity", Follow(IdentityCheck.None));
        }

        IdentityFiles Follow(IIdentityCheck check) => Path.GetExtension(path).ToLowerInvariant() is ".p12" or ".pfx"
            ? IdentityFiles.FromPkcs12(path, passwordFile, check)
            : IdentityFiles.FromPem(path, arguments.GetValue(_key), passwordFile, check);
    }

    internal TrustAnchorFiles Trust(ParseResult arguments) =>
        Announced("the trust anchors", new TrustAnchorFiles(arguments.GetRequiredValue(_trust)));

    /// <summary>Given one list, every certificate but the anchor's must be covered by one; given none, revocation is not checked.</summary>
    internal RevocationPolicy? Revocation(ParseResult arguments)
    {
        if (arguments.GetRequiredValue(_revocationLists) is { Length: > 0 } files)
        {
            return new RevocationPolicy
            {
                Lists = Announced("the revocation lists", new RevocationListFiles(files)),
                NoRevAvailLifetime = TimeSpan.FromDays(arguments.GetValue(_noRevAvail)),
            };
        }

        CommandLine.Note("revocation is not checked; give the authorities' lists with --crl to have it checked.");
        return null;
    }

    /// <summary>The rules of path validation.</summary>
    internal ValidationProfile Profile(ParseResult arguments, PurposeRule purpose = PurposeRule.Required) => ValidationProfile.MutualTls with
    {
        Algorithms = arguments.GetRequiredValue(_profile) switch
        {
            "cnsa-1.0" => AlgorithmSuite.Cnsa1,
            "cnsa-2.0" => AlgorithmSuite.Cnsa2,
            _ => null,
        },
        Purpose = purpose,
        MaximumLifetime = arguments.GetValue(_maximumLifetime) is { } days ? TimeSpan.FromDays(days) : null,
        NotBeforeTolerance = TimeSpan.FromSeconds(arguments.GetValue(_notBeforeTolerance)),
    };

    /// <exception cref="UsageException">A name is not that of a cipher suite.</exception>
    internal ImmutableArray<TlsCipherSuite> CipherSuites(ParseResult arguments) =>
    [
        .. arguments.GetRequiredValue(_cipherSuites).Select(name => Enum.TryParse<TlsCipherSuite>(name, out var suite) && Enum.IsDefined(suite)
            ? suite
            : throw new UsageException($"--cipher-suite: '{name}' is not the name of a cipher suite, such as TLS_AES_256_GCM_SHA384.")),
    ];

    /// <exception cref="UsageException">A name is not that of a group.</exception>
    internal KeyExchangePolicy KeyExchange(ParseResult arguments) => arguments.GetValue(_keyExchange) switch
    {
        null or "any" => KeyExchangePolicy.Any,
        "hybrid" => KeyExchangePolicy.Hybrid,
        "post-quantum" => KeyExchangePolicy.PostQuantum,
        var names => KeyExchangePolicy.Only(names.Split(',').Select(name => KeyExchangeGroups.TryParse(name, out var group)
            ? group
            : throw new UsageException($"--key-exchange: '{name}' is neither any, hybrid, post-quantum nor the name of a group, such as x25519."))),
    };

    /// <summary>What the accepted line ends with: the group, where the flag was given.</summary>
    internal string Group(ParseResult arguments, SessionFacts session) =>
        arguments.GetValue(_keyExchange) is null ? string.Empty : $" group={session.KeyExchangeGroup?.ToText() ?? "-"}";

    internal PinSet? Pins(ParseResult arguments)
    {
        var pins = arguments.GetRequiredValue(_pins).Select(SpkiPin.Parse).Distinct().ToArray();
        switch (pins)
        {
            case []:
                return null;
            case [var only]:
                CommandLine.Note("one pin and no backup: when that key is replaced, every peer is rejected.");
                return PinSet.DangerouslyWithoutBackup(only);
            default:
                return PinSet.Of(pins);
        }
    }

    internal ConfirmationPolicy Confirmation(ParseResult arguments) =>
        Enum.Parse<ConfirmationPolicy>(arguments.GetRequiredValue(_confirmation), ignoreCase: true);

    internal ImmutableArray<string> Protocols(ParseResult arguments) => [.. arguments.GetRequiredValue(_protocols)];

    internal TlsVersion MinimumTls(ParseResult arguments) => arguments.GetRequiredValue(_minimumTls) == "1.3" ? TlsVersion.Tls13 : TlsVersion.Tls12;

    // Sources follow their files until the process ends.
    private static TFiles Announced<TFiles>(string what, TFiles files)
        where TFiles : IFileSource
    {
        files.Replaced += (_, _) => CommandLine.Note($"{what} replaced.");
        files.Refused += (_, refused) => CommandLine.Note($"{what} not replaced: {refused.Problem.Message}");
        return files;
    }
}
