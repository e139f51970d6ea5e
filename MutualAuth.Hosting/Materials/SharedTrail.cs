using Microsoft.Extensions.Logging;
using MutualAuth.Audit;
using MutualAuth.Hosting.Running;

namespace MutualAuth.Hosting.Materials;

/// <summary>An audit trail that listeners and clients share.</summary>
internal sealed class SharedTrail : IDisposable
{
    private SharedTrail(AuditTrail trail) => Trail = trail;

    internal AuditTrail Trail { get; }

    /// <summary>Opens the trail, and begins it where there is none and a key to begin it with.</summary>
    /// <exception cref="MutualAuth.MaterialException">It can be neither opened nor begun.</exception>
    internal static SharedTrail Open(string path, string? keyPath, TimeProvider time, ILogger logger)
    {
        if (keyPath is not null && !File.Exists(path) && !File.Exists(path + ".state"))
        {
            AuditTrail.Begin(path, AuditTrail.ReadKey(keyPath));
        }

        var trail = AuditTrail.Open(path, time);
        if (File.Exists(keyPath))
        {
            HostingLog.AuditKeyIsHere(logger, path, keyPath);
        }

        return new SharedTrail(trail);
    }

    /// <summary>Writes what waits, which is a matter of one flush; the container disposes of nothing asynchronously here.</summary>
    public void Dispose() => Trail.DisposeAsync().AsTask().GetAwaiter().GetResult();
}
