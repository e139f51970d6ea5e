// A gate into a network with strict identity checks: its key in a PKCS#11 token, revocation lists that must be in force, a certificate policy,
// certificates on P-384 with SHA-384, TLS 1.3 with one cipher suite, people by name, and an audit trail in which an auditor detects changes. Ada
// satisfies all of it and is admitted; each of the others lacks one requirement and is rejected. Behind it is a vault, in which two persons who are
// both connected must confirm an act.
// Run it:  dotnet run --project samples/RestrictedNetwork        (needs softhsm2, opensc and libengine-pkcs11-openssl)
//          dotnet run --project samples/RestrictedNetwork -- --key-in-memory
// What it leaves out, and such a network has:
//  - Hardware. SoftHSM is software with the interface of a token, and the cards of the persons are keys in memory.
//  - A demand on what TLS chooses beside version and cipher suite: key exchange and signatures of the handshake, and a validated module
//    (RequirePlatform; a profile of OpenSSL).
//  - The other direction. The persons' programs check the gate's authority and name, and neither lists nor policy.
//  - Strong passwords. A person confirms an act with a password, on a connection that its card has opened.
//  - The auditor, who keeps the first key elsewhere, and notes how many entries there were: who puts back older copies of trail and state together
//    is detected by that number alone.
using System.Net;
using System.Net.Security;
using System.Security.Cryptography;
using System.Text.Json;
using MutualAuth;
using MutualAuth.Audit;
using MutualAuth.Credentials;
using MutualAuth.Revocation;
using MutualAuth.Samples;
using MutualAuth.Testing;

const string Ada = "CN=Ada Example,OU=Signals,O=Example Forces", Bob = "CN=Bob Example,OU=Signals,O=Example Forces",
    Dora = "CN=Dora Example,OU=Signals,O=Example Forces";
const string ServerAuth = "1.3.6.1.5.5.7.3.1", ClientAuth = "1.3.6.1.5.5.7.3.2";

using var authority = new TestAuthority("Example Forces CA", OnP384);
Pkcs11Token? token = null;
Identity gate;
try
{
    token = args is ["--key-in-memory"] ? null : new Pkcs11Token();
    Console.WriteLine(
        token is null
            ? "gate     its key is in memory"
            : $"gate     its key is in the token, which a wrong PIN opens: {Pkcs11Token.OpensWith("00000000")}; the key is {token.KeyAccess}");
    gate = token?.IssueTo(authority, GateSpec) ?? authority.Issue(GateSpec).ToIdentity();
}
catch (InvalidOperationException exception)
{
    Console.Error.WriteLine($"token: {exception.Message}");
    return 2;
}

var directory = Directory.CreateTempSubdirectory("mutualauth-audit-");
var auditPath = Path.Combine(directory.FullName, "audit.jsonl");
var auditorsKey = RandomNumberGenerator.GetBytes(AuditTrail.KeyLength); // on a real system drawn, and kept, by the auditor alone
AuditTrail.Begin(auditPath, auditorsKey);
var trail = AuditTrail.Open(auditPath);

var ada = Issue(Ada);
var bob = Issue(Bob);
var dora = Issue(Dora);
var demands = Gate.Demands(gate, authority.ToTrustAnchors(), ListsOf(_ => _), [Ada, Bob, Dora], trail);

await TryAsync("Ada", demands, ada);
authority.Revoke(bob);
await TryAsync("Bob, whose card was reported lost", demands with { Revocation = new RevocationPolicy { Lists = ListsOf(_ => _) } }, bob);
await TryAsync("Ada, while the list is out of date", demands with { Revocation = new RevocationPolicy { Lists = ListsOf(Yesterday) } }, ada);
await TryAsync("Ada, while there is no list", demands with { Revocation = new RevocationPolicy { Lists = RevocationLists.Empty } }, ada);
await TryAsync("Ada, with a card on P-256", demands, authority.Issue(
    blank => PersonSpec(blank, Ada, Gate.IdentifiedInPerson) with { KeyAlgorithm = KeyAlgorithm.EcdsaP256 }));
