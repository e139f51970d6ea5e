// Online banking: the customer has a password and a passkey and no certificate, pins the bank's key, and confirms payments with the passkey, which
// signs what it confirms. The bounds are those of Regulation (EU) 2018/389, of which the code names the articles.
// Run it:  dotnet run --project samples/OnlineBanking
// Expect:  Alice's payments, small ones among them until the bank asks; then a program that shows one payment and sends another, a signature that is
//          played again, a payment that is sent twice, orders that are no payments, a telephone that is missing or another's, thieves, guesses until
//          the customer is locked out, and an impostor: all rejected. Customers lose their connection who are away for five minutes, whose telephone
//          was lost, or whom the bank blocks.
// What it leaves out, and a bank has:
//  - A display that is apart from the program that pays (art. 5(2), art. 9). What "shown" means here is an argument of a method.
//  - The analysis of each payment for fraud (art. 2, art. 18), trusted payees and recurring payments (art. 13, art. 14), contactless ones (art. 11).
//  - The balance of the account, the check that the payee's name belongs to the account, and a database: what was paid is kept in memory.
//  - Enrolment. The telephones are registered beforehand (art. 24), and the warning before a lock-out goes to the console.
//  - Secrecy of the order in which factors are asked for: who is asked for the passkey had the right password. The refusal tells neither.
//  - A lock-out that a stranger cannot cause: five guesses at a customer's name are enough, and lock that customer out for a quarter of an hour.
using System.Net;
using Microsoft.Data.Sqlite;
using Microsoft.Extensions.Time.Testing;
using MutualAuth;
using MutualAuth.Credentials;
using MutualAuth.Factors;
using MutualAuth.Names;
using MutualAuth.Pinning;
using MutualAuth.Samples;
using MutualAuth.Testing;

const string AccountOfMallory = "GB82WEST12345698765432";

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
await users.SetAsync("carol", ScramVerifier.Create(Password.From("paper clip")));
await users.SetAsync("dora", ScramVerifier.Create(Password.From("garden gate")));

// The telephones are authenticators in software here; an application asks its platform's.
using var phoneOfAlice = new SoftwareAuthenticator();
using var phoneOfBob = new SoftwareAuthenticator();
using var phoneOfCarol = new SoftwareAuthenticator();
using var phoneOfDora = new SoftwareAuthenticator();
var factorOfAlice = await RegisterAsync("alice", phoneOfAlice);
await RegisterAsync("bob", phoneOfBob);
await RegisterAsync("carol", phoneOfCarol);
await RegisterAsync("dora", phoneOfDora);
var seen = new Wiretap(phoneOfAlice); // records what Alice's telephone signs

using var hasSpoken = new SemaphoreSlim(0); // each story ends on both sides before the next begins
using var hasWritten = new SemaphoreSlim(0);
var ledger = new Ledger();
var demands = Bank.Demands(bankCertificate.ToIdentity(), users, authority.ToTrustAnchors(), WriteToAsync);
await using var bank = Bank.Open(demands, ledger, failure => Tell("bank", failure));
await using var impostor = Bank.Open(
    demands with { Identity = otherCertificate.ToIdentity() }, new Ledger(), failure => Tell("impostor", failure));
var pins = PinSet.Of(SpkiPin.Of(bankCertificate.Certificate), SpkiPin.Of(nextKey.Certificate));

var rent = ToLandlord(2500, "rent-12");
Console.WriteLine("1. Alice logs in, and pays a small and a large amount.");
await using (var alice = await LogInAsAliceAsync())
{
    await alice.PayAsync(ToBaker(12, "bread-1"));
    await alice.PayAsync(rent, Login.With(By(seen)));

    Console.WriteLine("2. Small payments go without a confirmation, five since the last one. The bank asks before the sixth.");
    for (var number = 2; number <= 6; number++)
    {
        await alice.PayAsync(ToBaker(4, $"bread-{number}"));
    }

    await alice.PayAsync(ToBaker(4, "bread-7"));
    await alice.PayAsync(ToBaker(4, "bread-7"), Login.With(By(phoneOfAlice)));

    Console.WriteLine("3. They go up to 100 EUR together. The bank asks before the next cent, on every connection.");
    await alice.PayAsync(ToBaker(30, "cake-1"));
    await alice.PayAsync(ToBaker(30, "cake-2"));
    await alice.PayAsync(ToBaker(30, "cake-3"));
    await alice.PayAsync(ToBaker(10, "cake-4"));
    await alice.PayAsync(ToBaker(0.01m, "cake-5"));
    await using (var again = await LogInAsAliceAsync())
    {
        await again.PayAsync(ToBaker(0.01m, "cake-5"));
    }

    Console.WriteLine("4. Each is at most 30 EUR. The bank asks at one cent more, and at every other currency.");
    await alice.PayAsync(ToBaker(30.01m, "feast-1"), Login.With(By(phoneOfAlice)));
    await alice.PayAsync(ToBaker(30.01m, "feast-2"));
    await alice.PayAsync(ToBaker(1, "feast-3") with { Currency = "USD" });
    await alice.PayAsync(ToBaker(30, "feast-4"));
}

