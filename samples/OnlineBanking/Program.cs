// Online banking: the customer has a password and a passkey and no certificate, pins the bank's key, and confirms a large transfer with the passkey,
// which signs what it confirms (PSD2: strong customer authentication and dynamic linking).
// Run it:  dotnet run --project samples/OnlineBanking
// Expect:  two transfers that are carried out; then a program that shows one transfer and sends another, a password without the passkey, another
//          customer's passkey, a signature that is played again, a thief, and an impostor: all rejected. At last a telephone that was lost and a
//          customer whom the bank blocks, both while they are connected.
using System.Net;
using Microsoft.Data.Sqlite;
using MutualAuth;
using MutualAuth.Credentials;
using MutualAuth.Factors;
using MutualAuth.Names;
using MutualAuth.Pinning;
using MutualAuth.Samples;
using MutualAuth.Testing;

using var authority = new TestAuthority("Public Authority");
using var bankCertificate = authority.IssueServer("bank.test");
using var otherCertificate = authority.IssueServer("bank.test"); // another key under the same name: an authority was deceived
using var nextKey = authority.IssueServer("bank.test"); // made in advance, and kept offline

// The bank keeps verifiers and public keys, and no passwords. An application uses a file or PostgreSQL instead of this database in memory.
const string Database = "Data Source=bank;Mode=Memory;Cache=Shared";
await using var keepsItAlive = new SqliteConnection(Database);
await keepsItAlive.OpenAsync();
var users = new DatabaseCredentialStore(SqliteFactory.Instance.CreateDataSource(Database));
await users.MigrateAsync();
await users.SetAsync("alice", ScramVerifier.Create(Password.From("correct horse")));
await users.SetAsync("bob", ScramVerifier.Create(Password.From("battery staple")));

// The telephones of both are authenticators in software here; an application asks its platform's.
using var phoneOfAlice = new SoftwareAuthenticator();
using var phoneOfBob = new SoftwareAuthenticator();
var factorOfAlice = await RegisterAsync("alice", phoneOfAlice);
await RegisterAsync("bob", phoneOfBob);
var seen = new Wiretap(phoneOfAlice); // records what Alice's telephone signs

using var hasSpoken = new SemaphoreSlim(0); // each story ends on both sides before the next begins
await using var bank = Bank.Open(bankCertificate.ToIdentity(), users, authority.ToTrustAnchors(), failure => Tell("bank", failure));
await using var impostor = Bank.Open(otherCertificate.ToIdentity(), users, authority.ToTrustAnchors(), failure => Tell("impostor", failure));
var pins = PinSet.Of(SpkiPin.Of(bankCertificate.Certificate), SpkiPin.Of(nextKey.Certificate));

Console.WriteLine("1. Alice logs in, and pays a small and a large amount.");
await using (var alice = await Customer.LogInAsync(ClientOptions(With("alice", "correct horse").Then(By(phoneOfAlice))), bank.EndPoint))
{
    await alice.PayAsync(new Transfer("the baker", 12));
    await alice.PayAsync(new Transfer("the landlord", 2500), Login.With(By(seen)));

    Console.WriteLine("2. A program on her computer shows her one transfer, and sends another.");
    await alice.PayAsync(shown: new Transfer("the landlord", 2500), sent: new Transfer("mallory", 2500), Login.With(By(phoneOfAlice)));

    Console.WriteLine("3. What her telephone signed for the landlord is played again, for the landlord.");
    await alice.PayAsync(new Transfer("the landlord", 2500), Login.With(By(new Replay(seen.Last!))));

    Console.WriteLine("4. Somebody at her unlocked computer knows her password, and has not her telephone.");
    await alice.PayAsync(new Transfer("mallory", 2500), With("alice", "correct horse"));

    Console.WriteLine("5. Bob's telephone does not confirm what Alice pays.");
    await alice.PayAsync(new Transfer("bob", 2500), Login.With(By(phoneOfBob)));

    Console.WriteLine("6. Nobody confirms.");
    await alice.PayAsync(new Transfer("mallory", 2500));
}

Console.WriteLine("7. A thief with a wrong password.");
await TryToLogInAsync("thief", With("alice", "correct house").Then(By(phoneOfAlice)), bank.EndPoint);

Console.WriteLine("8. A thief with the password alone.");
await TryToLogInAsync("thief", With("alice", "correct horse"), bank.EndPoint);

Console.WriteLine("9. A thief with the password, and with what her telephone signed on another connection.");
await TryToLogInAsync("thief", With("alice", "correct horse").Then(By(new Replay(seen.Last!))), bank.EndPoint);

Console.WriteLine("10. An impostor with a certificate for the bank's name: Alice's program leaves before it has said anything of her.");
await TryToLogInAsync("alice", With("alice", "correct horse").Then(By(phoneOfAlice)), impostor.EndPoint);

await using (var alice = await Customer.LogInAsync(ClientOptions(With("alice", "correct horse").Then(By(phoneOfAlice))), bank.EndPoint))
await using (var bob = await Customer.LogInAsync(ClientOptions(With("bob", "battery staple").Then(By(phoneOfBob))), bank.EndPoint))
{
    Console.WriteLine("11. Alice reports that her telephone is lost, while somebody is connected with it; Bob notices nothing.");
    await users.RemoveFactorAsync("alice", factorOfAlice);
    await alice.WaitForEndAsync();
    await bob.PayAsync(new Transfer("the grocer", 12));
    await TryToLogInAsync("finder", With("alice", "correct horse").Then(By(phoneOfAlice)), bank.EndPoint);

    Console.WriteLine("12. The bank blocks Bob.");
    await users.SetDisabledAsync("bob", isDisabled: true);
    await bob.WaitForEndAsync();
    await TryToLogInAsync("bob", With("bob", "battery staple").Then(By(phoneOfBob)), bank.EndPoint);
}

static ClientCredentials With(string user, string password) => Login.WithPassword(user, password); // SCRAM, bound to the bank's certificate

static ISaslClientMechanism By(IPasskeyAuthenticator phone) => SecondFactor.Passkey(phone, Bank.Passkeys.RelyingParty);

MutualTlsClientOptions ClientOptions(ClientCredentials credentials) => new()
{
    Identity = ClientIdentity.None, // customers have no certificates
    Trust = authority.ToTrustAnchors(),
    Authorization = Authorize.ServerName,
    Pins = pins, // not every certificate of the authority is the bank's
    Credentials = credentials,
};

// In a bank this goes over a connection on which the customer has proven all that there is.
async Task<string> RegisterAsync(string user, SoftwareAuthenticator phone)
{
    var registration = await PasskeyRegistration.BeginAsync(users, Bank.Passkeys, user);
    var objection = await registration.CompleteAsync((await phone.CreateAsync(registration.Request))!);
    return objection is null ? registration.Factor!.Id : throw new InvalidOperationException($"{objection}");
}

async Task TryToLogInAsync(string who, ClientCredentials credentials, EndPoint endPoint)
{
    try
    {
        await using var customer = await Customer.LogInAsync(ClientOptions(credentials), endPoint);
    }
    catch (HandshakeException failure)
    {
        Console.WriteLine($"   {who}: {failure.Message}");
        await hasSpoken.WaitAsync(TimeSpan.FromSeconds(5));
    }
}

void Tell(string who, HandshakeException failure)
{
    Console.WriteLine($"   {who}: {failure.Message}");
    hasSpoken.Release();
}
