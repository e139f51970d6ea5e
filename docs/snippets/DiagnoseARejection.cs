namespace MutualAuth.Snippets;

/// <summary>docs/how-to/diagnose-a-rejection.md</summary>
internal static class DiagnoseARejection
{
    internal static async Task ConnectAsync(MutualTlsClient client, CancellationToken cancellationToken)
    {
        // snippet
        try
        {
            await using var tried = await client.ConnectAsync("server.example", 8443, cancellationToken);
        }
        catch (HandshakeException problem)
        {
            Console.Error.WriteLine($"{problem.Failure}: {problem.Reason.ToCode()}");
            Console.Error.WriteLine($"  expected  {problem.Rejection.Expected}");
            Console.Error.WriteLine($"  presented {problem.Rejection.Presented}");
            Console.Error.WriteLine($"  at        {problem.Rejection.Element ?? "the peer as a whole"}, {problem.Rejection.Rule ?? "no published rule"}");
            Console.Error.WriteLine($"  do        {problem.Rejection.Hint ?? "see docs/reference/rejections.md"}");
            Console.Error.WriteLine($"  they said {problem.PeerReason?.ToCode() ?? "nothing"}");
        }
        // end
    }

    internal static void Again(MutualTlsClientOptions clientOptions, X509Certificate2 certificate)
    {
        // snippet
        var stage = new CertificateStage(clientOptions);
        var evidence = new PeerEvidence(PeerRole.Server, [certificate.RawDataMemory]) { DialledName = ServerName.Parse("server.example") };
        if (stage.Judge(evidence, DateTimeOffset.UtcNow) is CertificateVerdict.Rejected verdict)
        {
            Console.Error.WriteLine(verdict.Rejection);
        }
        // end
    }
}
