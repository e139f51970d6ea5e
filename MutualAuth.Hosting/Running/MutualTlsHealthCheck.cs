using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace MutualAuth.Hosting.Running;

/// <summary>How it stands with all listeners and clients.</summary>
internal sealed class MutualTlsHealthCheck(Sides sides, TimeSpan degradedWithin) : IHealthCheck
{
    public async Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default)
    {
        var platform = await PlatformHealth.ReadAsync(cancellationToken).ConfigureAwait(false);

        // It reads files.
        return await Task.Run(() => Check(context, platform), cancellationToken).ConfigureAwait(false);
    }

    private HealthCheckResult Check(HealthCheckContext context, PlatformHealth platform)
    {
        var data = new Dictionary<string, object>();
        platform.AddTo(data);
        var found = sides.Listeners.SelectMany(side => side.Examine(degradedWithin, data))
            .Concat(sides.Clients.SelectMany(side => side.Examine(degradedWithin, data)))
            .Concat(platform.Alarm is { } alarm ? [(HealthStatus.Degraded, alarm)] : []).ToArray();

        // The lower value is the worse one.
        var status = found.Length == 0 ? HealthStatus.Healthy : found.Min(problem => problem.Status);
        var worst = status == HealthStatus.Unhealthy ? context.Registration.FailureStatus : status;
        return new HealthCheckResult(
            worst, found.Length == 0 ? platform.Mode : string.Join(' ', found.Select(problem => problem.What)), exception: null, data);
    }
}
