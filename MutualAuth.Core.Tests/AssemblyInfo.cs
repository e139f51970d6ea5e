// Fixtures side by side, the cases of each one after the other. What looks at something that belongs to the whole process is NonParallelizable:
// meters, activity sources, switches, the heap, the thread pool, descriptors.
[assembly: Parallelizable(ParallelScope.Fixtures)]
[assembly: LevelOfParallelism(4)]
