namespace MutualAuth.Hello;

/// <summary>What the first octets of a connection turned out to be. Neither a hello nor a problem: more are needed.</summary>
/// <param name="Hello">The hello, once it is complete.</param>
/// <param name="Problem">Why there is none, and never will be.</param>
internal readonly record struct HelloReading(ClientHello? Hello, Rejection? Problem)
{
    /// <summary>The alert that tells the client of the problem; null where the client does not speak TLS and would not understand one.</summary>
    internal int? Alert { get; init; }

    /// <summary>How many octets its records take.</summary>
    internal int Length { get; init; }

    internal static HelloReading Refused(int? alert, Rejection problem) => new(null, problem) { Alert = alert };

    /// <summary>It breaks the protocol.</summary>
    internal static HelloReading Malformed(int? alert, string expected, string presented) =>
        Refused(alert, new Rejection(RejectionReason.MalformedClientHello, expected, presented) { Rule = "RFC 8446 §4.1.2" });
}
