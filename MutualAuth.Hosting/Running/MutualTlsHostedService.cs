using Microsoft.Extensions.Hosting;

namespace MutualAuth.Hosting.Running;

/// <summary>Checks everything before anything begins, starts the listeners, and drains them when the host stops.</summary>
internal sealed class MutualTlsHostedService(Sides sides) : IHostedLifecycleService
{
    public Task StartingAsync(CancellationToken cancellationToken)
    {
        var problems = new List<string>();
        foreach (var listener in sides.Listeners)
        {
            listener.Prepare(problems);
        }

        foreach (var client in sides.Clients)
        {
            client.Prepare(problems);
        }

        return problems.Count == 0 ? Task.CompletedTask : throw new HostingConfigurationException(problems);
    }

    public async Task StartAsync(CancellationToken cancellationToken)
    {
        var problems = new List<string>();
        foreach (var listener in sides.Listeners)
        {
            listener.Start(problems);
        }

        if (problems.Count > 0)
        {
            await StopAsync(new CancellationToken(canceled: true)).ConfigureAwait(false);
            throw new HostingConfigurationException(problems);
        }
    }

    public Task StartedAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StoppingAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StopAsync(CancellationToken cancellationToken) =>
        Task.WhenAll(sides.Listeners.Select(listener => listener.StopAsync(cancellationToken)));

    public Task StoppedAsync(CancellationToken cancellationToken) => Task.CompletedTask;
}