Console.WriteLine("5. Two programs of hers pay 2 EUR at the same time, four times each, and she confirms nothing. One has gone before.");
await using (var one = await LogInAsAliceAsync())
await using (var other = await LogInAsAliceAsync())
{
    await Task.WhenAll(PayFourTimesAsync(one, "tram"), PayFourTimesAsync(other, "bus"));

    Console.WriteLine("6. A program on her computer shows her one account, and sends another under the same name.");
    await one.PayAsync(
        shown: ToLandlord(2500, "rent-13"), sent: ToLandlord(2500, "rent-13") with { Iban = AccountOfMallory }, Login.With(By(phoneOfAlice)));

    Console.WriteLine("7. It shows her one amount, and sends another.");
    await one.PayAsync(shown: ToLandlord(250, "rent-13"), sent: ToLandlord(2500, "rent-13"), Login.With(By(phoneOfAlice)));

    Console.WriteLine("8. What her telephone signed for the landlord is played again, for the landlord.");
    await one.PayAsync(ToLandlord(2500, "rent-13"), Login.With(By(new Replay(seen.Last!))));
}

Console.WriteLine("9. Her program was cut off, and sends the rent once more; then it sends another payment under the same reference.");
await using (var alice = await LogInAsAliceAsync())
{
    await alice.PayAsync(rent, Login.With(By(phoneOfAlice)));
    await alice.PayAsync(ToLandlord(99, rent.Reference), Login.With(By(phoneOfAlice)));

    Console.WriteLine("10. Orders that are no payments: no reference, a tenth of a cent, nothing, a mistyped account, a name with hidden text.");
    await alice.PayAsync(ToBaker(1, string.Empty));
    await alice.PayAsync(ToBaker(1.001m, "none-1"));
    await alice.PayAsync(ToBaker(0, "none-2"));
    await alice.PayAsync(ToBaker(1, "none-3") with { Iban = "BE68539007547043" });
    await alice.PayAsync(ToBaker(1, "none-4") with { Name = "Corner \u202eBakery" });

    Console.WriteLine("11. Somebody at her unlocked computer knows her password, and has not her telephone.");
    await alice.PayAsync(ToMallory(2500, "loot-1"), With("alice", "correct horse"));

    Console.WriteLine("12. Bob's telephone does not confirm what Alice pays.");
    await alice.PayAsync(ToMallory(2500, "loot-2"), Login.With(By(phoneOfBob)));
}

Console.WriteLine("13. A thief with a wrong password.");
await TryToLogInAsync("thief", With("alice", "correct house").Then(By(phoneOfAlice)), bank.EndPoint);

Console.WriteLine("14. A thief with the password, and with what her telephone signed on another connection. It is told the same.");
await TryToLogInAsync("thief", With("alice", "correct horse").Then(By(new Replay(seen.Last!))), bank.EndPoint);

Console.WriteLine("15. A thief with the password alone.");
await TryToLogInAsync("thief", With("alice", "correct horse"), bank.EndPoint);

Console.WriteLine("16. Five guesses at Carol's password. After that not even she logs in for a quarter of an hour, and the bank writes to her.");
for (var guess = 1; guess <= 5; guess++)
{
    await TryToLogInAsync("thief", With("carol", $"guess {guess}").Then(By(phoneOfCarol)), bank.EndPoint);
}

await hasWritten.WaitAsync(TimeSpan.FromSeconds(5));
await TryToLogInAsync("carol", With("carol", "paper clip").Then(By(phoneOfCarol)), bank.EndPoint);

