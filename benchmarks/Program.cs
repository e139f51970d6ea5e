using BenchmarkDotNet.Running;
using MutualAuth.Benchmarks;
using MutualAuth.Benchmarks.Compare;
using MutualAuth.Benchmarks.Scale;
using MutualAuth.Testing;

if (args is ["paths"])
{
    PathRatios.Print();
    return;
}

if (args is ["revocation"])
{
    RevocationRatio.Print();
    return;
}

if (args is ["issuing"])
{
    IssuingRatio.Print();
    return;
}

if (args is ["judge-first"])
{
    await JudgeFirstRatio.PrintAsync();
    return;
}

if (args is ["reload"])
{
    await ReloadRatio.PrintAsync();
    return;
}

if (args is ["resumption"])
{
    await ResumptionRatio.PrintAsync();
    return;
}

if (args is ["hello-costs"])
{
    await HelloCosts.PrintAsync();
    return;
}

if (args is ["rejudge", ..])
{
    await RejudgeTimes.PrintAsync(args.Contains("--small"));
    return;
}

if (args is ["login-flood"])
{
    await LoginFloodRatio.PrintAsync();
    return;
}

if (args is ["live-logins", ..])
{
    await LiveLogins.RunAsync(args.Contains("--small"));
    return;
}

if (args is ["list-reload", ..])
{
    await ListReload.RunAsync(args.Contains("--small"));
    return;
}

if (args is ["list-reload-reader", var lists, var form])
{
    await ListReload.ReadAsync(lists, form);
    return;
}

if (args is ["saturation", ..])
{
    await SaturatedRate.RunAsync(args.Contains("--small"));
    return;
}

if (args is ["idle", ..])
{
    await ScaleCommand.IdleAsync(args.Contains("--small"));
    return;
}

if (args is ["store-reload", ..])
{
    await StoreReload.RunAsync(args.Contains("--small"));
    return;
}

if (args is ["scale", ..])
{
    await ScaleCommand.RunAsync(args);
    return;
}

if (args is ["compare", ..])
{
    await new CompareCommand(CompareOptions.Parse(args.AsSpan(1)), Console.Out).RunAsync();
    return;
}

if (args is ["compare-server", var kind, var directory, var tls, var keys])
{
    await ServerCommand.RunAsync(kind, directory, new Scenario(tls, Enum.Parse<KeyAlgorithm>(keys)));
    return;
}

if (args is ["compare-client", var material, var version, var algorithm])
{
    await new ClientCommand(material, new Scenario(version, Enum.Parse<KeyAlgorithm>(algorithm))).RunAsync();
    return;
}

BenchmarkSwitcher.FromAssembly(typeof(PathMaterial).Assembly).Run(args);
