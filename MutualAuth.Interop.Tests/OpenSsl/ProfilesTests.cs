using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using MutualAuth.Testing;
using MutualAuth.Tests.Support;

namespace MutualAuth.Tests.OpenSsl;

/// <summary>
/// The profiles of docs/security, each in programs that were started with it: a client's hello is read from a socket, octet by octet and by no code
/// of the library; a server is asked by the openssl program.
/// </summary>
[CancelAfter(60000)]
public sealed class ProfilesTests
{
    private const string Nothing = "/dev/null";

    private static readonly int[] s_curves = [0x001d, 0x0017, 0x0018, 0x0019];

    private static readonly int[] s_fapiSchemes =
        [0x0403, 0x0503, 0x0603, 0x0807, 0x0809, 0x080a, 0x080b, 0x0804, 0x0805, 0x0806, 0x0401, 0x0501, 0x0601];

    private static IEnumerable<TestCaseData> Hellos()
    {
        yield return new TestCaseData(
            "strict", new[] { 0x1302, 0x1303, 0x1301, 0xc02c, 0xc030, 0xc02b, 0xc02f, 0xcca9, 0xcca8 }, s_curves, null, new[] { 0x0304, 0x0303 });
        yield return new TestCaseData(
            "fapi", new[] { 0x1302, 0x1303, 0x1301, 0xc02c, 0xc030, 0xc02b, 0xc02f }, s_curves, s_fapiSchemes, new[] { 0x0304, 0x0303 });
        yield return new TestCaseData(
            "cnsa-1.0", new[] { 0x1302, 0xc02c, 0xc030 }, new[] { 0x0018 }, new[] { 0x0503, 0x080a, 0x0805, 0x0501 }, new[] { 0x0304, 0x0303 });
        if (HasPostQuantum)
        {
            yield return new TestCaseData("cnsa-2.0", new[] { 0x1302 }, new[] { 0x0202 }, new[] { 0x0906 }, new[] { 0x0304 });
        }
    }

#pragma warning disable SYSLIB5006 // only whether the platform has it
    private static bool HasPostQuantum => MLKem.IsSupported && MLDsa.IsSupported;
#pragma warning restore SYSLIB5006

    [TestCaseSource(nameof(Hellos))]
    public async Task The_hello_of_a_client_of_ours_holds_what_the_profile_has_and_no_more(
        string profile, int[] suites, int[] groups, int[]? schemes, int[] versions)
    {
        string[] minimum = versions.Length == 1 ? ["--min-tls", "1.3"] : [];

        var hello = await HelloOfAsync(File(profile), minimum);

        hello.Suites.Should().Equal(suites);
        hello.List(10).Should().Equal(groups);
        hello.Versions.Should().Equal(versions);
        hello.Extensions.Should().NotContainKey(35, "no tickets are taken");
        if (schemes is not null)
        {
            hello.List(13).Should().Equal(schemes);
        }

        // The neighbour differs in the file alone.
        var plain = await HelloOfAsync(Nothing, minimum);
        plain.List(10).Should().Contain(0x0100, "ffdhe2048 is what OpenSSL offers by itself");
        plain.List(10).Should().HaveCountGreaterThan(groups.Length);
    }

    /// <summary>One value that this OpenSSL does not know undoes what the file is for: a process learns that from its own octets alone.</summary>
    [Test]
    public async Task A_value_that_OpenSSL_does_not_know_undoes_groups_and_suites_without_a_word()
    {
        using var workshop = new Workshop();
        var text = await System.IO.File.ReadAllTextAsync(File("strict"));
        var wrong = workshop.Write("wrong.cnf", text.Replace("Groups = ", "Groups = NOSUCHGROUP:", StringComparison.Ordinal));

        var hello = await HelloOfAsync(wrong);

        hello.List(10).Should().Contain(0x0100, "ffdhe2048 is back");
        hello.Suites.Should().Contain(0xc024, "that is a suite with CBC");
    }

