using System.Security.Cryptography;

namespace MutualAuth.Platforms;

/// <summary>Our part of a key exchange of TLS 1.3, for the groups that the framework has by itself.</summary>
internal abstract class KeyShare : IDisposable
{
    /// <summary>As it stands in the hello (RFC 8446 §4.2.8.2).</summary>
    internal abstract byte[] Public { get; }

    /// <summary>Null for a group that the framework cannot compute here.</summary>
    internal static KeyShare? For(KeyExchangeGroup group) => group switch
    {
        KeyExchangeGroup.Secp256r1 => new OnCurve(ECCurve.NamedCurves.nistP256),
        KeyExchangeGroup.Secp384r1 => new OnCurve(ECCurve.NamedCurves.nistP384),
        KeyExchangeGroup.Secp521r1 => new OnCurve(ECCurve.NamedCurves.nistP521),
#pragma warning disable SYSLIB5006 // only where the platform has it
        KeyExchangeGroup.MLKem512 when MLKem.IsSupported => new Encapsulated(MLKemAlgorithm.MLKem512),
        KeyExchangeGroup.MLKem768 when MLKem.IsSupported => new Encapsulated(MLKemAlgorithm.MLKem768),
        KeyExchangeGroup.MLKem1024 when MLKem.IsSupported => new Encapsulated(MLKemAlgorithm.MLKem1024),
#pragma warning restore SYSLIB5006
        _ => null,
    };

    /// <summary>The shared secret.</summary>
    /// <param name="answer">The server's part.</param>
    internal abstract byte[] Agree(ReadOnlySpan<byte> answer);

    public abstract void Dispose();

    private sealed class OnCurve(ECCurve curve) : KeyShare
    {
        private readonly ECDiffieHellman _key = ECDiffieHellman.Create(curve);

        internal override byte[] Public
        {
            get
            {
                var point = _key.ExportParameters(includePrivateParameters: false).Q;
                return [4, .. point.X!, .. point.Y!];
            }
        }

        internal override byte[] Agree(ReadOnlySpan<byte> answer)
        {
            var half = (answer.Length - 1) / 2;
            using var other = ECDiffieHellman.Create(new ECParameters
            {
                Curve = curve,
                Q = new ECPoint { X = answer.Slice(1, half).ToArray(), Y = answer.Slice(1 + half, half).ToArray() },
            });
            using var point = other.PublicKey;
            return _key.DeriveRawSecretAgreement(point);
        }

        public override void Dispose() => _key.Dispose();
    }

#pragma warning disable SYSLIB5006 // only where the platform has it
    private sealed class Encapsulated(MLKemAlgorithm algorithm) : KeyShare
    {
        private readonly MLKem _key = MLKem.GenerateKey(algorithm);

        internal override byte[] Public => _key.ExportEncapsulationKey();

        internal override byte[] Agree(ReadOnlySpan<byte> answer) => _key.Decapsulate(answer.ToArray());

        public override void Dispose() => _key.Dispose();
    }
#pragma warning restore SYSLIB5006
}
