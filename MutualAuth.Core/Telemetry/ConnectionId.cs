using System.Globalization;
using System.Security.Cryptography;

namespace MutualAuth.Telemetry;

/// <summary>
/// Names one attempt and the connection that comes of it, in logs and in the audit: the process, drawn at random when it starts, and a number. It
/// costs nothing until it is written down.
/// </summary>
internal readonly struct ConnectionId
{
    private static readonly string s_process = Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(6));
    private static long s_last;

    private readonly long _number;

    private ConnectionId(long number) => _number = number;

    internal static ConnectionId Next() => new(Interlocked.Increment(ref s_last));

    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{s_process}-{_number}");
}
