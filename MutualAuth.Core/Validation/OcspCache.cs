using System.Diagnostics.CodeAnalysis;
using MutualAuth.Certificates;
using MutualAuth.Trust.Revocation;

namespace MutualAuth.Validation;

/// <summary>Answers that were proven, each until it has to be asked for again. Bounded: the oldest gives way.</summary>
/// <remarks>
/// An answer depends on the certificate, on the issuer whose key it was verified with, on who was asked, and on the lists in which the responder
/// itself was looked up; the validator's options do not change.
/// </remarks>
internal sealed class OcspCache(int capacity, TimeSpan maxAge)
{
    private readonly Lock _gate = new();
    private readonly Dictionary<Key, Entry> _entries = [];
    private readonly Queue<Key> _order = new();

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

    internal bool TryGet(Certificate subject, Certificate issuer, Uri responder, RevocationLists? lists, DateTimeOffset at, [NotNullWhen(true)] out OcspVerdict? verdict)
    {
        lock (_gate)
        {
            // A clock that was set back makes what was learnt later unusable, not immortal.
            var isThere = _entries.TryGetValue(KeyOf(subject, issuer, responder), out var entry)
                && ReferenceEquals(entry.Lists, lists) && at >= entry.Since && at <= entry.Until;
            verdict = isThere ? entry.Verdict : null;
            return isThere;
        }
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
            if (!_entries.ContainsKey(key))
            {
                if (_entries.Count >= capacity)
                {
                    _entries.Remove(_order.Dequeue());
                }

                _order.Enqueue(key);
            }

            _entries[key] = new Entry(verdict, lists, at, until - at < maxAge ? until : at + maxAge);
        }
    }

    private static Key KeyOf(Certificate subject, Certificate issuer, Uri responder) => new(subject.Thumbprint, issuer.Thumbprint, responder);

    private readonly record struct Key(string Subject, string Issuer, Uri Responder);

    private readonly record struct Entry(OcspVerdict Verdict, RevocationLists? Lists, DateTimeOffset Since, DateTimeOffset Until);
}
