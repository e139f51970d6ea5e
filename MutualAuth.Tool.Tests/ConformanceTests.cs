using MutualAuth.Conformance.Limbo;
using MutualAuth.Tests.Support;

namespace MutualAuth.Tests;

/// <summary>The cases of x509-limbo by the flags of verify: the same verdicts as the library's own run, for each that the flags can
/// express.</summary>
public sealed class ConformanceTests
{
    private const int MaxCertificates = 10;
    private const int MaxCertificateBytes = 32 * 1024;

    private string _directory = null!;

    [SetUp]
    public void SetUp() => _directory = Directory.CreateTempSubdirectory("mutualauth-limbo-").FullName;

    [TearDown]
    public void TearDown() => Directory.Delete(_directory, recursive: true);

    [Test]
    public async Task Verify_agrees_with_the_library_on_every_case_that_its_flags_express()
    {
        var missing = new Dictionary<string, string>();
        var disagreements = new List<string>();
        var agreed = 0;
        foreach (var limboCase in LimboFile.Read(Path.Combine(Repository.Root, "conformance", "data", "limbo.json.gz")).Testcases)
        {
            if (MissingFlag(limboCase) is { } flag)
            {
                missing[limboCase.Id] = flag;
                continue;
            }

            var library = LimboRunner.Run(limboCase);
            var tool = await ToolRun.Of(ToArguments(limboCase));
            if ((tool.ExitCode == 0) == (library.Accepted == true) && (tool.ExitCode != 10 || tool.ErrorCode == library.Reason))
            {
                agreed++;
            }
            else
            {
                disagreements.Add($"{limboCase.Id}: the library {library.Reason ?? "accepted"}, the tool {tool.ExitCode} {tool.LastError}");
            }
        }

        foreach (var (id, flag) in missing)
        {
            TestContext.Out.WriteLine($"{id}: verify has no {flag}");
        }

        TestContext.Out.WriteLine($"agreed {agreed}, not expressed {missing.Count}");
        disagreements.Should().BeEmpty();
        agreed.Should().BeGreaterThan(580);
        missing.Values.Should().OnlyContain(flag => flag.StartsWith("--"));
    }

    /// <summary>What verify has no flag for; null when it has all that the case needs.</summary>
    private static string? MissingFlag(LimboCase limboCase)
    {
        var certificates = limboCase.UntrustedIntermediates.Append(limboCase.PeerCertificate).ToList();
        return certificates.Count > MaxCertificates ? "--max-certificates"
            : certificates.Any(pem => pem.Length * 3 / 4 > MaxCertificateBytes) ? "--max-certificate-bytes"
            : limboCase.ExpectedPeerNames.Count > 1 ? "--allow-all-of"
            : null;
    }

    private string[] ToArguments(LimboCase limboCase)
    {
        var profile = LimboRunner.ProfileOf(limboCase);
        var isServer = limboCase.ValidationKind == "SERVER";
        return
        [
            "verify", Write("peer", [limboCase.PeerCertificate, .. limboCase.UntrustedIntermediates]),
            "--trust", Write("trust", limboCase.TrustedCerts),
            "--role", isServer ? "server" : "client",
            .. limboCase.Crls.Count == 0 ? Array.Empty<string>() : ["--crl", Write("lists", limboCase.Crls)],
            .. isServer && limboCase.ExpectedPeerName is { } name ? ["--name", name.Value] : Array.Empty<string>(),
            .. isServer ? [] : limboCase.ExpectedPeerNames.SelectMany(
                expected => new[] { expected.Kind == "RFC822" ? "--allow-email" : "--allow-dns", expected.Value }),
            .. limboCase.Namespace switch
            {
                "webpki" => ["--profile", "web-pki"],
                "bettertls" => ["--purpose", "unless-contradicted"],
                _ => new[] { "--profile", "rfc5280" },
            },
            .. limboCase.KeyUsage.DefaultIfEmpty("none").SelectMany(usage => new[] { "--key-usage", usage }),
            "--max-intermediates", $"{profile.MaxIntermediates}",
            .. limboCase.ValidationTime is { } time ? ["--at", $"{time:O}"] : Array.Empty<string>(),
        ];
    }

    private string Write(string name, IReadOnlyList<string> pems)
    {
        var path = Path.Combine(_directory, name);
        File.WriteAllText(path, string.Join('\n', pems));
        return path;
    }
}