    [TestCase("fapi", KeyAlgorithm.EcdsaP256, "-tls1_2", "-cipher", "ECDHE-ECDSA-AES128-SHA256", false)]
    [TestCase("fapi", KeyAlgorithm.EcdsaP256, "-tls1_2", "-cipher", "ECDHE-ECDSA-AES128-GCM-SHA256", true)]
    [TestCase("fapi", KeyAlgorithm.EcdsaP256, "-tls1_3", "-groups", "X448", false)]
    [TestCase("fapi", KeyAlgorithm.EcdsaP256, "-tls1_3", "-groups", "X25519", true)]
    [TestCase("fapi", KeyAlgorithm.EcdsaP256, "-tls1_2", "-sigalgs", "ECDSA+SHA224", false)]
    [TestCase("fapi", KeyAlgorithm.EcdsaP256, "-tls1_2", "-sigalgs", "ECDSA+SHA256", true)]
    [TestCase("cnsa-1.0", KeyAlgorithm.EcdsaP384, "-tls1_3", "-groups", "X25519", false)]
    [TestCase("cnsa-1.0", KeyAlgorithm.EcdsaP384, "-tls1_3", "-groups", "P-384", true)]
    [TestCase("cnsa-1.0", KeyAlgorithm.EcdsaP384, "-tls1_3", "-ciphersuites", "TLS_AES_128_GCM_SHA256", false)]
    [TestCase("cnsa-1.0", KeyAlgorithm.EcdsaP384, "-tls1_3", "-ciphersuites", "TLS_AES_256_GCM_SHA384", true)]
    [TestCase("cnsa-1.0", KeyAlgorithm.EcdsaP384, "-tls1_2", "-cipher", "ECDHE-ECDSA-AES128-GCM-SHA256", false)]
    [TestCase("cnsa-1.0", KeyAlgorithm.EcdsaP384, "-tls1_2", "-cipher", "ECDHE-ECDSA-AES256-GCM-SHA384", true)]
    public async Task A_server_of_ours_answers_what_the_profile_has_and_no_more(
        string profile, KeyAlgorithm key, string version, string option, string value, bool connects)
    {
        using var workshop = new Workshop(key);
        foreach (var file in new[] { File(profile), Nothing })
        {
            await using var server = RunningProgram.Start(
                Tool.Find("env"), [$"OPENSSL_CONF={file}", .. Sample("EchoServer"), .. ServerArguments(workshop)]);
            var address = (await server.LineAsync("listening on "))["listening on ".Length..];

            var client = await EndedProgram.OfAsync(
                RunningProgram.Start(Tool.Find("openssl"), "s_client", "-connect", address, version, option, value));

            client.All.Contains("Cipher is (NONE)", StringComparison.Ordinal).Should().Be(file != Nothing && !connects, client.All);
        }
    }

    /// <summary>The request for a certificate, in words of the openssl program.</summary>
    [TestCase("fapi", KeyAlgorithm.EcdsaP256, "SHA224")]
    [TestCase("cnsa-1.0", KeyAlgorithm.EcdsaP384, "SHA256")]
    public async Task A_server_of_ours_asks_clients_for_no_other_signatures(string profile, KeyAlgorithm key, string left)
    {
        using var workshop = new Workshop(key);
        foreach (var file in new[] { File(profile), Nothing })
        {
            await using var server = RunningProgram.Start(
                Tool.Find("env"), [$"OPENSSL_CONF={file}", .. Sample("EchoServer"), .. ServerArguments(workshop)]);
            var address = (await server.LineAsync("listening on "))["listening on ".Length..];

            var client = await EndedProgram.OfAsync(RunningProgram.Start(
                Tool.Find("openssl"), "s_client", "-connect", address, "-tls1_2"));

            var asked = client.All.Split('\n').Single(line => line.StartsWith("Requested Signature Algorithms:", StringComparison.Ordinal));
            asked.Contains(left, StringComparison.Ordinal).Should().Be(file == Nothing, asked);
        }
    }

