using System.Collections.Immutable;
using System.Net;
using System.Net.Sockets;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using MutualAuth.Connections;
using MutualAuth.Credentials;
using MutualAuth.Hosting.Binding;
using MutualAuth.Hosting.Materials;
using MutualAuth.Revocation;

namespace MutualAuth.Hosting.Running;

/// <summary>A named listener on all its end points, and the handlers of its connections.</summary>
internal sealed class ListenerSide : HostedSide<MutualTlsListenerSettings>
{
    // What handlers that were aborted get to notice it.
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(1);

    private readonly ListenerRegistration _registration;
    private readonly HostingMeter _meter;
    private readonly ConnectionGate _gate = new();
    private readonly Lock _turn = new();
    private readonly HashSet<Task> _handlers = [];
    private readonly List<Task> _pumps = [];
    private ImmutableArray<MutualTlsListener> _listeners = [];
    private MutualTlsServer? _server;
    private volatile string? _state = "has not started";

    internal ListenerSide(ListenerRegistration registration, IServiceProvider services)
        : base(registration, services)
    {
        _registration = registration;
        _meter = services.GetRequiredService<HostingMeter>();
    }

    internal ImmutableArray<MutualTlsListener> Listeners => _listeners;

    private protected override PeerRole Role => PeerRole.Server;

    /// <summary>Binds every end point. What cannot be bound is a problem; what could be stays until the listener is stopped.</summary>
    internal void Start(List<string> problems)
    {
        _gate.Max = First.Limits.MaxConnections;
        var before = problems.Count;
        for (var index = 0; index < First.Listen.Count; index++)
        {
            StartAt($"{First.At(nameof(MutualTlsListenerSettings.Listen))}:{index}", First.Listen[index], problems);
        }

        if (problems.Count == before)
        {
            _state = null;
        }
    }

    /// <summary>Drains until everything has ended or the host wants to wait no longer.</summary>
    internal async Task StopAsync(CancellationToken patience)
    {
        if (_listeners.IsEmpty)
        {
            return;
        }

        _state = "was stopped";
        HostingLog.Stopping(Logger, _registration.Name, _listeners.Sum(listener => listener.Connections.Length));
        await Task.WhenAll(_listeners.Select(listener => listener.StopAsync(Timeout.InfiniteTimeSpan, patience))).ConfigureAwait(false);

        // As long as the host waits, and then a moment for handlers whose connections have been aborted.
        var ended = WhenHandlersEndedAsync();
        await Task.WhenAny(ended, Task.Delay(Timeout.InfiniteTimeSpan, patience)).ConfigureAwait(false);
        await Task.WhenAny(ended, Task.Delay(s_patience, CancellationToken.None)).ConfigureAwait(false);
        _listeners = [];
        int left;
        lock (_turn)
        {
            left = _handlers.Count;
        }

        if (left == 0)
        {
            HostingLog.Stopped(Logger, _registration.Name);
        }
        else
        {
            HostingLog.StoppedWithHandlers(Logger, _registration.Name, left);
        }
    }

    /// <summary>Ends what the host has not stopped, without waiting for it.</summary>
    public override void Dispose()
    {
        foreach (var listener in _listeners)
        {
            _ = listener.DisposeAsync().AsTask();
        }

        base.Dispose();
    }

    internal override IEnumerable<(HealthStatus Status, string What)> Examine(TimeSpan degradedWithin, Dictionary<string, object> data)
    {
        if (_state is { } state)
        {
            yield return (HealthStatus.Unhealthy, $"The listener {_registration.Name} {state}.");
        }

        foreach (var problem in base.Examine(degradedWithin, data))
        {
            yield return problem;
        }
    }

    private protected override IEnumerable<string> ProblemsOfCode(MutualTlsListenerSettings settings) =>
    [
        .. _registration.Handle is null
            ? [$"{settings.Path}: nobody serves the connections of this listener: call {nameof(MutualTlsListenerBuilder.HandledBy)}."]
            : Array.Empty<string>(),
        .. settings is { FactorKeyFile: not null, UsersFile: not null } && _registration.CredentialChanges.Count == 0
            ? [$"{settings.At(nameof(MutualTlsListenerSettings.FactorKeyFile))} is set, but no mechanism is given the keys: call "
                + $"{nameof(MutualTlsListenerBuilder.ConfigureCredentials)}."]
            : Array.Empty<string>(),
    ];

