using System.Collections.Concurrent;
using System.Collections.Immutable;
using System.Numerics;
using MutualAuth.Testing.Revocation;

namespace MutualAuth.Testing.Building;

/// <summary>What an authority has issued and revoked so far, and how many CRLs it has numbered.</summary>
internal sealed class RevocationRegister
{
    private readonly ConcurrentDictionary<BigInteger, bool> _issued = new();
    private ImmutableList<RevokedCertificate> _revoked = [];
    private int _crlNumber;

    internal void Issued(BigInteger serialNumber, bool isAuthority) => _issued[serialNumber] = isAuthority;

    internal bool IsAuthority(BigInteger serialNumber) => _issued.GetValueOrDefault(serialNumber);

    internal OcspAnswer StatusOf(BigInteger serialNumber) => _revoked.Find(known => known.SerialNumber == serialNumber) is { } revoked
        ? new OcspAnswer(serialNumber, OcspStatus.Revoked) { RevokedAt = revoked.At, Reason = revoked.Reason }
        : new OcspAnswer(serialNumber, _issued.ContainsKey(serialNumber) ? OcspStatus.Good : OcspStatus.Unknown);

    internal void Add(RevokedCertificate entry) => ImmutableInterlocked.Update(
        ref _revoked,
        (revoked, added) => revoked.RemoveAll(known => known.SerialNumber == added.SerialNumber).Add(added),
        entry);

    internal void Remove(BigInteger serialNumber) => ImmutableInterlocked.Update(
        ref _revoked,
        (revoked, gone) => revoked.RemoveAll(known => known.SerialNumber == gone),
        serialNumber);

    internal IReadOnlyList<RevokedCertificate> Snapshot() => _revoked;

    internal BigInteger NextCrlNumber() => Interlocked.Increment(ref _crlNumber);
}
