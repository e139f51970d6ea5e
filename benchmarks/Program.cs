using BenchmarkDotNet.Running;
using MutualAuth.Benchmarks;

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

if (args is ["rejudge"])
{
    await RejudgeTimes.PrintAsync();
    return;
}

if (args is ["login-flood"])
{
    await LoginFloodRatio.PrintAsync();
    return;
}

BenchmarkSwitcher.FromAssembly(typeof(PathMaterial).Assembly).Run(args);