await TryAsync("Ada, with a card that was signed over SHA-256", demands, authority.Issue(
    blank => PersonSpec(blank, Ada, Gate.IdentifiedInPerson) with { SignatureAlgorithm = SignatureAlgorithm.EcdsaSha256 }));
await TryAsync("Ada, with a card of a lower policy", demands, Issue(Ada, "2.999.7.2"));
await TryAsync("Cem, who is not on the roster", demands, Issue("CN=Cem Example,OU=Signals,O=Example Forces"));
await TryAsync(
    "Ada, by another authority",
    demands,
    new TestAuthority("Example Forces CA", OnP384).Issue(blank => PersonSpec(blank, Ada, Gate.IdentifiedInPerson)));
await TryAsync(
    "Ada, with TLS 1.2 alone", demands, ada, client => client with { CipherSuites = [TlsCipherSuite.TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384] });
await TryAsync(
    "Ada, with another cipher suite",
    demands,
    ada,
    client => client with { MinimumTlsVersion = TlsVersion.Tls13, CipherSuites = [TlsCipherSuite.TLS_CHACHA20_POLY1305_SHA256] });
await ActAsync();
if (token is not null)
{
    token.Dispose();
    await TryAsync("Ada, after the token was pulled out", demands, ada);
}

await trail.DisposeAsync(); // it records nothing any more, as one whose disk is full
await TryAsync("Ada, while the audit trail cannot be written", demands with { Identity = authority.Issue(GateSpec).ToIdentity() }, ada);

var entries = File.ReadAllLines(auditPath);
Audit("as it is", entries);
string[] ofPersons = ["authenticated", "handshake.failed", "authorization.refused", "login.accepted", "step_up.accepted", "step_up.refused", "act"];
foreach (var kind in entries.Select(What).Where(ofPersons.Contains).CountBy(what => what).OrderBy(kind => kind.Key, StringComparer.Ordinal))
{
    Console.WriteLine($"recorded {kind.Key}: {kind.Value}");
}

Audit("after somebody turned Bob into Rob", entries.Select(entry => entry.Replace("Bob", "Rob", StringComparison.Ordinal)));
Audit("after somebody removed an entry", entries.Where((_, number) => number != 2));
Audit("after somebody cut off the last entry", entries.SkipLast(1));

directory.Delete(recursive: true);
return 0;

// An entry is a code, a space and what was recorded.
static string What(string entry) => JsonDocument.Parse(entry[entry.IndexOf('{')..]).RootElement.GetProperty("what").GetString()!;

void Audit(string when, IEnumerable<string> lines)
{
    File.WriteAllLines(auditPath, lines);
    var found = AuditTrail.Verify(auditPath, auditorsKey);
    Console.WriteLine($"audit    {when}: {(found.IsIntact ? "intact" : $"not intact ({found.Problem})")}");
}

TestCertificate Issue(string subject, string policy = Gate.IdentifiedInPerson) => authority.Issue(blank => PersonSpec(blank, subject, policy));

static CertificateSpec OnP384(CertificateSpec blank) => blank with { KeyAlgorithm = KeyAlgorithm.EcdsaP384 }; // and so SHA-384

static CertificateSpec GateSpec(CertificateSpec blank) =>
    OnP384(blank) with { DnsNames = ["gate.test"], Policies = [Gate.IdentifiedInPerson], ExtendedKeyUsages = [ServerAuth] };

static CertificateSpec PersonSpec(CertificateSpec blank, string subject, string policy) =>
    OnP384(blank) with { Subject = subject, Policies = [policy], ExtendedKeyUsages = [ClientAuth] };