Console.WriteLine("17. Five wrong confirmations do the same: a program shows Dora other amounts than it sends; then the right one is refused too.");
await using (var dora = await Customer.LogInAsync(ClientOptions(With("dora", "garden gate").Then(By(phoneOfDora))), bank.EndPoint))
{
    for (var number = 1; number <= 5; number++)
    {
        await dora.PayAsync(shown: ToBaker(31, $"wrong-{number}"), sent: ToBaker(310, $"wrong-{number}"), Login.With(By(phoneOfDora)));
    }

    await hasWritten.WaitAsync(TimeSpan.FromSeconds(5));
    await dora.PayAsync(ToBaker(31, "right-1"), Login.With(By(phoneOfDora)));
}

// The same bank, by a clock that the story sets forward.
var clock = new FakeTimeProvider(DateTimeOffset.UtcNow);
Console.WriteLine("18. Alice goes away from her computer, for less than five minutes and then for five. Her program stays.");
await using (var counter = Bank.Open(demands with { TimeProvider = clock }, ledger, failure => Tell("bank", failure)))
await using (var alice = await LogInAsAliceAsync(counter))
{
    await alice.PayAsync(ToBaker(30.01m, "coffee-1"), Login.With(By(phoneOfAlice)));
    clock.Advance(TimeSpan.FromSeconds(299));
    await alice.PayAsync(ToBaker(2, "coffee-2"));
    clock.Advance(TimeSpan.FromSeconds(299));
    await alice.PayAsync(ToBaker(2, "coffee-3"));
    clock.Advance(TimeSpan.FromSeconds(299));
    await alice.KeepAliveAsync();
    clock.Advance(TimeSpan.FromSeconds(1));
    await alice.WaitForEndAsync();
}

Console.WriteLine("19. An impostor with a certificate for the bank's name: Alice's program leaves before it has said anything of her.");
await TryToLogInAsync("alice", With("alice", "correct horse").Then(By(phoneOfAlice)), impostor.EndPoint);

Console.WriteLine("20. Alice reports that her telephone is lost, while somebody is connected with it; Bob notices nothing.");
await using (var alice = await LogInAsAliceAsync())
await using (var bob = await Customer.LogInAsync(ClientOptions(With("bob", "battery staple").Then(By(phoneOfBob))), bank.EndPoint))
{
    await users.RemoveFactorAsync("alice", factorOfAlice);
    await alice.WaitForEndAsync();
    await bob.PayAsync(ToBaker(12, "bread-1"));
    await TryToLogInAsync("finder", With("alice", "correct horse").Then(By(phoneOfAlice)), bank.EndPoint);

    Console.WriteLine("21. The bank blocks Bob.");
    await users.SetDisabledAsync("bob", isDisabled: true);
    await bob.WaitForEndAsync();
    await TryToLogInAsync("bob", With("bob", "battery staple").Then(By(phoneOfBob)), bank.EndPoint);
}

static ClientCredentials With(string user, string password) => Login.WithPassword(user, password); // SCRAM, bound to the bank's certificate

static ISaslClientMechanism By(IPasskeyAuthenticator phone) => SecondFactor.Passkey(phone, Bank.Passkeys.RelyingParty);

static Transfer ToBaker(decimal euros, string reference) => new("Corner Bakery", "BE68539007547034", euros, "EUR", reference);

static Transfer ToLandlord(decimal euros, string reference) => new("The Landlord", "DE89370400440532013000", euros, "EUR", reference);

static Transfer ToMallory(decimal euros, string reference) => new("Mallory", AccountOfMallory, euros, "EUR", reference);

static async Task PayFourTimesAsync(Customer customer, string what)
{
    for (var number = 1; number <= 4; number++)
    {
        await customer.PayAsync(ToBaker(2, $"{what}-{number}"));
    }
}

MutualTlsClientOptions ClientOptions(ClientCredentials credentials) => new()
{
    Identity = ClientIdentity.None, // customers have no certificates
    Trust = authority.ToTrustAnchors(),
    Authorization = Authorize.ServerName,
    Pins = pins, // not every certificate of the authority is the bank's
    Credentials = credentials,
};

Task<Customer> LogInAsAliceAsync(Bank? at = null) =>
    Customer.LogInAsync(ClientOptions(With("alice", "correct horse").Then(By(phoneOfAlice))), (at ?? bank).EndPoint);

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

// Over another channel than the one on which the guesses came.
ValueTask WriteToAsync(LockOutNotice notice, CancellationToken cancellationToken)
{
    Console.WriteLine($"   letter to {notice.UserName}: {notice.Failures} failed attempts, {notice.Kind}");
    hasWritten.Release();
    return ValueTask.CompletedTask;
}
