namespace MutualAuth.Validation;

/// <summary>What the certificate stage says of a peer: exactly one of <see cref="Accepted"/> and <see cref="Rejected"/>.</summary>
public abstract class CertificateVerdict
{
    private CertificateVerdict()
    {
    }

    /// <summary>Nothing objected.</summary>
    public sealed class Accepted : CertificateVerdict
    {
        internal Accepted(AuthenticatedPeer peer) => Peer = peer;

        /// <summary>The peer, now fit to be handed to the application.</summary>
        public AuthenticatedPeer Peer { get; }
    }

    /// <summary>Something objected; the first objection is kept.</summary>
    public sealed class Rejected : CertificateVerdict
    {
        internal Rejected(Rejection rejection, string? claimedName)
        {
            Rejection = rejection;
            ClaimedName = claimedName;
        }

        /// <summary>The objection.</summary>
        public Rejection Rejection { get; }

        /// <summary>
        /// What the certificate calls the peer, in the spellings of <see cref="AuthenticatedPeer.Name"/>: a claim that nothing has proven. Null when
        /// it showed no readable certificate.
        /// </summary>
        public string? ClaimedName { get; }
    }
}
