using Microsoft.Extensions.Logging;
using MutualAuth.Credentials;

namespace MutualAuth.Factors;

/// <summary>The secrets of one user's generators: from what is stored to plain text and back.</summary>
internal sealed class StoredSecrets(OneTimeCodeOptions options, AuthenticatedUser user)
{
    private readonly ILogger _logger = FactorLog.Create(options.LoggerFactory);
    private readonly HashSet<string> _told = new(StringComparer.Ordinal);

    /// <returns>Those that open, each as it is stored and in plain text, and the first objection to another.</returns>
    internal async ValueTask<(List<(StoredFactor Stored, StoredFactor Plain)> Opened, Rejection? Objection)> OpenAsync(
        StoredFactor[] factors, CancellationToken cancellationToken)
    {
        var opened = new List<(StoredFactor, StoredFactor)>();
        Rejection? objection = null;
        foreach (var factor in factors)
        {
            var result = await FactorEncryption.OpenAsync(options.Keys, user.Name, factor, options.RequireEncryption, cancellationToken)
                .ConfigureAwait(false);
            Tell(factor, result);
            if (result.IsOpen)
            {
                opened.Add((factor, result.Factor));
            }
            else
            {
                objection ??= result.Objection;
            }
        }

        return (opened, objection);
    }

    /// <returns>What is to be stored; otherwise why the key that writes cannot be had. Nothing is stored in plain text then.</returns>
    internal async ValueTask<(StoredFactor? Factor, Rejection? Objection)> CloseAsync(StoredFactor plain, CancellationToken cancellationToken)
    {
        if (options.Keys is null)
        {
            return (plain, null);
        }

        try
        {
            return (await FactorEncryption.EncryptAsync(options.Keys, user.Name, plain, cancellationToken).ConfigureAwait(false), null);
        }
        catch (Exception exception) when (!cancellationToken.IsCancellationRequested)
        {
            var objection = new Rejection(
                RejectionReason.SecondFactorKeyUnavailable, "the key that writes", $"an exception, {exception.GetType().Name}")
            { Hint = "A code counts once only if its use can be stored." };
            FactorLog.SecretNotOpened(_logger, plain.ToString(), user.ToString(), objection.ToString());
            return (null, objection);
        }
    }

    /// <summary>Once for each factor, however often it is read again.</summary>
    private void Tell(StoredFactor factor, OpenedFactor result)
    {
        if (result.Objection is { } objection && _told.Add(factor.Id))
        {
            FactorLog.SecretNotOpened(_logger, factor.ToString(), user.ToString(), objection.ToString());
        }
        else if (result.IsOpen && result.KeyId is null && options.Keys is not null && _told.Add(factor.Id))
        {
            FactorLog.SecretInPlainText(_logger, factor.ToString(), user.ToString());
        }
    }
}
