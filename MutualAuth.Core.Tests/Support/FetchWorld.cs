using MutualAuth.Certificates;
using MutualAuth.Revocation;
using MutualAuth.Testing;
using MutualAuth.Testing.Responders;

namespace MutualAuth.Tests.Support;

/// <summary>
/// Two authorities that publish their lists over HTTP, a client that is revoked and one that is not, and a clock that moves only when a test says so.
/// </summary>
internal sealed class FetchWorld : IAsyncDisposable
{
    internal FetchWorld()
    {
        World = new RevocationWorld();
        Clock = new PausingClock(World.Now);
        RootResponder = new CrlResponder(World.Root);
        Responder = new CrlResponder(World.Issuing);
        Revoked = World.Issue();
        World.Issuing.Revoke(Revoked);
        Folder = new TemporaryFolder();
    }

    internal RevocationWorld World { get; }

    internal PausingClock Clock { get; }

    internal CrlResponder RootResponder { get; }

    internal CrlResponder Responder { get; }

    internal TestCertificate Revoked { get; }

    internal EventLog Events { get; } = new();

    internal TemporaryFolder Folder { get; }

    /// <summary>The issuing authority's list alone; the root's comes from memory in <see cref="Judge"/>.</summary>
    internal RevocationFetchOptions Options => new()
    {
        Addresses = [new Uri(Responder.FullUri)],
        TimeProvider = Clock,
        LoggerFactory = Events,
    };

    internal Certificate Issuer => Certificate.Parse(World.Issuing.Certificate.RawData);

    internal FetchedRevocationLists Fetch(Func<RevocationFetchOptions, RevocationFetchOptions>? options = null) =>
        new(options?.Invoke(Options) ?? Options);

    /// <summary>What becomes of the good client and of the revoked one.</summary>
    internal (RejectionReason? Good, RejectionReason? Revoked) Judge(IRevocationListSource lists)
    {
        using var all = new CombinedRevocationLists(lists, RevocationLists.FromDer(World.RootCrl().Raw));
        var options = World.Options(all);
        return (World.Judge(options, Clock.GetUtcNow())?.Reason, World.Judge(options, Clock.GetUtcNow(), Revoked)?.Reason);
    }

    /// <summary>Moves both clocks.</summary>
    internal void Advance(TimeSpan time)
    {
        World.Clock.Advance(time);
        Clock.Advance(time);
    }

    public async ValueTask DisposeAsync()
    {
        await Responder.DisposeAsync();
        await RootResponder.DisposeAsync();
        Revoked.Dispose();
        Folder.Dispose();
        Events.Dispose();
        World.Dispose();
    }
}
