using MutualAuth.Conformance.Pkits;

namespace MutualAuth.Tests.Paths;

/// <summary>NIST's PKITS through the certificate stage, where Debian's package python3-cryptography-vectors has put it.</summary>
public sealed class PkitsTests
{
    private const string Files = "/usr/lib/python3/dist-packages/cryptography_vectors/x509/PKITS_data";

    [Test]
    [CancelAfter(120_000)]
    public void Every_test_comes_out_as_the_document_has_it_or_deviates_for_a_reason(CancellationToken cancellationToken)
    {
        if (!Directory.Exists(Files))
        {
            Assert.Ignore("Install python3-cryptography-vectors for the files of PKITS.");
        }

        var results = PkitsCommand.RunAll(Files);

        results.Should().HaveCount(247);
        results.Where(result => !result.IsRight && result.Test.Deviation is null)
            .Select(result => $"{result.Test.Target}: {result.Reason}")
            .Should().BeEmpty();
        results.Where(result => result is { IsAccepted: true, IsRight: false }).Should().BeEmpty("nobody is let in whom the document refuses");
    }
}
