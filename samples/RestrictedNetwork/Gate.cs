using System.Net.Security;
using MutualAuth.Audit;
using MutualAuth.Certificates;
using MutualAuth.Credentials;
using MutualAuth.Names;
using MutualAuth.Paths;
using MutualAuth.Revocation;

namespace MutualAuth.Samples;

/// <summary>What the gate requires of persons. Who fails any one line is rejected.</summary>
internal static class Gate
{
    /// <summary>The authority's policy for people who were identified in person, under an arc reserved for examples.</summary>
    internal const string IdentifiedInPerson = "2.999.7.1";

    internal static MutualTlsServerOptions Demands(
        Identity gate, TrustAnchors authority, IRevocationListSource lists, IEnumerable<string> roster, AuditTrail trail) => new()
        {
            Identity = gate, // its key is in the token
            Trust = authority, // ours, and no other
            Revocation = new RevocationPolicy { Lists = lists }, // every certificate covered by a list in force, or refused
            Profile = ValidationProfile.Rfc5280 with { RequiredPolicies = [IdentifiedInPerson], Algorithms = AlgorithmSuite.Cnsa1 },
            Authorization = Authorize.AnyOf(roster.Select(Authorize.Subject)), // people, by the name in their certificate
            MinimumTlsVersion = TlsVersion.Tls13,
            CipherSuites = [TlsCipherSuite.TLS_AES_256_GCM_SHA384],
            Confirmation = ConfirmationPolicy.Required, // no client takes itself for accepted when it is not
            Audit = new AuditPolicy { Sink = trail }, // every connection under one id; a peer that cannot be recorded is not accepted
        };

    /// <summary>The same, and a user beside the card: each person with its own.</summary>
    internal static MutualTlsServerOptions WithUsers(MutualTlsServerOptions demands, ICredentialStore users, Dictionary<string, string> userOfCard) =>
        demands with
        {
            Credentials = Require.CertificateAndUser(SaslServer.Scram(users)) with
            {
                Users = UserRules.OfDevice(
                    userOfCard.ToDictionary(
                        card => PeerName.Subject(DistinguishedName.Parse(card.Key)), card => (IEnumerable<string>)[card.Value])),
            },
        };
}