    private protected override void Build(MutualTlsListenerSettings settings, SideMaterial material, List<string> problems) =>
        Try(settings, problems, () =>
        {
            var options = new MutualTlsServerOptions
            {
                Identity = material.Identity!.Source,
                Trust = material.Trust!,
                Authorization = Authorize.From(material.Rules!),
                Pins = material.Pins,
                Revocation = material.Lists is { } lists ? new RevocationPolicy { Lists = lists, Coverage = settings.RevocationCoverage } : null,
                DenyList = material.DenyList,
                Credentials = WithChanges(material, CredentialsOf(settings.Require, material.Users?.Source) with
                {
                    LockOut = settings.ToLockOutPolicy(),
                    UniformRefusalTime = settings.UniformRefusalTime,
                }),
                SessionLimits = settings.ToSessionLimits(),
                SendAcceptableIssuers = settings.SendAcceptableIssuers,
                Confirmation = settings.Confirmation,
                KeyExchange = settings.KeyExchange,
                RequirePlatform = settings.RequirePlatform,
                MinimumTlsVersion = settings.MinimumTlsVersion,
                ApplicationProtocols = [.. settings.ApplicationProtocols],
                HandshakeTimeout = settings.HandshakeTimeout,
                CloseTimeout = settings.CloseTimeout,
                AcknowledgedWarnings = settings.AcknowledgedWarnings,
                Revalidation = settings.ToRevalidationPolicy(),
                LoggerFactory = LoggerFactory,
                TimeProvider = Time,
                Audit = settings.Audit.ToPolicy(material.Audit?.Source.Trail),
            };
            _server = new MutualTlsServer(_registration.ServerChanges.Aggregate(options, (changed, change) => change(Services, changed)));
        });

    private protected override IEnumerable<string> TakeUp(MutualTlsListenerSettings old, MutualTlsListenerSettings next)
    {
        if (old.Limits.MaxConnections == next.Limits.MaxConnections)
        {
            return [];
        }

        _gate.Max = next.Limits.MaxConnections;
        return [$"{nameof(MutualTlsListenerSettings.Limits)}:{nameof(ListenerLimits.MaxConnections)}"];
    }

    private CredentialPolicy WithChanges(SideMaterial material, CredentialPolicy policy)
    {
        if (material.Users is null)
        {
            return policy;
        }

        var users = new ListenerUsers(material.Users.Source, material.FactorKeys?.Source);
        return _registration.CredentialChanges.Aggregate(policy, (changed, change) => change(Services, users, changed));
    }

    private static CredentialPolicy CredentialsOf(ClientProof proof, FileCredentialStore? users) => proof switch
    {
        ClientProof.User => Credentials.Require.User(SaslServer.Scram(users!)),
        ClientProof.CertificateAndUser => Credentials.Require.CertificateAndUser(SaslServer.Scram(users!)),
        ClientProof.CertificateOrUser => Credentials.Require.CertificateOrUser(SaslServer.Scram(users!)),
        _ => Credentials.Require.Certificate,
    };

    private void StartAt(string place, string address, List<string> problems)
    {
        if (!ListenAddress.IsSystemd(address, out var name))
        {
            StartOne(place, ListenAddress.TryParse(address, out var endPoint) ? endPoint : null, null, problems);
            return;
        }

        var descriptors = Services.GetRequiredService<SystemdSockets>().Take(name);
        if (descriptors.Count == 0)
        {
            var which = name is null ? "that is left" : $"of the name '{name}'";
            problems.Add($"{place}: systemd has passed on no socket {which}: start the process by its socket unit, or name an address.");
        }

        foreach (var descriptor in descriptors)
        {
            try
            {
                StartOne(place, null, SystemdSockets.Open(descriptor), problems);
            }
            catch (SocketException exception)
            {
                problems.Add($"{place}: descriptor {descriptor} is not a socket that can be used: {exception.Message}");
            }
        }
    }

