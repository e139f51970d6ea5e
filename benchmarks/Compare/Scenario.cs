using System.Security.Authentication;
using MutualAuth.Testing;

namespace MutualAuth.Benchmarks.Compare;

/// <summary>What a comparison is made for: a TLS version and the keys of all certificates.</summary>
internal sealed record Scenario(string Tls, KeyAlgorithm Keys)
{
    internal SslProtocols Protocols => Tls == "1.2" ? SslProtocols.Tls12 : SslProtocols.Tls13;

    public override string ToString() => $"TLS {Tls}, {(Keys == KeyAlgorithm.Rsa2048 ? "RSA 2048" : "P-256")}";
}
