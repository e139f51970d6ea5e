using System.Collections.Immutable;
using System.Globalization;
using MutualAuth.Certificates;
using MutualAuth.Evidence;
using MutualAuth.Names;
using MutualAuth.Revocation;
using MutualAuth.Spiffe.Protocol;
using MutualAuth.Trust;
using MutualAuth.Validation;

namespace MutualAuth.Spiffe.Updates;

/// <summary>
/// Checks an update and creates a snapshot of it, or rejects it as a whole. Pure: the time and the last good snapshot are arguments.
/// </summary>
internal sealed class UpdateReader(X509SourceOptions options)
{
    internal UpdateResult Read(X509SVIDResponse message, X509Snapshot? last, DateTimeOffset now)
    {
        var bundles = new BundleReader(options.Limits, last?.Bundles);
        if (ExamineCounts(message) is { } excess)
        {
            return UpdateResult.Refused(excess);
        }

        if (ReadEntries(message, bundles, out var entries) is { } unreadable)
        {
            return UpdateResult.Refused(unreadable);
        }

        if (Choose(entries) is not { } chosen)
        {
            return UpdateResult.Refused(NotFound(entries));
        }

        if (ExaminePath(chosen, bundles, now) is { } unfit)
        {
            return UpdateResult.Refused(unfit);
        }

        if (ReadLists(message, last, out var lists, out var raw) is { } unreliable)
        {
            return UpdateResult.Refused(unreliable);
        }

        if (MakeIdentity(chosen, last, out var identity) is { } unusable)
        {
            return UpdateResult.Refused(unusable);
        }

        bundles.AddFederated(message);
        return new UpdateResult(new X509Snapshot(chosen.Id, identity!, bundles.ToBundles(), lists!) { RawRevocationLists = raw }, null)
        { Federated = bundles.Refused };
    }

    private UpdateRefusal? ExamineCounts(X509SVIDResponse message)
    {
        var limits = options.Limits;
        return message.Svids.Count == 0 ? new UpdateRefusal(UpdateRefusalReason.NoIdentity, "The update has no identity.")
            : message.Svids.Count > limits.MaxIdentities ? TooMany("identities", message.Svids.Count, limits.MaxIdentities)
            : message.FederatedBundles.Count > limits.MaxFederatedTrustDomains
            ? TooMany("federated trust domains", message.FederatedBundles.Count, limits.MaxFederatedTrustDomains)
            : message.Crl.Count > limits.MaxRevocationLists ? TooMany("revocation lists", message.Crl.Count, limits.MaxRevocationLists)
            : null;
    }

    private UpdateRefusal? ReadEntries(X509SVIDResponse message, BundleReader bundles, out ImmutableArray<Entry> entries)
    {
        var read = ImmutableArray.CreateBuilder<Entry>(message.Svids.Count);
        entries = [];
        foreach (var svid in message.Svids)
        {
            if ((ReadEntry(svid, out var entry) ?? bundles.AddOwn(entry!.Id.TrustDomain, svid.Bundle.Memory)) is { } refusal)
            {
                return refusal;
            }

            read.Add(entry!);
        }

        entries = read.ToImmutable();
        return null;
    }

    private UpdateRefusal? ReadEntry(X509SVID svid, out Entry? entry)
    {
        entry = null;
        if (!SpiffeId.TryParse(svid.SpiffeId, out var id))
        {
            return new UpdateRefusal(UpdateRefusalReason.SpiffeIdMalformed, $"{Quoted.Text(svid.SpiffeId)} is no SPIFFE ID of a workload.");
        }

        if (DerSequence.Read(svid.X509Svid.Memory, options.Limits.MaxChainCertificates, $"The chain of {id}", out var chain) is { } malformed)
        {
            return malformed;
        }

        var uris = chain[0].Uris;
        if (uris.Length != 1 || uris[0] != svid.SpiffeId)
        {
            var carried = uris.IsEmpty ? "no URI name" : string.Join(", ", uris.Take(4).Select(Quoted.Text));
            return new UpdateRefusal(UpdateRefusalReason.SpiffeIdMismatch, $"The certificate of {id} carries {carried}.");
        }

        entry = new Entry(id, chain, svid);
        return null;
    }

    /// <summary>The first match: among equal hints, the first is used (SPIFFE Workload API §5.2.1).</summary>
    private Entry? Choose(ImmutableArray<Entry> entries) => entries.FirstOrDefault(entry =>
        (options.SpiffeId is null || options.SpiffeId.Equals(entry.Id)) && (options.Hint is null || options.Hint == entry.Message.Hint));

