namespace MutualAuth.Fuzz;

/// <summary>Simple, seeded mutations: flips, inserts, deletes, copies, splices, and the lengths that parsers trip over.</summary>
internal static class Mutator
{
    private static readonly byte[] s_interesting = [0, 1, 2, 0x7f, 0x80, 0x81, 0x82, 0xff, 0x30, 0x31, 0x16, 0x03];

    internal static byte[] Mutate(List<byte[]> corpus, Random random)
    {
        var bytes = corpus[random.Next(corpus.Count)].ToList();
        for (var steps = random.Next(1, 8); steps > 0 && bytes.Count > 0; steps--)
        {
            var at = random.Next(bytes.Count);
            switch (random.Next(7))
            {
                case 0:
                    bytes[at] ^= (byte)(1 << random.Next(8));
                    break;
                case 1:
                    bytes[at] = s_interesting[random.Next(s_interesting.Length)];
                    break;
                case 2:
                    bytes.Insert(at, (byte)random.Next(256));
                    break;
                case 3:
                    bytes.RemoveRange(at, random.Next(1, Math.Min(16, bytes.Count - at) + 1));
                    break;
                case 4:
                    bytes.RemoveRange(at, bytes.Count - at);
                    break;
                case 5:
                    bytes.InsertRange(at, bytes.GetRange(at, random.Next(1, Math.Min(64, bytes.Count - at) + 1)));
                    break;
                default:
                    var other = corpus[random.Next(corpus.Count)];
                    var from = random.Next(other.Length);
                    bytes.RemoveRange(at, bytes.Count - at);
                    bytes.AddRange(other.AsSpan(from));
                    break;
            }
        }

        return [.. bytes];
    }
}
