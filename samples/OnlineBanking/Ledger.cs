using MutualAuth.Credentials;

namespace MutualAuth.Samples;

/// <summary>What the bank did with a transfer, or wants first.</summary>
internal enum Decision
{
    CarriedOut = 1,
    NeedsConfirmation,
    ReferenceUsed,
}

/// <summary>
/// The only code that moves money. It counts by customer, on however many connections that customer is: small payments since the last one that was
/// confirmed (art. 16), and references. A bank has this in a database, in one transaction with the payment.
/// </summary>
/// <remarks>
/// The regulation lets a bank choose the sum or the number; both count here, and the first that is reached has the bank ask. It counts what was paid
/// before; here the payment itself counts too. A login shows two factors, and does not set the counts back: it confirms no payment.
/// </remarks>
internal sealed class Ledger
{
    private const decimal MostForOne = 30;
    private const decimal MostTogether = 100;
    private const int MostInNumber = 5;

    private readonly Lock _lock = new();
    private readonly Dictionary<string, Account> _accounts = [];

    /// <summary>Carries out a small payment, if it may go without a confirmation.</summary>
    internal Decision CarryOutUnconfirmed(string customer, Transfer transfer)
    {
        lock (_lock)
        {
            var account = AccountOf(customer);
            if (account.References.Contains(transfer.Reference))
            {
                return Decision.ReferenceUsed;
            }

            if (transfer is not { Currency: "EUR", Amount: <= MostForOne }
                || account.Number >= MostInNumber
                || account.Sum + transfer.Amount > MostTogether)
            {
                return Decision.NeedsConfirmation;
            }

            account.Number++;
            account.Sum += transfer.Amount;
            account.References.Add(transfer.Reference);
            return Decision.CarriedOut;
        }
    }

    /// <summary>Carries out a payment that was confirmed. It takes the proof itself, not a flag that there was one, and uses it up.</summary>
    /// <exception cref="InvalidOperationException">The proof is another customer's, or one of another payment, or it has been used.</exception>
    internal Decision CarryOut(string customer, Transfer transfer, StepUpProof proof)
    {
        lock (_lock)
        {
            var account = AccountOf(customer);
            if (account.References.Contains(transfer.Reference))
            {
                return Decision.ReferenceUsed;
            }

            if (proof.User.Name != customer || !proof.TryUse(transfer.ToPayment().ToTransaction()))
            {
                throw new InvalidOperationException($"{transfer} is not confirmed.");
            }

            account.Number = 0;
            account.Sum = 0;
            account.References.Add(transfer.Reference);
            return Decision.CarriedOut;
        }
    }

    private Account AccountOf(string customer)
    {
        if (!_accounts.TryGetValue(customer, out var account))
        {
            _accounts.Add(customer, account = new Account());
        }

        return account;
    }

    private sealed class Account
    {
        internal HashSet<string> References { get; } = new(StringComparer.Ordinal);

        internal int Number { get; set; }

        internal decimal Sum { get; set; }
    }
}
