using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace MutualAuth.Hosting.Running;

/// <summary>How it stands with all listeners and clients.</summary>
internal sealed class MutualTlsHealthCheck(Sides sides, TimeSpan degradedWithin) : IHealthCheck
{
    // It reads files.
    public Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default) =>
        Task.Run(() => Check(context), cancellationToken);

    private HealthCheckResult Check(HealthCheckContext context)
    {
        var data = new Dictionary<string, object>();
        var found = sides.Listeners.SelectMany(side => side.Examine(degradedWithin, data))
            .Concat(sides.Clients.SelectMany(side => side.Examine(degradedWithin, data))).ToArray();

        // The lower value is the worse one.
        var status = found.Length == 0 ? HealthStatus.Healthy : found.Min(problem => problem.Status);
        var worst = status == HealthStatus.Unhealthy ? context.Registration.FailureStatus : status;
        return new HealthCheckResult(
            worst, found.Length == 0 ? null : string.Join(' ', found.Select(problem => problem.What)), exception: null, data);
    }
}