    private void StartOne(string place, EndPoint? endPoint, Socket? bound, List<string> problems)
    {
        try
        {
            var options = First.Limits.ApplyTo(new MutualTlsListenerOptions
            {
                Server = _server!,
                EndPoint = endPoint,
                BoundSocket = bound,
                TakesOverStaleUnixSocket = First.TakesOverStaleUnixSocket,
                ProxyProtocol = First.TrustedProxies.Count == 0
                    ? null
                    : new ProxyProtocol { TrustedProxies = [.. First.TrustedProxies.Select(network => IPNetwork.Parse(network))] },
            });
            var listener = MutualTlsListener.Start(
                _registration.ListenerChanges.Aggregate(options, (changed, change) => change(Services, changed)));
            _listeners = _listeners.Add(listener);
            HostingLog.Listening(Logger, _registration.Name, listener.LocalEndPoint);

            // The handlers must not inherit what surrounds the start of the host.
            using (ExecutionContext.SuppressFlow())
            {
                _pumps.Add(Task.Run(() => PumpAsync(listener)));
            }
        }
        catch (Exception exception) when (exception is SocketException or ArgumentException)
        {
            bound?.Dispose();
            problems.Add($"{place}: {endPoint?.ToString() ?? "the socket of systemd"} cannot be listened on: {WithoutParameter(exception)}");
        }
    }

    private async Task PumpAsync(MutualTlsListener listener)
    {
        try
        {
            await foreach (var connection in listener.AcceptAllAsync().ConfigureAwait(false))
            {
                await _gate.EnterAsync().ConfigureAwait(false);
                // Its continuation is the handler, which may block, and must not run on this thread.
                var began = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
                var serving = Task.Run(async () =>
                {
                    await began.Task.ConfigureAwait(false);
                    await ServeAsync(connection).ConfigureAwait(false);
                });
                lock (_turn)
                {
                    _handlers.Add(serving);
                }

                _ = serving.ContinueWith(Forget, CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
                began.SetResult();
            }
        }
        catch (ListenerStoppedException exception)
        {
            _state = "has failed";
            HostingLog.ListenerFailed(Logger, _registration.Name, listener.LocalEndPoint, exception.InnerException);
        }
    }

    private void Forget(Task serving)
    {
        lock (_turn)
        {
            _handlers.Remove(serving);
        }

        _gate.Leave();
    }

    private async Task ServeAsync(MutualTlsConnection connection)
    {
        var tag = new KeyValuePair<string, object?>("mutualauth.listener", _registration.Name);
        var began = Time.GetTimestamp();
        _meter.CountActive(1, tag);
        var outcome = "ended";
        try
        {
            await using (connection.ConfigureAwait(false))
            {
                outcome = await HandleAsync(connection).ConfigureAwait(false);
            }
        }
        finally
        {
            _meter.CountActive(-1, tag);
            _meter.NoteDuration(
                Time.GetElapsedTime(began), tag, new KeyValuePair<string, object?>("mutualauth.outcome", outcome));
        }
    }

    /// <summary>Whatever is thrown concerns this connection alone. It is aborted, so that the peer takes no cut message for a whole one.</summary>
    private async Task<string> HandleAsync(MutualTlsConnection connection)
    {
        try
        {
            var scope = Services.CreateAsyncScope();
            await using (scope.ConfigureAwait(false))
            {
                await _registration.Handle!(scope.ServiceProvider, connection, connection.DrainRequested).ConfigureAwait(false);
            }

            return "ended";
        }
        catch (OperationCanceledException) when (connection.DrainRequested.IsCancellationRequested)
        {
            return "drained";
        }
        catch (IOException exception)
        {
            connection.Abort();
            HostingLog.ConnectionBroke(Logger, _registration.Name, connection.Peer.Name, exception.Message);
            return "broken";
        }
        catch (Exception exception)
        {
            connection.Abort();
            HostingLog.HandlerFaulted(Logger, _registration.Name, connection.Peer.Name, exception);
            return "faulted";
        }
    }

    private async Task WhenHandlersEndedAsync()
    {
        await Task.WhenAll(_pumps).ConfigureAwait(false);
        Task[] left;
        lock (_turn)
        {
            left = [.. _handlers];
        }

        await Task.WhenAll(left).ConfigureAwait(false);
    }
}
