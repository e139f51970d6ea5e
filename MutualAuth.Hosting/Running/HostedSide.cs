using System.Diagnostics.CodeAnalysis;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using MutualAuth.Expiry;
using MutualAuth.Hosting.Materials;
using MutualAuth.Platforms;
using MutualAuth.Validation;

namespace MutualAuth.Hosting.Running;

/// <summary>A listener or a client: its settings, its material, and how both change while the process runs.</summary>
internal abstract class HostedSide<[DynamicallyAccessedMembers(DynamicallyAccessedMemberTypes.PublicParameterlessConstructor)] TSettings>
    : IDisposable
    where TSettings : MutualTlsSettings
{
    private readonly Lock _turn = new();
    private readonly IOptionsMonitor<TSettings> _monitor;
    private readonly MaterialStore _store;
    private readonly string _root;
    private TSettings? _first;
    private TSettings? _inForce;
    private IDisposable? _changes;
    private string _awaitingRestart = "";
    private bool _isDisposed;
    private volatile SideMaterial? _material;
    private volatile string? _refusal;

    private protected HostedSide(Registration registration, IServiceProvider services)
    {
        Registration = registration;
        Services = services;
        _monitor = services.GetRequiredService<IOptionsMonitor<TSettings>>();
        _store = services.GetRequiredService<MaterialStore>();
        _root = services.GetService<IHostEnvironment>()?.ContentRootPath ?? Directory.GetCurrentDirectory();
        LoggerFactory = services.GetService<ILoggerFactory>() ?? NullLoggerFactory.Instance;
        Logger = HostingLog.Create(LoggerFactory);
        Time = services.GetService<TimeProvider>() ?? TimeProvider.System;
    }

    internal Registration Registration { get; }

    private protected IServiceProvider Services { get; }

    private protected ILoggerFactory LoggerFactory { get; }

    private protected ILogger Logger { get; }

    private protected TimeProvider Time { get; }

    /// <summary>The settings with which it began.</summary>
    private protected TSettings First => _first ?? throw new InvalidOperationException($"The {Registration.Kind} has not been set up.");

    /// <summary>Reads the settings and the files, once. A problem leaves it as it was.</summary>
    internal void Prepare(List<string> problems)
    {
        lock (_turn)
        {
            if (_first is not null)
            {
                return;
            }

            var found = new List<string>();
            SideMaterial? material = null;
            try
            {
                var settings = _monitor.Get(Registration.Name);
                found.AddRange(settings.AllProblems());
                material = SideMaterial.Open(settings, new MaterialReader(_store, _root, settings, found));
                found.AddRange(ProblemsOfCode(settings));
                if (found.Count == 0)
                {
                    Build(settings, material, found);
                }

                if (found.Count == 0)
                {
                    SayWhetherIdentityIsDoubtful(settings, material);
                    (_first, _inForce, _material) = (settings, settings, material);
                    _changes = _monitor.OnChange(OnChange);
                    material = null;
                }
            }
            catch (OptionsValidationException exception)
            {
                found.AddRange(exception.Failures);
            }
            finally
            {
                material?.Dispose();
            }

            problems.AddRange(found);
        }
    }

    /// <summary>What an operator must know, and the data of the health check.</summary>
    internal virtual IEnumerable<(HealthStatus Status, string What)> Examine(TimeSpan degradedWithin, Dictionary<string, object> data)
    {
        var material = _material;
        if (material is null)
        {
            yield return (HealthStatus.Unhealthy, $"The {Registration.Kind} {Registration.Name} has not been set up.");
            yield break;
        }

        if (_refusal is { } refusal)
        {
            yield return (HealthStatus.Unhealthy, $"{Registration.Name}: the new configuration was refused: {refusal}");
        }

        foreach (var problem in ProblemsOf(material, degradedWithin, data))
        {
            yield return (problem.Status, $"{Registration.Name}: {problem.What}");
        }
    }

    /// <summary>Stops listening to changes of the configuration, and gives the material back.</summary>
    public virtual void Dispose()
    {
        lock (_turn)
        {
            _isDisposed = true;
            _changes?.Dispose();
            _material?.Dispose();
        }
    }

    /// <summary>Makes what the settings describe, with material that is whole. It adds what Core objects to.</summary>
    private protected abstract void Build(TSettings settings, SideMaterial material, List<string> problems);

    private protected abstract PeerRole Role { get; }

    private protected virtual IEnumerable<string> ProblemsOfCode(TSettings settings) => [];

    /// <summary>Takes up what else may change, and says which keys that were.</summary>
    private protected virtual IEnumerable<string> TakeUp(TSettings old, TSettings next) => [];

    /// <summary>Adds the problems of Core's own options.</summary>
    private protected static void Try(TSettings settings, List<string> problems, Action make)
    {
        try
        {
            make();
        }
        catch (ArgumentException exception)
        {
            problems.Add($"{settings.Path}: {WithoutParameter(exception)}"); // all of them in one text
        }
        catch (PlatformException exception)
        {
            problems.Add($"{settings.Path}:{nameof(MutualTlsSettings.RequirePlatform)}: {exception.Message}");
        }
    }

    /// <summary>The message without the name of a parameter that no user has seen.</summary>
    private protected static string WithoutParameter(Exception exception) =>
        exception.Message.LastIndexOf(" (Parameter", StringComparison.Ordinal) is > 0 and var end ? exception.Message[..end] : exception.Message;

    private void OnChange(TSettings next, string? name)
    {
        if (name != Registration.Name)
        {
            return;
        }

        lock (_turn)
        {
            if (_isDisposed)
            {
                return; // it was under way, and what it opened would never be closed
            }

            var problems = new List<string>();
            var changed = new List<string>();
            try
            {
                changed = TakeOver(next, problems);
            }
            catch (Exception exception)
            {
                problems.Add($"{next.Path}: {exception.Message}");
            }

            var before = _refusal;
            var refusal = _refusal = problems.Count == 0 ? null : string.Join(' ', problems);
            if (refusal is not null)
            {
                if (refusal != before)
                {
                    HostingLog.ConfigurationRefused(Logger, Registration.Name, refusal);
                }

                return;
            }

            if (changed.Count > 0)
            {
                HostingLog.ConfigurationTaken(Logger, Registration.Name, string.Join(", ", changed));
            }

            SayWhatAwaitsRestart(next);
        }
    }

    /// <returns>The keys of what was taken up; of nothing when there are problems.</returns>
    private List<string> TakeOver(TSettings next, List<string> problems)
    {
        problems.AddRange(next.AllProblems());
        if (problems.Count > 0)
        {
            return [];
        }

        var changed = _material!.Switch(
            _inForce!,
            next,
            new MaterialReader(_store, _root, next, problems),
            problems,
            fault => HostingLog.ReplacedHandlerFaulted(Logger, Registration.Name, fault));
        if (problems.Count > 0)
        {
            return [];
        }

        changed.AddRange(TakeUp(_inForce!, next));
        _inForce = next;
        return changed;
    }

    private void SayWhatAwaitsRestart(TSettings next)
    {
        var awaiting = string.Join(", ", First.Fixed().Except(next.Fixed()).Select(setting => setting.Key));
        if (awaiting.Length > 0 && awaiting != _awaitingRestart)
        {
            HostingLog.NeedsRestart(Logger, Registration.Name, awaiting);
        }

        _awaitingRestart = awaiting;
    }

    private IEnumerable<(HealthStatus Status, string What)> ProblemsOf(
        SideMaterial material, TimeSpan degradedWithin, Dictionary<string, object> data)
    {
        var now = Time.GetUtcNow();
        if (material.Identity?.Source.Current is { } identity)
        {
            var first = identity.Intermediates.Append(identity.Certificate).MinBy(certificate => certificate.NotAfter)!;
            var left = first.NotAfter - now;
            var third = (first.NotAfter - first.NotBefore) / 3;
            data[$"{Registration.Name}.days_left"] = Math.Round(left.TotalDays, 3);
            if (left <= TimeSpan.Zero)
            {
                yield return (HealthStatus.Unhealthy, $"the certificate {first} expired on {first.NotAfter:u}.");
            }
            else if (left < (third < degradedWithin ? third : degradedWithin))
            {
                yield return (HealthStatus.Degraded, $"the certificate {first} expires on {first.NotAfter:u}.");
            }
        }

        foreach (var list in material.Lists?.Current.Lists.Where(list => list.NextUpdate <= now) ?? [])
        {
            yield return (HealthStatus.Unhealthy, $"the revocation list of {list.Issuer} should have been replaced by {list.NextUpdate:u}.");
        }

        foreach (var fetch in material.Lists?.Fetches.Where(fetch => fetch.Failure is not null || !fetch.HasLists) ?? [])
        {
            var what = fetch.Failure is null ? "have not come yet." : $"could not be fetched ({fetch.Failure}): {fetch.Detail}.";
            yield return (
                fetch.HasLists ? HealthStatus.Degraded : HealthStatus.Unhealthy, $"the revocation lists of {fetch.Address} {what}");
        }

        foreach (var files in material.Files)
        {
            if (files.LastFailure is { } failure)
            {
                yield return (HealthStatus.Unhealthy, $"new content of {string.Join(", ", files.Paths)} was refused: {failure.Message}");
            }
        }

        if (material.Users?.Source is { } users)
        {
            users.ReloadIfChanged(); // it looks by itself only when a user logs in
            var health = users.Health;
            if (!health.LetsUsersIn)
            {
                yield return (HealthStatus.Unhealthy, $"no user can log in: {health.Problem}");
            }
            else if (health.Problem is not null)
            {
                yield return (HealthStatus.Degraded, $"the users of {health.GoodAt:u} are in force: {health.Problem}");
            }
            else if (health.CanOthersRead)
            {
                yield return (HealthStatus.Degraded, "the file of users can be read by others, who can try passwords against it.");
            }
        }
    }

    // Core looks at the identity by itself, but not at a trust that is not of its own kinds.
    private void SayWhetherIdentityIsDoubtful(TSettings settings, SideMaterial material)
    {
        if (settings.AcknowledgedWarnings.HasFlag(ConfigurationWarnings.OwnIdentityDoubtful) || material.Identity?.Source.Current is not { } identity)
        {
            return;
        }

        var now = Time.GetUtcNow();
        if (new IdentityCheck { Role = Role }.Examine(identity, now) is null
            && new IdentityCheck { Role = Role, Trust = material.Trust }.Examine(identity, now) is { } problem)
        {
            HostingLog.IdentityDoubtful(Logger, Registration.Name, problem.Message);
        }
    }
}