RevocationLists ListsOf(Func<MutualAuth.Testing.Revocation.CrlSpec, MutualAuth.Testing.Revocation.CrlSpec> spec) =>
    RevocationLists.FromPem(authority.IssueCrl(spec).Pem);

static MutualAuth.Testing.Revocation.CrlSpec Yesterday(MutualAuth.Testing.Revocation.CrlSpec spec) =>
    spec with { ThisUpdate = DateTimeOffset.UtcNow.AddDays(-2), NextUpdate = DateTimeOffset.UtcNow.AddDays(-1) };

async Task TryAsync(
    string who, MutualTlsServerOptions demands, TestCertificate person, Func<MutualTlsClientOptions, MutualTlsClientOptions>? oddly = null)
{
    var refused = new TaskCompletionSource<HandshakeException>();
    await using var listener = MutualTlsListener.Start(ListenerOf(demands) with { OnHandshakeFailed = failure => refused.TrySetResult(failure) });
    var client = ClientOf(person);
    var entering = new MutualTlsClient(oddly?.Invoke(client) ?? client).ConnectAsync(listener.LocalEndPoint, "gate.test");
    var accepting = listener.AcceptAsync().AsTask();
    if (await Task.WhenAny(accepting, refused.Task) == accepting)
    {
        await using var admitted = await accepting;
        await using var inside = await entering;
        Console.WriteLine($"admitted {who}: {admitted.Peer.Name}, {admitted.Session.CipherSuite}");
    }
    else
    {
        var refusal = await refused.Task;
        await Task.WhenAny(entering);
        Console.WriteLine($"refused  {who}: {refusal.Reason.ToCode()}; the peer was told {Told(entering)}");
    }
}

async Task ActAsync()
{
    var users = new MemoryCredentialStore();
    await users.SetAsync("ada", ScramVerifier.Create(Password.From("correct horse")));
    await users.SetAsync("dora", ScramVerifier.Create(Password.From("battery staple")));
    var ofTwo = Gate.WithUsers(demands, users, new() { [Ada] = "ada", [Dora] = "dora" });
    await using var vault = Vault.Open(ListenerOf(ofTwo), trail);
    await using var one = await EnterAsync("Ada", ada, Login.WithPassword("ada", "correct horse"));
    await using var same = await EnterAsync("Ada", ada, Login.WithPassword("ada", "correct horse"));
    await using var other = await EnterAsync("Dora", dora, Login.WithPassword("dora", "battery staple"));

    await one.ConfirmAsync("open cabinet 7"); // alone
    await one.ConfirmAsync("open cabinet 7"); // twice
    await same.ConfirmAsync("open cabinet 7"); // from another desk
    await other.ConfirmAsync("open cabinet 8"); // a second person, and another act
    await other.ConfirmAsync("open cabinet 9", sent: "open cabinet 7"); // her program shows one act and sends another
    await other.ConfirmAsync("open cabinet 7");
    await same.ConfirmAsync("open cabinet 7"); // what was confirmed was carried out once
    await one.LeaveAsync();
    await same.LeaveAsync();
    await other.ConfirmAsync("open cabinet 7"); // the first person has confirmed, and is not there any more

    async Task<Person> EnterAsync(string who, TestCertificate card, ClientCredentials credentials) =>
        await Person.EnterAsync(who, ClientOf(card) with { Credentials = credentials }, vault.EndPoint);
}

MutualTlsClientOptions ClientOf(TestCertificate person) =>
    new() { Identity = person.ToIdentity(), Trust = authority.ToTrustAnchors(), Authorization = Authorize.Dns("gate.test") };

static MutualTlsListenerOptions ListenerOf(MutualTlsServerOptions demands) =>
    new() { EndPoint = new IPEndPoint(IPAddress.Loopback, 0), Server = new MutualTlsServer(demands) };

static string Told(Task entering) =>
    entering.Exception?.InnerException is HandshakeException failure ? failure.PeerReason?.ToCode() ?? failure.Reason.ToCode() : "nothing";
