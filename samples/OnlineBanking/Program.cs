// Online banking: the customer has a password and no certificate, pins the bank's key, and confirms a large transfer once more.
// Run it:  dotnet run --project samples/OnlineBanking
// Expect:  two transfers that are carried out; then an impostor, a thief, a program that shows one transfer and sends another, and a guessed
//          password: all rejected.
using System.Net;
using Microsoft.Data.Sqlite;
using MutualAuth;
using MutualAuth.Credentials;
using MutualAuth.Names;
using MutualAuth.Pinning;
using MutualAuth.Samples;
using MutualAuth.Testing;

using var authority = new TestAuthority("Public Authority");
using var bankCertificate = authority.IssueServer("bank.test");
using var otherCertificate = authority.IssueServer("bank.test"); // another key under the same name: an authority was deceived
using var nextKey = authority.IssueServer("bank.test"); // made in advance, and kept offline

// The bank keeps verifiers and no passwords. An application uses a file or PostgreSQL instead of this database in memory.
const string Database = "Data Source=bank;Mode=Memory;Cache=Shared";
await using var keepsItAlive = new SqliteConnection(Database);
await keepsItAlive.OpenAsync();
var users = new DatabaseCredentialStore(SqliteFactory.Instance.CreateDataSource(Database));
await users.MigrateAsync();
await users.SetAsync("alice", ScramVerifier.Create(Password.From("correct horse")));
await users.SetAsync("bob", ScramVerifier.Create(Password.From("battery staple")));

using var hasSpoken = new SemaphoreSlim(0); // each story ends on both sides before the next begins
await using var bank = Bank.Open(bankCertificate.ToIdentity(), users, authority.ToTrustAnchors(), failure => Tell("bank", failure));
await using var impostor = Bank.Open(otherCertificate.ToIdentity(), users, authority.ToTrustAnchors(), failure => Tell("impostor", failure));
var pins = PinSet.Of(SpkiPin.Of(bankCertificate.Certificate), SpkiPin.Of(nextKey.Certificate));

Console.WriteLine("1. Alice logs in, and pays a small and a large amount.");
await using (var alice = await Customer.LogInAsync(ClientOptions("alice", "correct horse"), bank.EndPoint))
{
    await alice.PayAsync(new Transfer("the baker", 12));
    await alice.PayAsync(new Transfer("the landlord", 2500), Login.WithPassword("alice", "correct horse")); // typed again

    Console.WriteLine("2. A program on her computer shows her one transfer, and sends another.");
    await alice.PayAsync(
        shown: new Transfer("the landlord", 2500), sent: new Transfer("mallory", 2500), Login.WithPassword("alice", "correct horse"));

    Console.WriteLine("3. Somebody at her unlocked computer guesses.");
    await alice.PayAsync(new Transfer("mallory", 2500), Login.WithPassword("alice", "correct house"));

    Console.WriteLine("4. Bob's password does not confirm what Alice pays.");
    await alice.PayAsync(new Transfer("bob", 2500), Login.WithPassword("bob", "battery staple"));

    Console.WriteLine("5. Nobody confirms.");
    await alice.PayAsync(new Transfer("mallory", 2500));
}

Console.WriteLine("6. A thief with a wrong password.");
await TryToLogInAsync("thief", ClientOptions("alice", "correct house"), bank.EndPoint);

Console.WriteLine("7. An impostor with a certificate for the bank's name: Alice's program leaves before it has said anything of her.");
await TryToLogInAsync("alice", ClientOptions("alice", "correct horse"), impostor.EndPoint);

MutualTlsClientOptions ClientOptions(string user, string password) => new()
{
    Identity = ClientIdentity.None, // customers have no certificates
    Trust = authority.ToTrustAnchors(),
    Authorization = Authorize.ServerName,
    Pins = pins, // not every certificate of the authority is the bank's
    Credentials = Login.WithPassword(user, password), // SCRAM, bound to the bank's certificate
};

async Task TryToLogInAsync(string who, MutualTlsClientOptions options, EndPoint endPoint)
{
    try
    {
        await using var customer = await Customer.LogInAsync(options, endPoint);
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
