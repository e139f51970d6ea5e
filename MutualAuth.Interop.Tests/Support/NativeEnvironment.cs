using System.Runtime.InteropServices;

namespace MutualAuth.Tests.Support;

/// <summary>The environment as native code sees it: the framework changes only a copy of its own.</summary>
internal static class NativeEnvironment
{
    internal static void Set(string name, string value)
    {
        _ = SetVariable(name, value, 1);
        Environment.SetEnvironmentVariable(name, value);
    }

    [DllImport("libc", EntryPoint = "setenv", CharSet = CharSet.Ansi, BestFitMapping = false, ThrowOnUnmappableChar = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int SetVariable(string name, string value, int overwrite);
}
