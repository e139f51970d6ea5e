using System.Collections.Immutable;

namespace MutualAuth.Credentials;

/// <summary>
/// Creates the requirements of a server for its clients; each call reads as a sentence: <c>Credentials = Require.CertificateAndUser(…)</c>.
/// </summary>
public static class Require
{
    /// <summary>A certificate and no login. The default of servers.</summary>
    public static CredentialPolicy Certificate { get; } = new(
        asksForCertificate: true, needsCertificate: true, needsUser: false, [], "A client needs a certificate");

    /// <summary>A certificate and a user: a client with only one of them is rejected.</summary>
    /// <exception cref="ArgumentException">There is no mechanism.</exception>
    public static CredentialPolicy CertificateAndUser(params IEnumerable<ISaslServerMechanism> mechanisms) =>
        new(asksForCertificate: true, needsCertificate: true, needsUser: true, NotEmpty(mechanisms), "A client needs a certificate and a user");

    /// <summary>A user. No client certificate is requested, and none is used.</summary>
    /// <exception cref="ArgumentException">There is no mechanism.</exception>
    public static CredentialPolicy User(params IEnumerable<ISaslServerMechanism> mechanisms) =>
        new(asksForCertificate: false, needsCertificate: false, needsUser: true, NotEmpty(mechanisms), "A client needs a user");

    /// <summary>
    /// A certificate, or a user, or both. A client whose certificate is not accepted is rejected; a password does not make up for it.
    /// </summary>
    /// <exception cref="ArgumentException">There is no mechanism.</exception>
    public static CredentialPolicy CertificateOrUser(params IEnumerable<ISaslServerMechanism> mechanisms) =>
        new(asksForCertificate: true, needsCertificate: false, needsUser: false, NotEmpty(mechanisms), "A client needs a certificate or a user");

    private static ImmutableArray<ISaslServerMechanism> NotEmpty(IEnumerable<ISaslServerMechanism> mechanisms)
    {
        ArgumentNullException.ThrowIfNull(mechanisms);
        ImmutableArray<ISaslServerMechanism> all = [.. mechanisms];
        return all.IsEmpty || all.Any(mechanism => mechanism is null)
            ? throw new ArgumentException(
                $"Expected at least one mechanism and no null, such as {nameof(SaslServer)}.{nameof(SaslServer.Scram)}.", nameof(mechanisms))
            : all;
    }
}
