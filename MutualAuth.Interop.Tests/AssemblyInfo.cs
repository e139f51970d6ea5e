// Two fixtures side by side, the cases of each one after the other: most of a test's time is another program's start. What sets something of the
// whole process, its environment or its current directory, is NonParallelizable.
[assembly: Parallelizable(ParallelScope.Fixtures)]
[assembly: LevelOfParallelism(2)]
