using System.Diagnostics.CodeAnalysis;
using MutualAuth.Certificates;
using MutualAuth.Collections;
using MutualAuth.Revocation;

namespace MutualAuth.Ocsp;

/// <summary>Answers that were proven, each until it has to be asked for again. Bounded: the oldest gives way.</summary>
/// <remarks>
/// An answer depends on the certificate, on the issuer whose key it was verified with, on who was asked, and on the lists in which the responder
/// itself was looked up; the validator's options do not change.
/// </remarks>
internal sealed class OcspCache(int capacity, TimeSpan maxAge)
{
    private readonly Lock _gate = new();
    private readonly BoundedCache<Key, Entry> _entries = new(capacity);

    internal int Count
    {
        get
        {
            lock (_gate)
            {
                return _entries.Count;
            }
        }
    }

    internal bool TryGet(
        Certificate subject,
        Certificate issuer,
        Uri responder,
        RevocationLists? lists,
        DateTimeOffset at,
        [NotNullWhen(true)] out OcspVerdict? verdict)
    {
        lock (_gate)
        {
            // A clock that was set back makes what was learnt later unusable, not immortal.
            var isThere = _entries.TryGet(KeyOf(subject, issuer, responder), out var entry)
                && ReferenceEquals(entry.Lists, lists) && at >= entry.Since && at <= entry.Until;
            verdict = isThere ? entry.Verdict : null;
            return isThere;
        }
    }

    /// <summary>
    /// What counts when this came of asking: nothing takes back what a newer answer said. One that was proven to be revoked stays so until an answer
    /// of the same time or a later one says otherwise, also where none was to be had.
    /// </summary>
    internal OcspVerdict Settle(Certificate subject, Certificate issuer, Uri responder, OcspVerdict verdict)
    {
        Entry known;
        lock (_gate)
        {
            if (!_entries.TryGet(KeyOf(subject, issuer, responder), out known))
            {
                return verdict;
            }
        }

        var isTakenBack = verdict.Status is null or OcspStatus.Unknown
            ? known.Verdict.Status == OcspStatus.Revoked
            : verdict.ThisUpdate < known.Verdict.ThisUpdate;
        return !isTakenBack ? verdict
            : verdict.Status == OcspStatus.Unknown ? verdict
            : known.Verdict.Status == OcspStatus.Revoked ? known.Verdict with { Until = null }
            : verdict.Status == OcspStatus.Revoked ? verdict
            : OcspVerdict.None("an answer that is older than one that came before");
    }

    internal void Add(Certificate subject, Certificate issuer, Uri responder, RevocationLists? lists, DateTimeOffset at, OcspVerdict verdict)
    {
        if (verdict.Until is not { } until || capacity == 0 || maxAge == TimeSpan.Zero || verdict.Status == OcspStatus.Unknown)
        {
            return;
        }

        var key = KeyOf(subject, issuer, responder);
        lock (_gate)
        {
            if (_entries.TryGet(key, out var known) && verdict.ThisUpdate < known.Verdict.ThisUpdate)
            {
                return; // another validation, at the same time, got a newer one
            }

            _entries.Set(key, new Entry(verdict, lists, at, until - at < maxAge ? until : at + maxAge));
        }
    }

    private static Key KeyOf(Certificate subject, Certificate issuer, Uri responder) => new(subject.Thumbprint, issuer.Thumbprint, responder);

    private readonly record struct Key(string Subject, string Issuer, Uri Responder);

    private readonly record struct Entry(OcspVerdict Verdict, RevocationLists? Lists, DateTimeOffset Since, DateTimeOffset Until);
}
