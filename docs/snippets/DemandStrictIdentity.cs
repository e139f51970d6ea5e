using MutualAuth.Audit;

namespace MutualAuth.Snippets;

/// <summary>docs/how-to/demand-strict-identity.md</summary>
internal static class DemandStrictIdentity
{
    internal static MutualTlsServerOptions RequiredCheck(
        Identity gate, TrustAnchors authority, IRevocationListSource lists, IEnumerable<string> roster, AuditTrail trail)
    {
        // snippet
        var demands = new MutualTlsServerOptions
        {
            Identity = gate,                                                           // its key is in a token
            Trust = authority,                                                         // yours, and no other
            Revocation = new RevocationPolicy { Lists = lists },                       // every certificate covered by a list in force
            Profile = ValidationProfile.Rfc5280 with { RequiredPolicies = ["2.999.7.1"] }, // the policy of people identified in person
            Authorization = Authorize.AnyOf(roster.Select(Authorize.Subject)),         // people, by name
            MinimumTlsVersion = TlsVersion.Tls13,
            CipherSuites = [TlsCipherSuite.TLS_AES_256_GCM_SHA384],
            Confirmation = ConfirmationPolicy.Required,                                // no client takes itself for accepted when it is not
            Audit = new AuditPolicy { Sink = trail },                                  // a peer that cannot be recorded is not accepted
        };
        // end
        return demands;
    }
}
