using MutualAuth.Errors;

namespace MutualAuth.Certificates;

/// <summary>The names that a certificate presents, as one bounded and escaped text for a rejection.</summary>
internal static class PresentedNames
{
    private const int MaxListed = 8;

    internal static string Of(Certificate certificate)
    {
        var count = certificate.Extensions.SubjectNames.Count(IsPrinted);
        if (count == 0)
        {
            return $"no subject alternative name (subject {Subject(certificate)})";
        }

        var names = certificate.DnsNames.Select(name => "DNS " + SafeText.Quote(name))
            .Concat(certificate.IPAddresses.Select(address => $"IP {address}"))
            .Concat(certificate.Uris.Select(uri => "URI " + SafeText.Quote(uri)))
            .Concat(certificate.EmailAddresses.Select(address => "e-mail " + SafeText.Quote(address)))
            .Concat(certificate.OtherNames.Select(name => name.ToString()))
            .Concat(certificate.Extensions.SubjectNames.Select(name => name.Directory).OfType<Names.DistinguishedName>().Select(
                name => "directory name " + SafeText.Quote(name.ToString())));
        var text = string.Join(", ", names.Take(MaxListed));
        return count > MaxListed ? $"{text} and {count - MaxListed} more" : text;
    }

    internal static string Subject(Certificate certificate) =>
        certificate.Subject.IsEmpty ? "empty" : SafeText.Quote(certificate.Subject.ToString());

    private static bool IsPrinted(GeneralName name) => name.Form is GeneralNameForm.Dns or GeneralNameForm.IPAddress or GeneralNameForm.Uri
        or GeneralNameForm.Email or GeneralNameForm.Other or GeneralNameForm.Directory;
}