    /// <summary>Keys are written, and everybody hears it, before anybody connects.</summary>
    [TestCase(true)]
    [TestCase(false)]
    public async Task A_program_whose_keys_are_written_down_says_so_at_start(bool isOn)
    {
        using var workshop = new Workshop();
        var keys = Path.Combine(workshop.Directory, "keys.log");
        var settings = workshop.Write("switch.runtimeconfig.json", await WithSwitchAsync(Repository.Program("EchoServer"), isOn));
        await using var server = RunningProgram.Start(
            Tool.Find("env"),
            [
                $"SSLKEYLOGFILE={keys}", Dotnet, "exec", "--runtimeconfig", settings, Repository.Program("EchoServer"),
                .. ServerArguments(workshop),
            ]);
        await server.LineAsync("listening on ");

        server.Errors.Any(line => line.Contains(keys, StringComparison.Ordinal) && line.Contains("SSLKEYLOGFILE", StringComparison.Ordinal))
            .Should().Be(isOn, server.ToString());
    }

    private static string Dotnet => Environment.GetEnvironmentVariable("DOTNET_HOST_PATH") ?? "dotnet";

    private static string File(string profile) => Path.Combine(Repository.Root, "docs", "security", $"openssl-{profile}.cnf");

    private static string[] Sample(string name) => [Dotnet, Repository.Program(name)];

    private static string[] ServerArguments(Workshop workshop)
    {
        var certificate = workshop.Server();
        return
        [
            "--listen", "127.0.0.1:0", "--certificate", certificate.Chain, "--key", certificate.Key, "--trust", workshop.Trust, "--allow-dns",
            Workshop.ClientName,
        ];
    }

    private static async Task<string> WithSwitchAsync(string program, bool isOn)
    {
        var text = await System.IO.File.ReadAllTextAsync(Path.ChangeExtension(program, "runtimeconfig.json"));
        var configuration = System.Text.Json.Nodes.JsonNode.Parse(text)!;
        var properties = configuration["runtimeOptions"]!["configProperties"]?.AsObject() ?? [];
        properties["System.Net.EnableSslKeyLogging"] = isOn;
        configuration["runtimeOptions"]!["configProperties"] = properties.DeepClone();
        return configuration.ToJsonString();
    }

    private static async Task<Hello> HelloOfAsync(string file, params string[] more)
    {
        using var workshop = new Workshop();
        using var listener = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        listener.Listen(1);
        await using var client = RunningProgram.Start(
            Tool.Find("env"),
            [
                $"OPENSSL_CONF={file}", .. Sample("EchoClient"), "--connect", $"{listener.LocalEndPoint}", "--server-name", Workshop.ServerName,
                "--trust", workshop.Trust, .. more,
            ]);
        using var accepted = await listener.AcceptAsync().WaitAsync(RunningProgram.Deadline);
        await using var stream = new NetworkStream(accepted);
        var header = new byte[5];
        await stream.ReadExactlyAsync(header).AsTask().WaitAsync(RunningProgram.Deadline);
        var record = new byte[BinaryPrimitives.ReadUInt16BigEndian(header.AsSpan(3))];
        await stream.ReadExactlyAsync(record).AsTask().WaitAsync(RunningProgram.Deadline);
        return new Hello(record);
    }

    /// <summary>A ClientHello in one record, read without a line of the library.</summary>
    private sealed class Hello
    {
        internal Hello(byte[] record)
        {
            var at = 4 + 2 + 32;
            at += 1 + record[at];
            var length = Two(record, at);
            Suites = [.. Numbers(record.AsSpan(at + 2, length)).Where(suite => suite != 0x00ff)];
            at += 2 + length;
            at += 1 + record[at] + 2;
            while (at < record.Length)
            {
                length = Two(record, at + 2);
                Extensions[Two(record, at)] = record.AsSpan(at + 4, length).ToArray();
                at += 4 + length;
            }
        }

        internal int[] Suites { get; }

        internal Dictionary<int, byte[]> Extensions { get; } = [];

        internal int[] Versions => Numbers(Extensions[43].AsSpan(1));

        internal int[] List(int extension) => Numbers(Extensions[extension].AsSpan(2));

        private static int Two(byte[] octets, int at) => BinaryPrimitives.ReadUInt16BigEndian(octets.AsSpan(at));

        private static int[] Numbers(ReadOnlySpan<byte> list)
        {
            var numbers = new int[list.Length / 2];
            for (var index = 0; index < numbers.Length; index++)
            {
                numbers[index] = BinaryPrimitives.ReadUInt16BigEndian(list[(2 * index)..]);
            }

            return numbers;
        }
    }
}