    private UpdateRefusal NotFound(ImmutableArray<Entry> entries)
    {
        var wanted = options.SpiffeId is null
            ? $"hint {Quoted.Text(options.Hint!)}"
            : $"SPIFFE ID {options.SpiffeId}{(options.Hint is null ? string.Empty : $" and hint {Quoted.Text(options.Hint)}")}";
        var offered = string.Join(", ", entries.Take(8).Select(entry => $"{entry.Id} (hint {Quoted.Text(entry.Message.Hint)})"));
        return new UpdateRefusal(UpdateRefusalReason.IdentityNotFound, $"No identity with the {wanted}; there is {offered}.");
    }

    /// <summary>Checks our certificate as a peer would, with the bundle of our own trust domain.</summary>
    private UpdateRefusal? ExaminePath(Entry chosen, BundleReader bundles, DateTimeOffset now)
    {
        var leaf = chosen.Chain[0];
        if (leaf.NotAfter < now)
        {
            return new UpdateRefusal(
                UpdateRefusalReason.Expired,
                string.Create(CultureInfo.InvariantCulture, $"The certificate of {chosen.Id} was valid until {leaf.NotAfter:yyyy-MM-ddTHH:mm:ssZ}."));
        }

        var domain = chosen.Id.TrustDomain;
        var stage = new CertificateStage(new CertificateStageOptions
        {
            Trust = SpiffeBundles.From(domain, bundles.AnchorsOf(domain)),
            Authorization = Authorize.SpiffeId(chosen.Id),
            Profile = options.Profile,
        });

        // A clock slightly behind the agent's is no reason to keep an identity that is about to expire.
        var at = leaf.NotBefore > now ? leaf.NotBefore : now;
        var evidence = new PeerEvidence(PeerRole.Client, [.. chosen.Chain.Select(certificate => certificate.RawData)]);
        return stage.Judge(evidence, at) is CertificateVerdict.Rejected { Rejection: var rejection }
            ? new UpdateRefusal(ReasonOf(rejection.Reason), $"The bundle of {domain} does not vouch for {chosen.Id}: {rejection}")
            : null;
    }

    private static UpdateRefusalReason ReasonOf(RejectionReason reason) => reason switch
    {
        RejectionReason.NotAnSvid => UpdateRefusalReason.SpiffeIdMismatch,
        RejectionReason.CertificateExpired => UpdateRefusalReason.Expired,
        _ => UpdateRefusalReason.NotVouchedFor,
    };

    private static UpdateRefusal? MakeIdentity(Entry chosen, X509Snapshot? last, out Identity? identity)
    {
        identity = null;
        var refusal = SvidKey.Join(chosen.Chain[0], chosen.Message.X509SvidKey.Span, out var leaf);
        if (refusal is not null)
        {
            return refusal;
        }

        if (last is not null && last.Identity.Certificate.Equals(chosen.Chain[0]) && last.Identity.Intermediates.SequenceEqual(chosen.Chain.Skip(1)))
        {
            // The same certificate with the same key: no event is needed.
            leaf!.Dispose();
            identity = last.Identity;
            return null;
        }

        try
        {
            identity = Identity.From(leaf!, chosen.Chain.Skip(1).Select(certificate => certificate.ToX509Certificate2()));
            return null;
        }
        catch (MaterialException exception)
        {
            leaf!.Dispose();
            return new UpdateRefusal(UpdateRefusalReason.CertificateMalformed, $"The chain of {chosen.Id} cannot be presented: {exception.Message}");
        }
    }

    private static UpdateRefusal? ReadLists(
        X509SVIDResponse message, X509Snapshot? last, out RevocationLists? lists, out ImmutableArray<ReadOnlyMemory<byte>> raw)
    {
        raw = [.. message.Crl.Select(list => list.Memory)];
        if (last is not null
            && raw.Length == last.RawRevocationLists.Length
            && raw.Zip(last.RawRevocationLists).All(pair => pair.First.Span.SequenceEqual(pair.Second.Span)))
        {
            lists = last.RevocationLists;
            return null;
        }

        try
        {
            lists = raw.IsEmpty ? RevocationLists.Empty : RevocationLists.FromDer(raw);
            return null;
        }
        catch (MaterialException exception)
        {
            lists = null;
            return new UpdateRefusal(UpdateRefusalReason.RevocationListMalformed, exception.Message);
        }
    }

    private static UpdateRefusal TooMany(string what, int count, int most) =>
        new(UpdateRefusalReason.TooMany, $"There are {count} {what}; at most {most} are taken.");

    private sealed record Entry(SpiffeId Id, ImmutableArray<Certificate> Chain, X509SVID Message);
}
