using System.Buffers.Binary;
using System.Collections.Immutable;
using System.Formats.Asn1;
using MutualAuth.Asn1;

namespace MutualAuth.Names;

/// <summary>One step of a distinguished name: usually one attribute, rarely a set of them.</summary>
internal readonly struct RelativeDistinguishedName : IEquatable<RelativeDistinguishedName>
{
    private RelativeDistinguishedName(ImmutableArray<NameAttribute> attributes) => Attributes = attributes;

    internal ImmutableArray<NameAttribute> Attributes { get; }

    internal static RelativeDistinguishedName Read(ref DerReader reader)
    {
        var set = reader.ReadSet();
        var first = NameAttribute.Read(ref set);
        if (set.IsEmpty)
        {
            return new RelativeDistinguishedName([first]);
        }

        // A name may not have more than this, and one more is enough to reject it.
        var attributes = ImmutableArray.CreateBuilder<NameAttribute>(1 + Math.Min(set.Count(), DistinguishedName.MaxAttributes));
        attributes.Add(first);
        var isSorted = true;
        while (!set.IsEmpty)
        {
            attributes.Add(NameAttribute.Read(ref set));
            isSorted &= attributes[^2].Encoding.Span.SequenceCompareTo(attributes[^1].Encoding.Span) < 0;

            if (attributes.Count > DistinguishedName.MaxAttributes)
            {
                throw new AsnContentException("a name has more than 256 attributes");
            }
        }

        if (!isSorted)
        {
            RefuseRepetition(attributes);
            set.Slip("the attributes of a name are not in the order of a DER SET");
        }

        return new RelativeDistinguishedName(attributes.DrainToImmutable());
    }

    /// <summary>An order other than that of DER changes nothing, but software may read a repeated attribute as two names.</summary>
    private static void RefuseRepetition(ImmutableArray<NameAttribute>.Builder attributes)
    {
        var sorted = attributes.Select(attribute => attribute.Encoding).ToArray();
        Array.Sort(sorted, static (left, right) => left.Span.SequenceCompareTo(right.Span));
        for (var i = 1; i < sorted.Length; i++)
        {
            if (sorted[i - 1].Span.SequenceEqual(sorted[i].Span))
            {
                throw new AsnContentException("an attribute of a name repeats");
            }
        }
    }

    /// <summary>Equal by RFC 5280 §7.1.</summary>
    public bool Equals(RelativeDistinguishedName other)
    {
        if (Attributes.Length != other.Attributes.Length)
        {
            return false;
        }

        if (Attributes.Length == 1)
        {
            // The usual case, without an allocation.
            var (mine, theirs) = (Attributes[0], other.Attributes[0]);
            return mine.Encoding.Span.SequenceEqual(theirs.Encoding.Span)
                || (mine.Type.Span.SequenceEqual(theirs.Type.Span) && mine.Canonical().AsSpan().SequenceEqual(theirs.Canonical()));
        }

        var left = new MemoryStream();
        var right = new MemoryStream();
        WriteCanonical(left);
        other.WriteCanonical(right);
        return left.ToArray().AsSpan().SequenceEqual(right.ToArray());
    }

    /// <summary>
    /// Whether every attribute of the other one may equal one of these: their texts may be the same in another Unicode form (RFC 4518).
    /// </summary>
    /// <remarks>Their order is ignored: it is the order of the encodings, which another form changes.</remarks>
    internal bool MayEqual(RelativeDistinguishedName other)
    {
        // No real name has so many in one step; the comparison of each with each must stay cheap.
        const int MaxCompared = 16;
        if (Attributes.Length != other.Attributes.Length)
        {
            return false;
        }

        if (Attributes.Length > MaxCompared)
        {
            return true;
        }

        foreach (var theirs in other.Attributes)
        {
            var isThere = false;
            foreach (var mine in Attributes)
            {
                isThere = isThere || mine.MayEqual(theirs);
            }

            if (!isThere)
            {
                return false;
            }
        }

        return true;
    }

    public override bool Equals(object? obj) => obj is RelativeDistinguishedName other && Equals(other);

    public override int GetHashCode() => Attributes.Length;

    /// <summary>Writes a form that is equal for equal RDNs only. Folding can change the order of a set, so it is sorted again.</summary>
    internal void WriteCanonical(MemoryStream form)
    {
        Span<byte> length = stackalloc byte[4];
        if (Attributes.Length == 1)
        {
            var only = Attributes[0].Canonical();
            BinaryPrimitives.WriteInt32BigEndian(length, 1);
            form.Write(length);
            BinaryPrimitives.WriteInt32BigEndian(length, only.Length);
            form.Write(length);
            form.Write(only);
            return;
        }

        var parts = new byte[Attributes.Length][];
        for (var i = 0; i < parts.Length; i++)
        {
            parts[i] = Attributes[i].Canonical();
        }

        Array.Sort(parts, static (left, right) => left.AsSpan().SequenceCompareTo(right));
        BinaryPrimitives.WriteInt32BigEndian(length, parts.Length);
        form.Write(length);
        foreach (var part in parts)
        {
            BinaryPrimitives.WriteInt32BigEndian(length, part.Length);
            form.Write(length);
            form.Write(part);
        }
    }
}
