using System.Collections.Immutable;
using System.Numerics;
using MutualAuth.Testing.Revocation;

namespace MutualAuth.Testing.Building;

/// <summary>What an authority has revoked so far, and how many CRLs it has numbered.</summary>
internal sealed class RevocationRegister
{
    private ImmutableList<RevokedCertificate> _revoked = [];
    private int _crlNumber;

    internal void Add(RevokedCertificate entry) => ImmutableInterlocked.Update(
        ref _revoked,
        (revoked, added) => revoked.RemoveAll(known => known.SerialNumber == added.SerialNumber).Add(added),
        entry);

    internal void Remove(BigInteger serialNumber) => ImmutableInterlocked.Update(
        ref _revoked,
        (revoked, gone) => revoked.RemoveAll(known => known.SerialNumber == gone),
        serialNumber);

    internal RevokedCertificate? Find(BigInteger serialNumber) => _revoked.Find(known => known.SerialNumber == serialNumber);

    internal IReadOnlyList<RevokedCertificate> Snapshot() => _revoked;

    internal BigInteger NextCrlNumber() => Interlocked.Increment(ref _crlNumber);
}
