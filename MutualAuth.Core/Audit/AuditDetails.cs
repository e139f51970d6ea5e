using System.Collections.Immutable;
using MutualAuth.Certificates;
using MutualAuth.Errors;

namespace MutualAuth.Audit;

/// <summary>Collects the details of an event. What there is not is left out. A peer's text is escaped.</summary>
internal sealed class AuditDetails
{
    private readonly ImmutableArray<KeyValuePair<string, string>>.Builder _items =
        ImmutableArray.CreateBuilder<KeyValuePair<string, string>>(AuditChain.MaxDetails);

    internal AuditDetails With(string name, string? value)
    {
        if (value is not null)
        {
            _items.Add(new(name, value));
        }

        return this;
    }

    internal AuditDetails With(string name, bool value) => With(name, value ? "yes" : "no");

    /// <summary>Subject, issuer, serial number and SHA-256 of a certificate.</summary>
    internal AuditDetails With(Certificate? certificate) => certificate is null
        ? this
        : With("subject", SafeText.Quote(certificate.Subject.ToString())).With("issuer", SafeText.Quote(certificate.Issuer.ToString()))
            .With("serial", certificate.SerialNumber).With("sha256", certificate.Thumbprint);

    /// <summary>The same of what a peer has shown, which may be anything: of what cannot be read only the SHA-256.</summary>
    internal AuditDetails WithShown(ReadOnlyMemory<byte> certificate) => Certificate.TryParse(certificate, out var readable, out _)
        ? With(readable)
        : With("sha256", Certificate.DigestOf(certificate));

    internal AuditDetails With(Rejection rejection) => With("reason", rejection.Reason.ToCode()).With("element", rejection.Element)
        .With("expected", rejection.Expected).With("presented", rejection.Presented);

    internal ImmutableArray<KeyValuePair<string, string>> ToArray() => _items.DrainToImmutable();
}
