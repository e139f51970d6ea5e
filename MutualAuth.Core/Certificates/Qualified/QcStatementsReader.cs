using System.Collections.Immutable;
using System.Formats.Asn1;
using System.Text;
using MutualAuth.Asn1;
using MutualAuth.Names;

namespace MutualAuth.Certificates;

/// <summary>Reads <c>QCStatements ::= SEQUENCE OF QCStatement</c> in strict DER, each known statement by its grammar.</summary>
internal static class QcStatementsReader
{
    // Real certificates have up to eight statements, and one to four roles.
    private const int MaxStatements = 32;
    private const int MaxListed = 32;

    // The upper bounds of the three texts are the same, in characters.
    private const int MaxText = 256;

    // 0.4.0.1862.1, the statements of ETSI EN 319 412-5.
    private static ReadOnlySpan<byte> Etsi => [0x04, 0x00, 0x8e, 0x46, 0x01];

    private static ReadOnlySpan<byte> Types => [0x04, 0x00, 0x8e, 0x46, 0x01, 0x06];

    // 0.4.0.19495.2, the statement of ETSI TS 119 495.
    private static ReadOnlySpan<byte> Psd2 => [0x04, 0x00, 0x81, 0x98, 0x27, 0x02];

    /// <summary>Reads the value of the extension; null and a problem, without any text of the peer, when it is malformed. Never throws.</summary>
    internal static QcStatements? Read(ReadOnlyMemory<byte> value, out string? problem)
    {
        try
        {
            var whole = new DerReader(value);
            var list = whole.ReadSequence();
            whole.End();
            problem = null;
            return Read(list);
        }
        catch (AsnContentException malformed)
        {
            // Only messages of the framework begin in upper case.
            problem = malformed.Message is [>= 'a' and <= 'z', ..] ? malformed.Message : "a value is not DER";
            return null;
        }
    }

    private static QcStatements Read(DerReader list)
    {
        var statements = new QcStatements();
        var seen = new List<ReadOnlyMemory<byte>>();
        while (!list.IsEmpty)
        {
            var statement = list.ReadSequence();
            var id = statement.ReadOid();
            if (seen.Exists(other => other.Span.SequenceEqual(id.Span)))
            {
                throw new AsnContentException("a statement stands in it twice");
            }

            seen.Add(id);
            if (seen.Count > MaxStatements)
            {
                throw new AsnContentException("there are more than 32 statements");
            }

            ReadOne(statements, id.Span, ref statement);
            statement.End();
        }

        if (seen.Count == 0)
        {
            throw new AsnContentException("there is no statement");
        }

        statements.Identifiers = [.. seen.Select(id => Oids.ToDotted(id.Span))];
        return statements;
    }

    private static void ReadOne(QcStatements statements, ReadOnlySpan<byte> id, ref DerReader statement)
    {
        if (id.SequenceEqual(Psd2))
        {
            statements.Psd2 = ReadPsd2(statement.ReadSequence());
            return;
        }

        switch (id.Length == Etsi.Length + 1 && id.StartsWith(Etsi) ? id[^1] : 0)
        {
            case 1:
                statements.IsCompliant = true;
                break;
            case 4:
                statements.KeyIsInQualifiedDevice = true;
                break;
            case 6:
                statements.Types = ReadTypes(statement.ReadSequence());
                break;
            case 7:
                statements.Legislation = ReadCountries(statement.ReadSequence());
                break;
            default:
                if (!statement.IsEmpty)
                {
                    statement.ReadElement();
                }

                break;
        }
    }

    private static ImmutableArray<QcType> ReadTypes(DerReader list)
    {
        var types = ImmutableArray.CreateBuilder<QcType>();
        var count = 0;
        do
        {
            var id = list.ReadOid().Span;
            var type = id.Length == Types.Length + 1 && id.StartsWith(Types) ? (QcType)id[^1] : 0;
            if (types.Contains(type))
            {
                throw new AsnContentException("a type of qualified certificates stands in it twice");
            }

            if (Enum.IsDefined(type))
            {
                types.Add(type);
            }

            ThrowIfTooMany(++count);
        }
        while (!list.IsEmpty);
        return types.DrainToImmutable();
    }

    private static ImmutableArray<string> ReadCountries(DerReader list)
    {
        var countries = ImmutableArray.CreateBuilder<string>();
        do
        {
            var country = Encoding.ASCII.GetString(list.ReadContent(DerReader.PrintableString).Span);
            if (country.Length != 2 || !CompetentAuthority.IsCapitals(country))
            {
                throw new AsnContentException("a country has not two capital letters");
            }

            countries.Add(country);
            ThrowIfTooMany(countries.Count);
        }
        while (!list.IsEmpty);
        return countries.DrainToImmutable();
    }

    /// <summary><c>PSD2QcType ::= SEQUENCE { rolesOfPSP SEQUENCE OF RoleOfPSP, nCAName UTF8String, nCAId UTF8String }</c>.</summary>
    private static Psd2Statement ReadPsd2(DerReader type)
    {
        var roles = ReadRoles(type.ReadSequence());
        var name = ReadText(ref type);
        var id = ReadText(ref type);
        type.End();
        return CompetentAuthority.TryParse(id, out var authority)
            ? new Psd2Statement(roles, name, authority)
            : throw new AsnContentException("the identifier of the competent authority has not the form of one");
    }

    private static ImmutableArray<Psd2Role> ReadRoles(DerReader list)
    {
        var roles = ImmutableArray.CreateBuilder<Psd2Role>();
        var count = 0;
        do
        {
            var role = list.ReadSequence();
            var known = Psd2Roles.Of(role.ReadOid().Span);
            var name = ReadText(ref role);
            role.End();
            if (known is { } found)
            {
                // Software that reads the name must not find another role than software that reads the identifier.
                if (name != found.ToAbbreviation() || roles.Contains(found))
                {
                    throw new AsnContentException("a role has the name of another, or stands in it twice");
                }

                roles.Add(found);
            }
            else if (Psd2Roles.Of(name) is not null)
            {
                throw new AsnContentException("a role has the name of another, or stands in it twice");
            }

            ThrowIfTooMany(++count);
        }
        while (!list.IsEmpty);
        return roles.DrainToImmutable();
    }

    private static string ReadText(ref DerReader reader)
    {
        var octets = reader.ReadContent(DerReader.Utf8String).Span;
        if (octets.IsEmpty || octets.Length > 4 * MaxText || !System.Text.Unicode.Utf8.IsValid(octets))
        {
            throw new AsnContentException("a text is empty, too long, or not UTF-8");
        }

        var text = Encoding.UTF8.GetString(octets);
        return text.EnumerateRunes().Count() <= MaxText && !text.Any(char.IsControl)
            ? text
            : throw new AsnContentException("a text is longer than 256 characters, or has control characters");
    }

    private static void ThrowIfTooMany(int count)
    {
        if (count > MaxListed)
        {
            throw new AsnContentException("a list has more than 32 entries");
        }
    }
}
