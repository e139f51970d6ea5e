using System.Collections.Concurrent;
using System.Collections.Immutable;
using System.Numerics;
using MutualAuth.Testing.Revocation;

namespace MutualAuth.Testing.Building;

/// <summary>
/// What an issuer has issued and revoked so far, and how many CRLs it has numbered. All that sign with its name and key have the same one, for
/// there is one list for one issuer (RFC 5280 §5.2.3).
/// </summary>
internal sealed class RevocationRegister
{
    private readonly Lock _lock = new();
    private readonly ConcurrentDictionary<BigInteger, bool> _issued = new();
    private ImmutableList<RevokedCertificate> _revoked = [];
    private DateTimeOffset _changed;
    private int _crlNumber;

    internal void Issued(BigInteger serialNumber, bool isAuthority) => _issued[serialNumber] = isAuthority;

    internal bool IsAuthority(BigInteger serialNumber) => _issued.GetValueOrDefault(serialNumber);

    internal OcspAnswer StatusOf(BigInteger serialNumber) => _revoked.Find(known => known.SerialNumber == serialNumber) is { } revoked
        ? new OcspAnswer(serialNumber, OcspStatus.Revoked) { RevokedAt = revoked.At, Reason = revoked.Reason }
        : new OcspAnswer(serialNumber, _issued.ContainsKey(serialNumber) ? OcspStatus.Good : OcspStatus.Unknown);

    internal void Add(RevokedCertificate entry)
    {
        lock (_lock)
        {
            _revoked = _revoked.RemoveAll(known => known.SerialNumber == entry.SerialNumber).Add(entry);
            Changed(entry.At);
        }
    }

    internal void Remove(BigInteger serialNumber, DateTimeOffset at)
    {
        lock (_lock)
        {
            _revoked = _revoked.RemoveAll(known => known.SerialNumber == serialNumber);
            Changed(at);
        }
    }

    /// <summary>
    /// Since when what is known now has been true, for a list or an answer that is made now: an hour ago, so that a clock that is behind takes it,
    /// unless something has happened since.
    /// </summary>
    internal DateTimeOffset KnownSince(DateTimeOffset now)
    {
        lock (_lock)
        {
            var anHourAgo = now.Shift(TimeSpan.FromHours(-1));
            return _changed > anHourAgo ? _changed : anHourAgo;
        }
    }

    internal IReadOnlyList<RevokedCertificate> Snapshot() => _revoked;

    internal BigInteger NextCrlNumber() => Interlocked.Increment(ref _crlNumber);

    private void Changed(DateTimeOffset at) => _changed = at > _changed ? at : _changed;
}
