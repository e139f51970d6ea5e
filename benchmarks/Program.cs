using BenchmarkDotNet.Running;
using MutualAuth.Benchmarks;

if (args is ["paths"])
{
    PathRatios.Print();
    return;
}

BenchmarkSwitcher.FromAssembly(typeof(PathMaterial).Assembly).Run(args);
