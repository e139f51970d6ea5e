using System.CommandLine;
using System.Security.Cryptography.X509Certificates;
using MutualAuth.Names;
using MutualAuth.Samples;

namespace MutualAuth.Tool;

/// <summary><c>ca</c>: an authority for development.</summary>
internal static class AuthorityCommand
{
    private const string Detail =
        "The authority is for development, and its name and its folder say so. Its key lies in the folder without a password. For production use an "
            + "authority that keeps its key elsewhere: docs/how-to/make-certificates.md.";

    private static readonly Argument<string> s_directory = new("DIR") { Description = "The folder of the authority." };

    internal static ToolCommand Create() => new ToolCommand("ca", "Makes certificates for development.").With(Init(), Issue(), Revoke(), List());

    private static ToolCommand Init()
    {
        var name = new Option<string>("--name")
        {
            HelpName = "NAME",
            DefaultValueFactory = _ => "Development Authority",
            Description = "Its name, after which it says what it is. Default: Development Authority."
        };
        var days = Days(365);
        return new ToolCommand("init", "Makes an authority in a folder.") { Details = [Detail], Examples = ["mutualauth ca init dev-ca"] }
            .With(s_directory, name, days)
            .Does(arguments => Guard(() =>
            {
                var directory = arguments.GetRequiredValue(s_directory);
                DevelopmentAuthority.Create(directory, arguments.GetRequiredValue(name), DaysOf(arguments, days));
                var trust = DevelopmentAuthority.CertificatePath(directory);
                Report.ToOutput(arguments).Line(
                    $"authority {trust}, for development only", ("authority", trust), ("for", DevelopmentAuthority.Warning));
                return 0;
            }));
    }

    private static ToolCommand Issue()
    {
        var role = new Option<string>("--role") { Required = true, Description = "What the certificate is for." };
        role.AcceptOnlyFromAmong("server", "client", "both");
        var names = PeerFlags.Many("--name", "NAME", "A DNS name or an address of the holder.");
        var spiffe = new Option<string?>(
            "--spiffe")
        { HelpName = "ID", Description = "The holder's SPIFFE ID, such as spiffe://example.test/inventory." };
        var output = new Option<string?>(
            "--out")
        { HelpName = "NAME", Description = "What the files are called: NAME.pem and NAME.key. Default: the role." };
        var days = Days(30);
        return new ToolCommand("issue", "Issues a certificate with a new key.")
        {
            Details = [Detail],
            Examples =
            [
                "mutualauth ca issue dev-ca --role server --name localhost --name 127.0.0.1",
                "mutualauth ca issue dev-ca --role client --spiffe spiffe://example.test/billing --out billing",
            ],
        }.With(s_directory, role, names, spiffe, output, days).Does(arguments => Guard(() =>
        {
            var holder = arguments.GetRequiredValue(role);
            var dns = arguments.GetRequiredValue(names);
            var ids = arguments.GetValue(spiffe) is { } id ? new[] { SpiffeId.Parse(id).ToString() } : [];
            if (dns.Length + ids.Length == 0)
            {
                throw new UsageException("Say whose it is: --name NAME, or --spiffe ID.");
            }

            foreach (var name in dns)
            {
                _ = ServerName.Parse(name); // says what is wrong with it
            }

            var file = arguments.GetValue(output) ?? holder;
            if (file.Length == 0 || file.AsSpan().ContainsAny('/', '\\') || file is "." or ".." or "authority")
            {
                throw new UsageException($"--out: '{file}' is no name for a file in the folder of the authority.");
            }

            using var authority = DevelopmentAuthority.Open(arguments.GetRequiredValue(s_directory));
            var issued = authority.Issue(file, holder != "client", holder != "server", dns, ids, DaysOf(arguments, days));
            Report.ToOutput(arguments).Line(
                $"issued {issued.Certificate} and {issued.Key}, serial {issued.Serial}, until {issued.NotAfter.UtcDateTime:yyyy-MM-dd HH:mm:ss}Z",
                ("certificate", issued.Certificate), ("key", issued.Key), ("serial", issued.Serial), ("not_after", issued.NotAfter));
            return 0;
        }));
    }

    private static ToolCommand Revoke()
    {
        var what = new Argument<string>("CERTIFICATE") { Description = "A certificate's file, its name within the folder, or a serial number." };
        var reason = new Option<string>("--reason")
        { DefaultValueFactory = _ => "unspecified", Description = "Why. Default: unspecified." };
        reason.AcceptOnlyFromAmong("unspecified", "key_compromise", "affiliation_changed", "superseded", "cessation_of_operation");
        var days = Days(7);
        return new ToolCommand("revoke", "Revokes a certificate, and issues a new list.")
        { Details = [Detail], Examples = ["mutualauth ca revoke dev-ca client --reason key_compromise"] }
            .With(s_directory, what, reason, days)
            .Does(arguments => Guard(() =>
            {
                using var authority = DevelopmentAuthority.Open(arguments.GetRequiredValue(s_directory));
                var code = Enum.GetValues<X509RevocationReason>().First(
                    value => RejectionCodes.ToSnakeCase(value.ToString()) == arguments.GetRequiredValue(reason));
                var serial = authority.Revoke(arguments.GetRequiredValue(what), code, DaysOf(arguments, days))
                    ?? throw new UsageException($"{arguments.GetRequiredValue(what)} is revoked already.");
                var list = DevelopmentAuthority.ListPath(arguments.GetRequiredValue(s_directory));
                Report.ToOutput(arguments).Line($"revoked {serial}; {list} says so", ("revoked", serial), ("list", list));
                return 0;
            }));
    }

    private static ToolCommand List()
    {
        var days = Days(7);
        return new ToolCommand("crl", "Issues a new revocation list.") { Details = [Detail], Examples = ["mutualauth ca crl dev-ca --days 1"] }
            .With(s_directory, days)
            .Does(arguments => Guard(() =>
            {
                using var authority = DevelopmentAuthority.Open(arguments.GetRequiredValue(s_directory));
                var next = authority.IssueList(DaysOf(arguments, days));
                var list = DevelopmentAuthority.ListPath(arguments.GetRequiredValue(s_directory));
                Report.ToOutput(arguments).Line($"list {list}, until {next.UtcDateTime:yyyy-MM-dd HH:mm:ss}Z", ("list", list), ("next_update", next));
                return 0;
            }));
    }

    private static Option<int> Days(int count) => new("--days")
    { HelpName = "N", DefaultValueFactory = _ => count, Description = $"How many days it is good, 1 to 3650. Default: {count}." };

    private static int DaysOf(ParseResult arguments, Option<int> option) => arguments.GetValue(option) is >= 1 and <= 3650 and var days
        ? days
        : throw new UsageException($"--days wants a number from 1 to 3650, got {arguments.GetValue(option)}.");

    private static int Guard(Func<int> action)
    {
        try
        {
            return action();
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException or FormatException or ArgumentException)
        {
            throw new UsageException(exception.Message);
        }
    }
}
